"""What each kind of step does to a registry. Only `run` calls it.

Every step may be done again: it looks at what there is, changes it only while that is as the plan says, and
reads back what came of it. So whoever goes on after a crash needs to know no more than which steps have
ended.
"""

import contextlib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from regui import oci
from regui.actions import plans, ways
from regui.actions.models import Item, Kept
from regui.actions.transfer import Transfer, may_pass
from regui.actions.ways import Way
from regui.index import facts

Result = Item.Result

LOST = (
    "The registry took the manifest and doesn't have it: it still remembers blobs that a garbage collection "
    "has removed. Restart the registry, then try again."
)
NO_WAY = "This registry can't take a tag away and leave its siblings."


class Silent(Exception):
    """The registry doesn't say what became of a request: the step has to be looked at again later."""

    def __init__(self, error: oci.Error) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True)
class Outcome:
    """How a step ended, and why not otherwise; `error` is the registry's, where there was one."""

    result: str
    reason: str = ""
    error: oci.Error | None = None


def on_too(tags: Sequence[str]) -> str:
    return f"{', '.join(tags)} {'is' if len(tags) == 1 else 'are'} on this digest too by now."


def failed(error: oci.Error) -> Outcome:
    return Outcome(Result.FAILED, str(error), error)


@dataclass(frozen=True)
class Steps:
    """Does an action's steps in one repository.

    `kept` has the bytes at hand, by digest; `along` the tags that a digest's deletion takes with it, `joined`
    those that are on it by now and in no plan. `begin` notes that a step is about to change something, and
    what lies on its tag for a moment.
    """

    client: oci.Client
    name: str
    begin: Callable[[Item, str], None]
    kept: Mapping[str, Kept] = field(default_factory=dict)
    along: Mapping[str, Sequence[str]] = field(default_factory=dict)
    joined: Mapping[str, Sequence[str]] = field(default_factory=dict)
    transfer: Transfer | None = None

    def perform(self, item: Item) -> Outcome:
        """Do the step, or find out that it is done; raises `Silent`, and `transfer.Halted`."""
        does = {
            plans.UNTAG: self.untag,
            plans.DELETE_DIGEST: self.delete,
            plans.PUT: self.put,
            plans.COPY: self.copy,
        }
        try:
            return does[item.do](item)
        except oci.Error as error:
            if may_pass(error):
                raise Silent(error) from error
            return failed(error)

    def on(self, reference: str) -> str:
        """The digest that a tag is on, or the digest itself; empty when the registry doesn't have it."""
        try:
            return self.client.head_manifest(self.name, reference).digest
        except oci.NotFound:
            return ""

    def there(self, reference: str) -> bool:
        """Whether the registry gives out that manifest, which HEAD alone doesn't show."""
        try:
            self.client.manifest(self.name, reference)
        except oci.NotFound:
            return False
        return True

    # Deleting a digest

    def delete(self, item: Item) -> Outcome:
        """Delete the digest, with the tags that the plan names and are on it still."""
        if joined := self.joined.get(item.digest):
            return Outcome(Result.SKIPPED, on_too(joined))
        if item.begun_at is not None and not self.there(item.digest):
            return Outcome(Result.DONE)
        self.begin(item, "")
        error: oci.Error | None = None
        try:
            self.client.delete_manifest(self.name, item.digest)
        except oci.NotFound:
            if not self.there(item.digest):
                return Outcome(Result.GONE, "It was gone already.")
        except oci.Error as refusal:
            error = refusal
        if not self.there(item.digest):
            said = f"{error} Reading it back showed that it was deleted all the same." if error else ""
            return Outcome(Result.DONE, said)
        if error is None:
            return Outcome(Result.FAILED, "The registry agreed to delete it, but still has it.")
        raise error

    # Taking a tag away

    def untag(self, item: Item) -> Outcome:
        """Take the tag away and leave its digest, and every other tag on that, as they are."""
        now = self.on(item.tag)
        if now and now == item.passing:
            return self.passed(item)
        if not now:
            return Outcome(Result.DONE if item.begun_at else Result.GONE)
        if now != item.digest:
            return self.moved(item, now)
        match ways.of(self.client, self.name):
            case Way.BY_TAG:
                return self.untag_by_tag(item)
            case Way.PASSING:
                return self.untag_by_passing(item)
            case _:
                return Outcome(Result.FAILED, NO_WAY)

    def untag_by_tag(self, item: Item) -> Outcome:
        self.begin(item, "")
        with contextlib.suppress(oci.NotFound):
            self.client.delete_manifest(self.name, item.tag)
        return self.untagged(item)

    def untag_by_passing(self, item: Item) -> Outcome:
        """Put something on the tag that nothing else is on, then delete that."""
        body = passing_index()
        digest = oci.Digest.of(body)
        self.begin(item, digest)
        try:
            self.client.put_manifest(self.name, item.tag, body, oci.OCI_INDEX)
        except oci.Invalid:
            body = passing_image(self.kept[item.digest])
            if not body:
                return Outcome(Result.FAILED, NO_WAY)
            digest = oci.Digest.of(body)
            self.begin(item, digest)
            self.client.put_manifest(self.name, item.tag, body, oci.OCI_MANIFEST)
        return self.passed(item)

    def passed(self, item: Item) -> Outcome:
        """Delete what lies on the tag for a moment; when the registry won't, the tag gets its digest back."""
        try:
            self.client.delete_manifest(self.name, item.passing)
        except oci.NotFound:
            pass
        except oci.Error as error:
            if may_pass(error):
                raise
            kept = self.kept[item.digest]
            self.client.put_manifest(self.name, item.tag, kept.body, kept.media_type)
            return failed(error)
        return self.untagged(item)

    def untagged(self, item: Item) -> Outcome:
        """What the registry says after the tag was taken away."""
        now = self.on(item.tag)
        if now == item.digest:
            return Outcome(Result.FAILED, "The registry agreed to take the tag away, but still has it.")
        if now and now != item.passing:
            return Outcome(Result.DONE, f"Pushed anew since, to {plans.shortened(now)}.")
        if now or not self.on(item.digest):
            # The registry deleted nothing, or more than it was asked for: the tag gets back what it was on.
            kept = self.kept[item.digest]
            self.client.put_manifest(self.name, item.tag, kept.body, kept.media_type)
            return Outcome(Result.FAILED, f"{NO_WAY} The tag was put back.")
        return Outcome(Result.DONE)

    def moved(self, item: Item, now: str) -> Outcome:
        """The end of a step whose tag is on another digest by now. What lay on it for a moment goes."""
        if item.passing:
            with contextlib.suppress(oci.NotFound):
                self.client.delete_manifest(self.name, item.passing)
        return Outcome(Result.SKIPPED, f"The tag moved to {plans.shortened(now)}.")

    # Bringing a manifest from another repository

    def copy(self, item: Item) -> Outcome:
        """Bring over what the manifest needs, then put it. A list of referrers only goes where the registry
        doesn't keep one itself."""
        if self.keeps_list(item):
            return Outcome(Result.DONE, "The registry itself lists what refers to it.")
        # Not a byte is sent for a tag that has moved meanwhile.
        if item.before is None or self.on(item.tag) in {item.before, item.digest}:
            self.bring(item)
        return self.put(item)

    def bring(self, item: Item) -> None:
        """Have the repository hold the blobs of the manifest; one that has the manifest has them."""
        kept, transfer = self.kept.get(item.digest), self.transfer
        if kept is None or transfer is None:
            return
        document = oci.parse(kept.body, kept.media_type)
        if not isinstance(document, oci.Manifest):
            return
        if self.there(item.digest):
            transfer.is_there(document)
        else:
            self.begin(item, "")
            transfer.bring(document)

    def keeps_list(self, item: Item) -> bool:
        """Whether the step is for a list of referrers, in a registry that answers for them itself."""
        about = oci.companion(item.tag) if item.tag else None
        if about is None or about.role != plans.LIST:
            return False
        return self.client.referrers(self.name, about.subject).source == "api"

    # Putting a manifest

    def put(self, item: Item) -> Outcome:
        """Put the bytes at hand on the tag, or without a tag where their digest finds them."""
        reference = item.tag or item.digest
        now = self.on(reference)
        if now and now == item.passing:
            return self.cleared(item)
        if now == item.digest and self.there(reference):
            return Outcome(Result.DONE, "" if item.begun_at else "It was so already.")
        if item.before is not None and now not in {item.before, item.digest}:
            where = f"is on {plans.shortened(now)}" if now else "is gone"
            return Outcome(Result.SKIPPED, f"The tag {where} by now.")
        kept = self.kept.get(item.digest)
        if kept is None:
            return Outcome(Result.FAILED, f"Nobody has the bytes of {plans.shortened(item.digest)} any more.")
        self.begin(item, "")
        try:
            self.client.put_manifest(self.name, reference, kept.body, kept.media_type)
        except oci.Invalid as error:
            missing = self.missing(kept)
            if not missing:
                return failed(error)
            what = ", ".join(plans.shortened(one) for one in missing)
            return Outcome(Result.FAILED, f"The registry no longer has {what}.", error)
        return self.is_put(item, reference)

    def is_put(self, item: Item, reference: str) -> Outcome:
        """What the registry says after it took the manifest: with its cache, it may have taken it in vain."""
        try:
            found = self.client.manifest(self.name, reference)
        except oci.NotFound:
            return self.clear(item) if item.tag else Outcome(Result.FAILED, LOST)
        if found is not None and found.digest != item.digest:
            return Outcome(Result.DONE, f"Pushed anew since, to {plans.shortened(found.digest)}.")
        return Outcome(Result.DONE)

    def clear(self, item: Item) -> Outcome:
        """Take away a tag that leads nowhere, by what lies on it for a moment."""
        body = passing_index()
        self.begin(item, oci.Digest.of(body))
        self.client.put_manifest(self.name, item.tag, body, oci.OCI_INDEX)
        return self.cleared(item)

    def cleared(self, item: Item) -> Outcome:
        with contextlib.suppress(oci.NotFound):
            self.client.delete_manifest(self.name, item.passing)
        return Outcome(Result.FAILED, LOST)

    def missing(self, kept: Kept) -> list[str]:
        """What of a manifest's blobs and children the repository can't give out."""
        return missing(self.client, self.name, kept)


