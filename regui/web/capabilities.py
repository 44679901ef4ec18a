"""What a registry can do as its page says it: in a word, what that means here, and how it was found out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from regui import oci
from regui.index.models import Registry
from regui.web import recipes
from regui.web.recipes import Recipe


@dataclass(frozen=True)
class Kind:
    """A thing to be able to do: its title, what each answer means, and for a "no" whether something is amiss
    (then it is marked) and the template that says what to set."""

    title: str
    yes: str
    no: str
    unknown: str = ""
    amiss: bool = True
    remedy: str = ""


KINDS: Mapping[str, Kind] = {
    "reachable": Kind(
        "Reachable",
        "regui reads it.",
        "Pages show what is remembered; nothing can be changed.",
        remedy="reachable",
    ),
    "auth": Kind(
        "Lets regui in",
        "This is how it asks who is there.",
        "Nothing can be read or changed.",
        remedy="auth",
    ),
    "family": Kind(
        "Product and version",
        "What these pages say of settings and commands is for it.",
        "",
        "Nothing it says tells, so these pages show what each version of distribution needs.",
    ),
    "writes": Kind(
        "Takes changes",
        "It isn't set to be read-only.",
        "It is read-only: nobody can push, delete, restore or set a tag.",
        "It doesn't say. What it refuses shows when it is tried.",
        remedy="writes",
    ),
    "deletes": Kind(
        "Deletes",
        "Manifests can be deleted.",
        "Nothing can be deleted, so the buttons for it are switched off here.",
        "Delete buttons are there; what the registry says to a delete shows when one is tried.",
        remedy="deletes",
    ),
    "untags": Kind(
        "Deletes a tag by its name",
        "A tag is taken away by its name; its image stays.",
        "regui takes a tag away by what it puts on it for a moment. The image and its other tags stay just "
        "the same.",
        amiss=False,
    ),
    "catalog": Kind(
        "Lists its repositories",
        "Repositories are found by themselves.",
        "Repositories are known that were named, opened, or told of by a notification.",
        remedy="catalog",
    ),
    "referrers": Kind(
        "Referrers API",
        "It answers what refers to an image, such as signatures.",
        "Clients keep a tag that lists what refers to an image, and regui reads that. No release of "
        "distribution has this API; zot, Harbor and Quay do.",
        "It takes an image to ask about.",
        amiss=False,
    ),
    "ranges": Kind(
        "Parts of a blob",
        "Whether content is still there takes one byte to find out.",
        "Whether content is still there takes opening all of it. A proxy in between may drop "
        "the Range header.",
        "It takes an image to ask about.",
        amiss=False,
    ),
    "events": Kind(
        "Notifications arrive",
        "Pushes show within a second, and pulls are counted.",
        "",
        "Changes by others show when the registry is read the next time, and pulls aren't counted.",
        remedy="events",
    ),
    "clock": Kind(
        "Clock agrees with regui's",
        "Dates of both can be compared.",
        "Tokens and certificates may be refused, and dates of notifications are off by that much.",
        remedy="clock",
    ),
}


@dataclass(frozen=True)
class Row:
    """One line of the table. `at` is when it was found out, None when it never was."""

    key: str
    kind: Kind
    state: str = "unknown"
    detail: str = ""
    evidence: str = ""
    at: datetime | None = None

    @property
    def means(self) -> str:
        if self.at is None and not self.evidence:
            return ""  # nobody has asked
        return {"yes": self.kind.yes, "no": self.kind.no}.get(self.state, self.kind.unknown)

    @property
    def label(self) -> str:
        return {"yes": "yes", "no": "no"}.get(self.state, "not known")

    @property
    def mark(self) -> str:
        """The class of the label's pill."""
        if self.state == "no":
            return "warn" if self.kind.amiss else "plain"
        return "ok" if self.state == "yes" else "plain"

    @property
    def remedy(self) -> str:
        """The template that says what to set; empty where there is nothing amiss, or nothing to set."""
        amiss = self.state == "no" or (self.key == "events" and self.state != "yes")
        return f"capabilities/remedies/{self.kind.remedy}.html" if amiss and self.kind.remedy else ""


# What is found out by asking about some image, so that how it was found out names that.
OF_SOME_IMAGE = frozenset({"writes", "deletes", "untags", "referrers", "ranges"})


@dataclass(frozen=True)
class Overview:
    """What the page shows of a registry, all of it remembered; `whole` is whether to somebody who sees all
    that is in it."""

    registry: Registry
    whole: bool = True
    deletes: Recipe = field(default=recipes.DELETES)
    writable: Recipe = field(default=recipes.read_only(on=False))

    @cached_property
    def rows(self) -> list[Row]:
        return [self.row(key, kind) for key, kind in KINDS.items()]

    def row(self, key: str, kind: Kind) -> Row:
        if key == "events":
            return self.events(kind)
        found = self.registry.capabilities.get(key)
        if not found:
            return Row(key, kind)
        at = datetime.fromisoformat(found["at"])
        if key in OF_SOME_IMAGE and not self.whole:
            return Row(key, kind, found["state"], evidence="Asked about an image in it", at=at)
        return Row(key, kind, found["state"], found["detail"], found["evidence"], at)

    def events(self, kind: Kind) -> Row:
        """Nobody can ask a registry for its notifications: they come, or they don't."""
        last = self.registry.events_at
        if last is None:
            return Row("events", kind, evidence="None has come in so far")
        if not self.whole:
            return Row(
                "events", kind, "yes", evidence="They have come in"
            )  # when says that something is done
        return Row("events", kind, "yes", "", "The last one came in", last)

    @property
    def amiss(self) -> list[Row]:
        """Those about which something can be done."""
        return [row for row in self.rows if row.remedy]

    @property
    def family(self) -> str:
        return recipes.family(self.registry)

    @property
    def configs(self) -> list[tuple[str, str]]:
        return list(recipes.configs(self.registry).items())

    @property
    def elsewhere(self) -> str:
        """Where its vendor has things deleted, for those that refuse it here."""
        return ELSEWHERE.get(self.family, "")


ELSEWHERE = {
    oci.families.GHCR: "GitHub lets nobody delete by the registry's API: versions of a package are deleted "
    "on its page there, or by GitHub's own API.",
    oci.families.HUB: "Docker Hub lets nobody delete by the registry's API: tags are deleted on its pages, "
    "or by its own API.",
}
