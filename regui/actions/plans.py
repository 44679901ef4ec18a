"""What a change to a registry would touch, as plain values: nothing here reads a database or a network.

A `Plan` is what the confirm page shows, what a person agrees to and what `run` carries out. Its fingerprint
says whether two plans touch the same things: the page's and the one made again just before the first request.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from regui import oci

# What a step does: the requests it comes to are `steps.py`'s. What goes along is no step of its own.
UNTAG, DELETE_DIGEST, PUT, COPY = "untag", "delete-digest", "put", "copy"
GOES_ALONG = "goes-along"
# Kinds of plans besides those named like their only step.
DELETE_TAGS, DELETE_REPOSITORY, DELETE_UNTAGGED = "delete-tags", "delete-repository", "delete-untagged"
RETAG, RESTORE, UNDO, PUT_BACK, RETAIN = "retag", "restore", "undo", "put-back", "retain"
# Kinds that delete only what nothing that stays leads to.
LEAVES = frozenset({DELETE_TAGS, DELETE_UNTAGGED, RETAIN})
# What is copied besides images and indexes: the list of referrers under a fallback tag.
LIST = "referrers"

DIFFERENT = "What this would touch is no longer what you were shown."

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One change in the registry. `before` is the digest that the tag (or without one, the place) must be on
    when its turn comes: empty when there must be none, None when it doesn't matter. `source` is where to copy
    from, as registry/repository."""

    do: str
    repository: str
    digest: str
    tag: str = ""
    before: str | None = None
    source: str = ""


@dataclass(frozen=True)
class TagOn:
    """A tag that goes, and the digest it must still have. `role` is set for tags clients keep for themselves:
    signature, attestation, sbom or referrers."""

    name: str
    digest: str
    role: str = ""
    seen_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Parent:
    """An index that contains the digest, itself or through another index, and the tags that name it.

    `nested` is when it does so only through another index. `role` is "referrers" for the index under a
    fallback tag, which merely lists what refers to something.
    """

    digest: str
    tags: tuple[str, ...] = ()
    platform: str = ""
    nested: bool = False
    role: str = ""


@dataclass(frozen=True)
class Referrer:
    """Something that speaks about the digest and would be left speaking about nothing."""

    digest: str
    role: str
    tag: str = ""
    artifact_type: str = ""
    size: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Child:
    """An image that only this index leads to: it stays in the registry, where nothing can list it."""

    digest: str
    platform: str = ""
    size: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Protected:
    """What was asked for and stays untouched, with the reason, such as "protected by v*": a tag, or a digest
    that no protected tag is on but one needs. Then `tag` is empty. `in_use` says that it is so because it is
    running somewhere, which an administrator may go over."""

    tag: str
    digest: str
    reason: str
    in_use: bool = False

    def __str__(self) -> str:
        return f"{self.tag or shortened(self.digest)} is {self.reason}."


@dataclass(frozen=True)
class Bytes:
    """What the next garbage collection can free, in bytes, and what stays because something else needs it.

    Both are None when they aren't known, and `frees` is only an upper bound while `unread` repositories of
    the registry might share layers. `shared_with` names some that need what stays, `more` counts the others,
    and `not_shown` the repositories among these that whoever is told this may not see.
    """

    frees: int | None = None
    stays: int | None = None
    shared_with: tuple[str, ...] = ()
    more: int = 0
    unread: int = 0
    not_shown: int = 0


@dataclass(frozen=True)
class Copied:
    """A manifest that is copied. `role` is "index", "image", or what it is for when it speaks about another:
    signature, sbom, attestation, referrer, or `LIST`. `size` is the bytes of its blobs."""

    digest: str
    role: str
    tag: str = ""
    platform: str = ""
    size: int = 0


