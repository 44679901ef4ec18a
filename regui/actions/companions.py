"""What speaks about the manifests that are copied, so that it comes along: signatures, SBOMs, attestations.

A registry that has no referrers API leaves it to its clients to keep, under a tag made of the subject's
digest, a list of what refers to it (distribution specification, "Referrers Tag Schema"); so where one copies
to such a registry, that list has to be kept there.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from regui import oci
from regui.actions import kept, touched
from regui.index.models import Repository

# What speaks about what speaks about it, and so on: a signature of an SBOM is one level more.
LEVELS = 4


@dataclass(frozen=True)
class Found:
    """A manifest that is to be copied, what for, and the tag it has besides its digest."""

    content: oci.Content
    role: str
    tag: str = ""


@dataclass
class Search:
    """Looks for what speaks about manifests in the repository that is copied from. `by_tag` says that clients
    keep its lists, under the tags that are known."""

    client: oci.Client
    repository: Repository
    tags: frozenset[str]
    by_tag: bool = False
    lists: dict[str, oci.Content] = field(default_factory=dict)

    @classmethod
    def of(cls, client: oci.Client, repository: Repository) -> "Search":
        """A search that knows the repository's tags: some are about digests."""
        try:
            tags = frozenset(client.tags(repository.name))
        except oci.NotFound:
            tags = frozenset()
        return cls(client, repository, tags)

    def everything(self, digests: Iterable[str]) -> list[Found]:
        """What speaks about these, and about that in turn; whatever else needs before what needs it."""
        found: dict[tuple[str, str], Found] = {}
        subjects = list(digests)
        seen = set(subjects)
        for _ in range(LEVELS):
            more = [one for subject in subjects for one in self.about(oci.Digest(subject))]
            found |= {(one.content.digest, one.tag): one for one in more}
            subjects = [one.content.digest for one in more if one.content.digest not in seen]
            seen.update(subjects)
        return list(found.values())

    def about(self, digest: oci.Digest) -> Iterator[Found]:
        """Yield what speaks about one digest, in full: by the registry's or the clients' own list, and by
        cosign's tags."""
        for one in self.listed(digest):
            yield from self.whole(one.digest, role_of(one))
        prefix = f"{oci.referrers_tag(digest)}."
        for tag in sorted(name for name in self.tags if name.startswith(prefix)):
            about = oci.companion(tag)
            if about is None:
                continue
            content = self.client.manifest(self.repository.name, tag)
            assert content is not None
            yield from self.whole(content.digest, about.role, tag)

    def listed(self, digest: oci.Digest) -> Sequence[oci.Descriptor]:
        """What the registry says refers to the digest; without a list of its own, what clients say."""
        if self.by_tag and oci.referrers_tag(digest) not in self.tags:
            return ()
        answer = self.client.referrers(self.repository.name, digest)
        self.by_tag = answer.source == "tag"
        if self.by_tag and answer.descriptors:
            content = self.client.manifest(self.repository.name, oci.referrers_tag(digest))
            assert content is not None
            self.lists[digest] = content
        return answer.descriptors

    def whole(self, digest: oci.Digest, role: str, tag: str = "") -> Iterator[Found]:
        """Yield a manifest after all that it contains. What is listed and no longer there is left out:
        clients leave in a list what they have deleted."""
        try:
            contents = kept.contents(self.client, self.repository, digest)
        except oci.NotFound:
            return
        for content in contents:
            yield Found(content, role, tag if content.digest == digest else "")


def role_of(descriptor: oci.Descriptor) -> str:
    """signature, sbom or attestation by its type; "referrer" when that says nothing."""
    words = f"{descriptor.artifact_type} {descriptor.media_type}".lower()
    return next(
        (role for role, hints in touched.TYPES.items() if any(hint in words for hint in hints)), "referrer"
    )


# The lists at the target


def subjects(contents: Iterable[oci.Content]) -> dict[oci.Digest, list[oci.Content]]:
    """The manifests that name a subject, by its digest."""
    found: dict[oci.Digest, list[oci.Content]] = {}
    for content in contents:
        document = content.document
        if not isinstance(document, oci.Legacy) and document.subject is not None:
            found.setdefault(document.subject.digest, []).append(content)
    return found


def merged(
    there: oci.Content | None, alive: Iterable[str], ours: Sequence[oci.Content], theirs: oci.Content | None
) -> oci.Content | None:
    """The list that a subject's tag is to be on so that it names these manifests too; None when it does
    already. `there` is what it is on now, of which only what is `alive` stays: an index of what isn't there
    can't be put. `theirs` is the list at the source, which is taken as it is when it comes to the same."""
    entries = entries_of(there)
    new = [content for content in ours if content.digest not in {one.digest for one in entries}]
    if not new:
        return None
    if not entries and theirs is not None and names_same(theirs, ours):
        return theirs
    living = set(alive)
    before: list[Any] = json.loads(there.body)["manifests"] if there and entries else []
    stay = [entry for entry, one in zip(before, entries, strict=True) if one.digest in living]
    fields = {"schemaVersion": 2, "mediaType": oci.OCI_INDEX}
    body = json.dumps(
        fields | {"manifests": [*stay, *map(entry_of, new)]}, separators=(",", ":"), ensure_ascii=False
    ).encode()
    return oci.Content(body, oci.OCI_INDEX, oci.Digest.of(body))


def names_same(content: oci.Content, ours: Iterable[oci.Content]) -> bool:
    return listed(content) == {one.digest for one in ours}


def listed(content: oci.Content | None) -> set[str]:
    """The digests that a list names."""
    return {one.digest for one in entries_of(content)}


def entries_of(content: oci.Content | None) -> Sequence[oci.Descriptor]:
    """What a list names; nothing without one, or when it is something else."""
    if content is None or not isinstance(content.document, oci.Index):
        return ()
    return content.document.manifests


def entry_of(content: oci.Content) -> Mapping[str, Any]:
    """How a list of referrers names one (distribution specification, "Pushing Manifests with Subject")."""
    document = content.document
    assert not isinstance(document, oci.Legacy)
    config = document.config if isinstance(document, oci.Manifest) else None
    artifact_type = document.artifact_type or (config.media_type if config else "")
    entry: dict[str, Any] = {
        "mediaType": content.media_type,
        "digest": content.digest,
        "size": len(content.body),
    }
    if artifact_type:
        entry["artifactType"] = artifact_type
    return entry | ({"annotations": dict(document.annotations)} if document.annotations else {})
