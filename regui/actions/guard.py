"""What of a repository may not be touched because a protected tag, or what runs somewhere, needs it: the tag,
the manifest it is on, all that this contains, and what speaks about any of these, such as signatures.

A tag in use may be moved on, as pushes do all the time: what ran stays locked by its digest. Only where
nobody knows that digest, the tag stays where it is. An administrator who says why goes over what is in use
(`asked` has it as "override"), and never over what is protected.

Asked from below: what leads from a digest up to tags is little, while what tags lead down to may be all of a
repository. Of the index alone, so only as good as the check of a plan is.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from django.utils import timezone

from regui import oci
from regui.actions import inuse, overriding, plans, protection
from regui.actions.inuse import Uses
from regui.actions.plans import Plan, Protected, Step, TagOn
from regui.actions.protection import Rule
from regui.index.batches import batches
from regui.index.models import Child, Manifest, Repository

# Kinds that are done whole or not at all; of others, what is protected stays and the rest is done.
WHOLE = frozenset({plans.DELETE_DIGEST, plans.DELETE_REPOSITORY, plans.COPY})


ON, NEEDED, ABOUT = "the manifest of", "needed by", "about"


# What is in use, for who goes over that.
NONE = Uses()
NOTHING: plans.Facts = {}


@dataclass(frozen=True)
class Lock:
    """Why a digest may not go: a tag that is protected or in use, or without one the digest that is in use,
    with the reason of that, and how the digest belongs to it."""

    tag: str
    because: str
    how: str = ON
    running: str = ""
    in_use: bool = False

    def __str__(self) -> str:
        return f"{self.how} {self.tag or plans.shortened(self.running)}, which is {self.because}"


@dataclass(frozen=True)
class Locks:
    """The reasons why tags and digests, of those that were asked about, may not be touched: `tags` by what
    protects them, `uses` by what runs."""

    tags: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, Lock] = field(default_factory=dict)
    uses: Uses = NONE

    def on(self, step: Step) -> Protected | None:
        """What is protected of that which the step would take away; a tag that isn't there is not."""
        if step.do == plans.DELETE_DIGEST:
            return self.on_digest(step.digest)
        if step.do == plans.COPY and oci.companion(step.tag):
            return None  # it adds to what speaks about something, and takes nothing from it
        takes = step.do == plans.UNTAG or step.before != ""
        if not step.tag or not takes:
            return None
        return self.on_tag(step.tag, step.before or step.digest, moves=step.do != plans.UNTAG)

    def on_digest(self, digest: str) -> Protected | None:
        lock = self.digests.get(digest)
        if lock is None:
            return None
        if lock.how == ON:
            return Protected(lock.tag, digest, lock.because, lock.in_use)
        return Protected("", digest, str(lock), lock.in_use)

    def on_tag(self, tag: str, digest: str, *, moves: bool = False) -> Protected | None:
        """Why the tag may not be taken away, or with `moves` be put on something else."""
        if tag in self.tags:
            return Protected(tag, digest, self.tags[tag])
        about = oci.companion(tag)
        if lock := self.digests.get(about.subject) if about else None:
            return Protected(tag, digest, str(replace(lock, how=ABOUT)), lock.in_use)
        if tag in (self.uses.afloat if moves else self.uses.tags):
            return Protected(tag, digest, self.uses.tags[tag], in_use=True)
        return None


def locks(
    repository: Repository,
    *,
    tags: Collection[str] = (),
    digests: Iterable[str] = (),
    rules: Iterable[Rule] | None = None,
    uses: Uses | None = None,
) -> Locks:
    """What of these tags and digests is protected or in use, and of the digests that these tags speak about;
    by the registry's rules and what runs now unless they are at hand. Where there is neither for the
    repository, that costs two queries."""
    every = protection.rules(repository.registry.name) if rules is None else rules
    mine = [rule for rule in every if rule.covers(repository.name)]
    if uses is None:
        uses = inuse.of_repository(repository.registry, repository.name, timezone.now())
    if not mine and not uses:
        return Locks()
    about = [found.subject for found in map(oci.companion, tags) if found]
    named = protection.locks(mine, repository.name, tags)
    return Locks(named, of_digests(repository, mine, {*digests, *about}, uses), uses)


def of_digests(
    repository: Repository, rules: Collection[Rule], digests: Iterable[str], uses: Uses = NONE
) -> dict[str, Lock]:
    """Those of the digests that a protected tag of the repository needs, or one that is in use, each with the
    nearest such tag; and those that what runs needs by its digest."""
    if repository.pk is None:
        used = [digest for digest in digests if digest in uses.digests]
        return {digest: Lock("", uses.digests[digest], running=digest, in_use=True) for digest in used}
    asked = keys(repository, digests)
    below: dict[int, list[tuple[int, str]]] = defaultdict(list)
    met, frontier = set(asked), set(asked)
    while frontier:
        further: set[int] = set()
        for some in batches(frontier):
            for pk, above, how in upwards(repository, some):
                below[above].append((pk, how))
                further.add(above)
        frontier = further - met
        met |= frontier
    found = direct(repository, rules, met, uses)
    reached = list(found)
    for pk in reached:
        for lower, how in below[pk]:
            if lower not in found:
                found[lower] = replace(found[pk], how=how)
                reached.append(lower)
    return {digest: found[pk] for pk, digest in asked.items() if pk in found}