@dataclass(frozen=True)
class Load:
    """The bytes of blobs that a copy needs at the target: those to be sent, to be mounted there from another
    repository, and there already. `exact` says that all of them could be asked for."""

    sent: int = 0
    mounted: int = 0
    there: int = 0
    exact: bool = True

    @property
    def total(self) -> int:
        return self.sent + self.mounted + self.there


@dataclass(frozen=True)
class Check:
    """How much of what the plan says the registry confirmed, and when. `problem` says why not all of it, and
    `code` is the slug of the error behind that, where it was one."""

    checked: int = 0
    total: int = 0
    as_of: datetime | None = None
    complete: bool = False
    problem: str = ""
    hint: str = ""
    code: str = ""

    def __str__(self) -> str:
        moment = f" at {self.as_of:%H:%M:%S} UTC" if self.as_of else ""
        return f"checked {self.checked} of {self.total}{moment}"


@dataclass(frozen=True)
class Plan:
    """A change, and everything it touches in one repository of one registry.

    `asked` is what makes the same plan again, with the kind and the repository. `digest` is what it is about,
    empty when that is many. `tags` leave or move, `stay` are those that share a digest with them and keep it.
    `lost` says what was asked for and can't be done, and why; `protected` what may not be. Of a copy,
    `copied` is what goes to the target, `load` the bytes that takes, and `contents` the manifests themselves.
    """

    kind: str
    registry: str
    repository: str
    digest: str = ""
    asked: Facts = field(default_factory=dict)
    media_type: str = ""
    what: str = "manifest"
    steps: tuple[Step, ...] = ()
    tags: tuple[TagOn, ...] = ()
    stay: tuple[TagOn, ...] = ()
    parents: tuple[Parent, ...] = ()
    referrers: tuple[Referrer, ...] = ()
    left_behind: tuple[Child, ...] = ()
    lost: tuple[str, ...] = ()
    protected: tuple[Protected, ...] = ()
    copied: tuple[Copied, ...] = field(default=(), compare=False)
    load: Load = field(default=Load(), compare=False)
    contents: tuple[oci.Content, ...] = field(default=(), compare=False, repr=False)
    bytes: Bytes = field(default=Bytes(), compare=False)
    check: Check = field(default=Check(), compare=False)

    @property
    def facts(self) -> dict[str, Any]:
        """What is touched, as JSON. Neither times nor bytes: those move with whatever else regui reads, and
        a person's consent to lose a tag doesn't hang on them."""
        return {
            "kind": self.kind,
            "registry": self.registry,
            "repository": self.repository,
            "digest": self.digest,
            "asked": dict(self.asked),
            "steps": [asdict(step) for step in self.steps],
            "tags": _tags_of(self.tags),
            "lost": list(self.lost),
            "protected": sorted((asdict(one) for one in self.protected), key=_digest),
            "parents": sorted(
                ({"digest": one.digest, "tags": sorted(one.tags)} for one in self.parents), key=_digest
            ),
            "referrers": sorted(
                ({"digest": one.digest, "role": one.role, "tag": one.tag} for one in self.referrers),
                key=_digest,
            ),
            "left_behind": sorted(child.digest for child in self.left_behind),
        }

    @property
    def named(self) -> tuple[str, ...]:
        """The tags that were asked for by name; what else goes or stays shares their digests."""
        return tuple(self.asked.get("tags", ()))

    @property
    def fingerprint(self) -> str:
        """64 hex characters: equal for plans that touch the same."""
        return fingerprint(self.facts)

    @property
    def agreed(self) -> "Agreed":
        """This plan as something that was agreed to as it is."""
        return Agreed(
            self.kind,
            self.registry,
            self.repository,
            self.fingerprint,
            self.digest,
            self.asked,
            self.facts,
            understood=True,
        )

    @property
    def refused(self) -> bool:
        """Whether nothing of it may be done, because of what is protected."""
        return bool(self.protected) and not self.steps

    @property
    def override(self) -> str:
        """Why what is in use has to go all the same, as an administrator says; empty when nobody does."""
        return str(self.asked.get("override", ""))

    @property
    def breaks(self) -> tuple[Parent, ...]:
        """The tagged indexes that would be left with a hole: they still answer, but can't be pulled whole."""
        return tuple(parent for parent in self.parents if parent.tags and not parent.role)

    @property
    def short(self) -> str:
        """The digest, shortened for a person."""
        return shortened(self.digest)

    @property
    def is_index(self) -> bool:
        """Whether it lists other manifests, which stay when it goes."""
        return oci.is_index(self.media_type)

    def as_json(self) -> dict[str, Any]:
        """The whole plan for people and programs: the facts, the bytes and the check."""
        return self.facts | {
            "media_type": self.media_type,
            "siblings": sorted({tag.name for tag in (*self.tags, *self.stay)} - set(self.named)),
            "stay": _tags_of(self.stay),
            "parents": [asdict(parent) for parent in self.parents],
            "referrers": [asdict(referrer) for referrer in self.referrers],
            "left_behind": [asdict(child) for child in self.left_behind],
            "copied": [asdict(one) for one in self.copied],
            "load": asdict(self.load),
            "frees": self.bytes.frees,
            "shared": self.bytes.stays,
            "shared_with": list(self.bytes.shared_with),
            "not_shown": self.bytes.not_shown,
            "check": {
                "checked": self.check.checked,
                "total": self.check.total,
                "as_of": self.check.as_of.isoformat() if self.check.as_of else None,
                "complete": self.check.complete,
                "problem": self.check.problem,
                "hint": self.check.hint,
            },
            "fingerprint": self.fingerprint,
        }