def missing(client: oci.Client, name: str, kept: Kept) -> list[str]:
    """The digests of blobs and children that a manifest needs and the repository can't give out. HEAD lies
    after a garbage collection, so a byte of each blob is read."""
    document = oci.parse(kept.body, kept.media_type)
    if isinstance(document, oci.Index):
        return [one.digest for one in document.manifests if not has(client, name, one.digest)]
    if isinstance(document, oci.Legacy):
        return [digest for digest in dict.fromkeys(document.layers) if not client.has_blob(name, digest)]
    wanted = dict.fromkeys(one.digest for one in document.blobs)
    return [digest for digest in wanted if not client.has_blob(name, digest)]


def has(client: oci.Client, name: str, digest: oci.Digest) -> bool:
    try:
        client.manifest(name, digest)
    except oci.NotFound:
        return False
    return True


def passing_index() -> bytes:
    """An empty index like no other, so that to delete it touches no other tag."""
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": oci.OCI_INDEX,
            "manifests": [],
            "annotations": {facts.UNTAG: str(uuid.uuid4())},
        }
    ).encode()


def passing_image(kept: Kept) -> bytes:
    """An image without layers like no other, for registries that take no empty index: it has the config of
    what the tag is on. Empty when that has none."""
    document = oci.parse(kept.body, kept.media_type)
    if not isinstance(document, oci.Manifest) or document.config is None:
        return b""
    config = document.config
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": oci.OCI_MANIFEST,
            "config": {"mediaType": config.media_type, "digest": config.digest, "size": config.size},
            "layers": [],
            "annotations": {facts.UNTAG: str(uuid.uuid4())},
        }
    ).encode()
