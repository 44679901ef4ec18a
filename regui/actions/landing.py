"""What a copy meets where it goes: what is there already, what tags are on, how many bytes have to move."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.db.models import Min

from regui import oci
from regui.actions import companions, plans, transfer
from regui.actions.companions import Found
from regui.actions.plans import Copied, Load, Step
from regui.actions.selection import Selection
from regui.index import connect
from regui.index.batches import batches
from regui.index.models import BlobUse, Registry, Repository

T = TypeVar("T")
R = TypeVar("R")

# The most blobs that are asked for one by one.
MOST = 500


@dataclass
class Landing:
    """A repository that something is to be copied into from `source`; `on` is what its tags are on. All calls
    end by the deadline; they raise `oci.Error` when the registry doesn't answer."""

    source: Repository
    repository: Repository
    deadline: float
    on: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.link = connect.link(self.repository.registry)
        self.client, self.name = self.link.client.until(self.deadline), self.repository.name

    def ask(self, work: Callable[[T], R], items: Iterable[T]) -> Iterator[tuple[T, R]]:
        """Each item with what the registry said about it."""
        for item, answer in self.link.map(work, list(items), self.deadline):
            if isinstance(answer, oci.Error):
                raise answer
            yield item, answer

    def digest(self, reference: str) -> str:
        """What a tag is on, or the digest itself; empty when it isn't there."""
        try:
            return self.client.head_manifest(self.name, reference).digest
        except oci.NotFound:
            return ""

    def held(self, digests: Iterable[str]) -> set[str]:
        """Those of the manifests that are there."""
        return {digest for digest, there in self.ask(self.digest, dict.fromkeys(digests)) if there}

    def welcome(self, found: Sequence[Found]) -> tuple[tuple[Found, ...], list[str]]:
        """What can be copied without taking the place of something else, and of the others why not: a
        signature that somebody made here isn't lost to one from elsewhere."""
        self.on |= dict(self.ask(self.digest, (one.tag for one in found if one.tag)))
        taken = [one for one in found if one.tag and self.on[one.tag] not in {"", one.content.digest}]
        lost = [
            f"{self.name}:{one.tag} is on {plans.shortened(self.on[one.tag])} here, and stays there."
            for one in taken
        ]
        return tuple(one for one in found if one not in taken), lost

    def lists(self, selection: Selection) -> tuple[Found, ...]:
        """The lists of referrers that have to be kept here for what is copied; none where the registry does
        that itself."""
        subjects = companions.subjects(selection.contents)
        if not subjects:
            return ()
        if self.client.referrers(self.name, next(iter(subjects))).source == "api":
            return ()
        coming = {content.digest for content in selection.contents}
        lists = []
        for subject, ours in subjects.items():
            tag = oci.referrers_tag(subject)
            there = self.manifest(tag)
            self.on[tag] = there.digest if there else ""
            alive = coming | self.held(companions.listed(there) - coming)
            made = companions.merged(there, alive, ours, selection.lists.get(subject))
            if made is not None:
                lists.append(Found(made, plans.LIST, tag))
        return tuple(lists)

    def manifest(self, reference: str) -> oci.Content | None:
        try:
            return self.client.manifest(self.name, reference)
        except oci.NotFound:
            return None

    def load(self, contents: Sequence[oci.Content]) -> Load:
        """The bytes that these manifests need here, as far as that can be asked for in time."""
        blobs = {one.digest: one for content in contents for one in transfer.movable(content.document)}
        total = sum(blob.size for blob in blobs.values())
        there = self.held(content.digest for content in contents)
        new = {
            one.digest: one
            for content in contents
            if content.digest not in there
            for one in transfer.movable(content.document)
        }
        asked = list(new)[:MOST]
        exact = len(asked) == len(new)
        for digest, answer in self.link.map(
            lambda one: self.client.has_blob(self.name, one), asked, self.deadline
        ):
            exact = exact and isinstance(answer, bool)
            if answer is True:
                del new[digest]
        mounts = mountable(self.source, self.repository.registry, new)
        sent = sum(blob.size for blob in new.values() if blob.digest not in mounts)
        mounted = sum(blob.size for blob in new.values() if blob.digest in mounts)
        return Load(sent, mounted, total - sent - mounted, exact)

    def steps(self, selection: Selection, lists: Sequence[Found], tag: str) -> list[Step]:
        """All steps, each after those it needs, and the tag last: whoever pulls it finds the rest there."""
        origin = f"{self.source.registry.name}/{self.source.name}"

        def step(content: oci.Content, tag: str = "", source: str = origin) -> Step:
            before = self.on[tag] if tag else None
            return Step(plans.COPY, self.name, content.digest, tag, before, source)

        found = [step(one.content, one.tag) for one in selection.found]
        # A list can name only what is there.
        main = [step(selection.main)] if selection.main.digest in names(lists) else []
        every = [
            *map(step, selection.below),
            *found,
            *main,
            *(step(one.content, one.tag, "") for one in lists),
            step(selection.main, tag),
        ]
        return list({(one.digest, one.tag): one for one in every}.values())


def names(lists: Iterable[Found]) -> set[str]:
    """The digests that lists of referrers name."""
    return {digest for one in lists for digest in companions.listed(one.content)}


def mountable(source: Repository, registry: Registry, digests: Iterable[str]) -> dict[str, str]:
    """For each of these blobs that one is known for, a repository of the registry that it can be mounted
    from: the source itself, when it is in the same registry."""
    if source.registry.pk == registry.pk:
        return dict.fromkeys(digests, source.name)
    found: dict[str, str] = {}
    for some in batches(list(digests)):
        uses = BlobUse.objects.filter(
            blob__registry=registry,
            blob__digest__in=some,
            manifest__revisions__gone_at=None,
            manifest__revisions__repository__gone_at=None,
        ).order_by()
        rows = uses.values("blob__digest").annotate(name=Min("manifest__revisions__repository__name"))
        found |= {row["blob__digest"]: row["name"] for row in rows if row["name"]}
    return found


def copied(selection: Selection, lists: Sequence[Found], tag: str) -> tuple[Copied, ...]:
    """All that is copied, for people: the main manifest first."""
    main = selection.main
    platforms = {
        one.digest: str(one.platform)
        for content in (main, *selection.below)
        if isinstance(content.document, oci.Index)
        for one in content.document.manifests
        if one.platform is not None and not one.platform.unknown
    }
    rows = [of(main, "", tag)]
    rows += [of(one, "", platform=platforms.get(one.digest, "")) for one in selection.below]
    rows += [of(one.content, one.role, one.tag) for one in (*selection.found, *lists)]
    return tuple(rows)


def of(content: oci.Content, role: str, tag: str = "", platform: str = "") -> Copied:
    size = sum(blob.size for blob in transfer.movable(content.document))
    if not role:
        role = "index" if oci.is_index(content.media_type) else "image" if platform or tag else "attestation"
    return Copied(content.digest, role, tag, platform, size)