def keys(repository: Repository, digests: Iterable[str]) -> dict[int, str]:
    """The digests by the keys of their rows; those that have none are not among them."""
    found: dict[int, str] = {}
    for some in batches(digests):
        rows = Manifest.objects.filter(registry=repository.registry, digest__in=some)
        found |= dict(rows.values_list("pk", "digest"))
    return found


def upwards(repository: Repository, manifests: list[int]) -> Iterator[tuple[int, int, str]]:
    """For each of the manifests what contains it, and what it speaks about: by its subject, or by a tag that
    clients make of what is meant."""
    for pk, parent in Child.objects.filter(manifest__in=manifests).values_list("manifest_id", "parent_id"):
        yield pk, parent, NEEDED
    speaking = Manifest.objects.filter(pk__in=manifests).exclude(subject="")
    about: list[tuple[int, str]] = list(speaking.values_list("pk", "subject"))
    folded = repository.tags.listed().filter(manifest__in=manifests, folded=True)
    for manifest, name in folded.values_list("manifest_id", "name"):
        companion = oci.companion(name)
        about += [(manifest, companion.subject)] if companion and manifest else []
    subjects = keys(repository, {digest for _, digest in about}) if about else {}
    key_of = {digest: pk for pk, digest in subjects.items()}
    for pk, digest in about:
        if digest in key_of:
            yield pk, key_of[digest], ABOUT


def direct(
    repository: Repository, rules: Collection[Rule], manifests: Iterable[int], uses: Uses = NONE
) -> dict[int, Lock]:
    """Those of the manifests that a protected tag is on, each with the first of these by name; else one that
    is in use; and those that are in use themselves. What is protected comes first: no one goes over that."""
    found: dict[int, Lock] = {}
    for some in batches(manifests):
        rows = repository.tags.listed().filter(manifest__in=some).order_by("name")
        on = list(rows.values_list("name", "manifest_id"))
        reasons = protection.locks(rules, repository.name, [name for name, _ in on])
        for name, pk in on:
            if name in reasons and pk:
                found.setdefault(pk, Lock(name, reasons[name]))
        for name, pk in on:
            if name in uses.tags and pk:
                found.setdefault(pk, Lock(name, uses.tags[name], in_use=True))
        if uses.digests:
            for pk, digest in Manifest.objects.filter(pk__in=some).values_list("pk", "digest"):
                if digest in uses.digests:
                    found.setdefault(pk, Lock("", uses.digests[digest], running=digest, in_use=True))
    # The nearest lock is looked for in this order.
    return dict(sorted(found.items(), key=lambda pair: pair[1].in_use))


def of_tags(
    repository: Repository, names: Collection[str], uses: Uses | None = None
) -> tuple[Protected, ...]:
    """Those of the repository's tags of these names that are protected or in use."""
    locked = locks(repository, tags=names, uses=uses)
    found: list[Protected | None] = []
    for some in batches(sorted(names)) if locked.tags or locked.digests or locked.uses else ():
        rows = repository.tags.listed().filter(name__in=some).order_by("name")
        found += [locked.on_tag(*pair) for pair in rows.values_list("name", "manifest__digest")]
    return tuple(filter(None, found))


def of_steps(
    repository: Repository,
    steps: Collection[Step],
    going: Iterable[TagOn] = (),
    uses: Uses | None = None,
) -> Locks:
    """What is protected or in use of that which these steps are about, and of the tags that go with them."""
    tags = {*(step.tag for step in steps if step.tag), *(tag.name for tag in going)}
    digests = [step.digest for step in steps if step.do == plans.DELETE_DIGEST]
    return locks(repository, tags=tags, digests=digests, uses=uses)


def guarded(repository: Repository, plan: Plan) -> Plan:
    """The plan without what is protected or in use, which it names instead; with nothing left to do when it
    can't be done otherwise. Every plan passes here last."""
    locked = of_steps(repository, plan.steps, plan.tags, uses_for(plan.asked))
    held = {step: found for step in plan.steps if (found := locked.on(step))}
    if not held:
        return plan
    # Of a digest each protected tag is named that would go with it.
    digests = {step.digest for step in held if step.do == plans.DELETE_DIGEST}
    along = [locked.on_tag(tag.name, tag.digest) for tag in plan.tags if tag.digest in digests]
    named = (*plan.protected, *held.values(), *filter(None, along))
    left = tuple(step for step in plan.steps if step not in held)
    if plan.kind in WHOLE or not left:
        return refused(plan, named)
    stay = {step.tag for step in held if step.tag}
    tags = tuple(tag for tag in plan.tags if tag.name not in stay)
    return replace(plan, steps=left, tags=tags, protected=named)


def refused(plan: Plan, protected: tuple[Protected, ...]) -> Plan:
    """A plan that touches nothing, and says why."""
    return Plan(
        kind=plan.kind,
        registry=plan.registry,
        repository=plan.repository,
        digest=plan.digest,
        asked=plan.asked,
        media_type=plan.media_type,
        what=plan.what,
        lost=plan.lost,
        check=plan.check,
        protected=tuple(sorted(set(protected), key=lambda one: (not one.tag, one.tag, one.digest))),
    )


def why(repository: Repository, step: Step, asked: plans.Facts = NOTHING) -> str:
    """The reason why a step of a plan for which this was asked may not be done, as things are now, in a
    sentence; empty when it may."""
    return str(of_steps(repository, [step], uses=uses_for(asked)).on(step) or "")


def uses_for(asked: plans.Facts) -> Uses | None:
    """What is in use, for a plan for which this was asked: nothing, where an administrator said why it has to
    go all the same; None is for what there is."""
    return NONE if overriding.of(asked) else None