@dataclass(frozen=True)
class Agreed:
    """What somebody agreed to: enough to make the plan again and to tell whether it is still the same.
    `facts` are those of the plan they saw, where they are at hand, to name what differs; `understood` says
    that they know of indexes that break."""

    kind: str
    registry: str
    repository: str
    fingerprint: str
    digest: str = ""
    asked: Facts = field(default_factory=dict)
    facts: Facts | None = None
    understood: bool = False

    @property
    def named(self) -> tuple[str, ...]:
        """As `Plan.named`."""
        return tuple(self.asked.get("tags", ()))


def canonical(value: object) -> bytes:
    """The one JSON text of a value: keys in order, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


# What a step, and what speaks about something, are told apart by.
STEP, REFERRER = tuple(asdict(Step("", "", ""))), ("digest", "role", "tag")
TEXTS = ("kind", "registry", "repository", "digest")


def facts_of(whole: Mapping[str, Any]) -> dict[str, Any] | None:
    """`Plan.facts` of a plan that comes back as it was told, with whatever was told besides; None when that
    isn't all there, or can't be read."""
    try:
        steps = [one for one in whole["steps"] if one["do"] != GOES_ALONG]
        parents = [{"digest": one["digest"], "tags": sorted(one["tags"])} for one in whole["parents"]]
        facts = {name: whole[name] for name in Plan("", "", "").facts} | {
            "steps": [{name: one[name] for name in STEP} for one in steps],
            "parents": sorted(parents, key=_digest),
            "referrers": sorted(
                ({name: one[name] for name in REFERRER} for one in whole["referrers"]), key=_digest
            ),
            "left_behind": sorted(one["digest"] for one in whole["left_behind"]),
        }
        canonical(facts)
        changes(facts, facts)  # read as they are when they are held against others
    except (KeyError, TypeError, AttributeError, ValueError):
        return None
    return facts if all(isinstance(facts[name], str) for name in TEXTS) else None


def fingerprint(facts: Facts) -> str:
    """64 hex characters that two facts share only when they are the same."""
    return hashlib.sha256(canonical(facts)).hexdigest()


def changes(before: Facts, after: Facts, now_on: Mapping[str, str] | None = None) -> list[str]:
    """One sentence for each thing that is in one and not in the other; empty when they touch the same.

    `now_on` gives, for tags that are no longer on the digest, the digest they are on now.
    """
    now_on = now_on or {}
    said: list[str] = []
    if before["kind"] == COPY and before["digest"] != after["digest"]:
        reference = before["asked"]["reference"]
        said.append(f"{reference} is on {shortened(after['digest'])} by now.")
    had, has = _tags(before), _tags(after)
    was, stays = _protected(before), _protected(after)
    said += [f"{what} stays: {stays[what]}." for what in sorted(stays.keys() - was)]
    said += [f"{what} is no longer protected." for what in sorted(was.keys() - stays)]
    for name in sorted(had.keys() - has.keys() - {one["tag"] for one in after.get("protected", ())}):
        where = f"moved to {shortened(now_on[name])}" if name in now_on else "is gone"
        if before["kind"] == RETAIN and now_on.get(name) == had[name]:
            where = "would be kept by now"
        said.append(f"The tag {name} {where}.")
    said += [
        f"The tag {name} now points at this digest too: it would go as well."
        for name in sorted(has.keys() - had.keys())
    ]
    said += _parent_changes(_parents(before), _parents(after))
    speaks, now = _referrers(before), _referrers(after)
    said += [f"{_named(one)} no longer refers to this digest." for one in sorted(speaks - now)]
    said += [f"{_named(one)} now refers to this digest." for one in sorted(now - speaks)]
    left, leaves = set(before["left_behind"]), set(after["left_behind"])
    said += [f"{shortened(one)} would not be left without a tag any more." for one in sorted(left - leaves)]
    said += [f"{shortened(one)} would now be left without a tag." for one in sorted(leaves - left)]
    if not said and fingerprint(before) != fingerprint(after):
        said.append(DIFFERENT)
    return said


def shortened(digest: str) -> str:
    """Enough of a digest for a person to tell it from the others: "sha256:2c8f62a5d1b0"."""
    algorithm, _, encoded = digest.partition(":")
    return f"{algorithm}:{encoded[:12]}"


def _parent_changes(had: dict[str, frozenset[str]], has: dict[str, frozenset[str]]) -> list[str]:
    lost, won = sorted(had.keys() - has), sorted(has.keys() - had)
    said = [f"The index {_index(one, had[one])} no longer contains this digest." for one in lost]
    said += [f"The index {_index(one, has[one])} now contains this digest." for one in won]
    said += [
        f"The index {shortened(one)} is now tagged {', '.join(sorted(has[one])) or 'by nothing'}."
        for one in sorted(had.keys() & has)
        if had[one] != has[one]
    ]
    return said


def _index(digest: str, tags: frozenset[str]) -> str:
    return f"{shortened(digest)} ({', '.join(sorted(tags))})" if tags else shortened(digest)


def _named(referrer: tuple[str, str, str]) -> str:
    digest, role, tag = referrer
    return f"The {role} {tag or shortened(digest)}"


def _tags(facts: Facts) -> dict[str, str]:
    return {tag["name"]: tag["digest"] for tag in facts["tags"]}


def _protected(facts: Facts) -> dict[str, str]:
    return {
        f"The tag {one['tag']}" if one["tag"] else shortened(one["digest"]): one["reason"]
        for one in facts.get("protected", ())
    }


def _parents(facts: Facts) -> dict[str, frozenset[str]]:
    return {parent["digest"]: frozenset(parent["tags"]) for parent in facts["parents"]}


def _referrers(facts: Facts) -> set[tuple[str, str, str]]:
    return {(one["digest"], one["role"], one["tag"]) for one in facts["referrers"]}


def _tags_of(tags: Iterable[TagOn]) -> list[dict[str, str]]:
    return sorted(({"name": tag.name, "digest": tag.digest} for tag in tags), key=_name)


def _name(fact: Facts) -> str:
    return str(fact["name"])


def _digest(fact: Facts) -> tuple[str, str]:
    return str(fact["digest"]), str(fact.get("tag", ""))
