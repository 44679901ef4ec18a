"""What is to be copied where, as a page asks for it and is told it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.http import QueryDict
from django.urls import reverse

from regui import oci
from regui.actions.plans import Agreed, Facts, Plan


@dataclass(frozen=True)
class Source:
    """What is copied: a tag or a digest of a repository."""

    registry: str
    name: str
    reference: str

    @classmethod
    def of(cls, asked: Facts) -> Self:
        registry, _, name = str(asked["source"]).partition("/")
        return cls(registry, name, str(asked["reference"]))

    @property
    def is_digest(self) -> bool:
        return oci.is_digest(self.reference)

    @property
    def address(self) -> str:
        """Its page."""
        return reverse("manifest" if self.is_digest else "tag", args=self.place)

    @property
    def copying(self) -> str:
        """The page that asks where to copy it."""
        return reverse("manifest-copy" if self.is_digest else "tag-copy", args=self.place)

    @property
    def place(self) -> Sequence[str]:
        return self.registry, self.name, self.reference


@dataclass(frozen=True)
class Form:
    """Where to, and what of it, as far as that was said; `some` says that there were platforms to tick."""

    registry: str
    name: str
    tag: str
    platforms: tuple[str, ...] = ()
    referrers: bool = True
    some: bool = False
    sent: bool = False

    @classmethod
    def of(cls, sent: QueryDict, source: Source) -> Self:
        """What was sent; where that is nothing, the same names in the same registry."""
        if "to" not in sent:
            return cls(source.registry, source.name, "" if source.is_digest else source.reference)
        return cls(
            registry=sent.get("registry", source.registry),
            name=sent.get("to", "").strip(),
            tag=sent.get("tag", "").strip(),
            platforms=tuple(sent.getlist("platform")),
            referrers="referrers" in sent,
            some="some" in sent,
            sent=True,
        )

    def wrong(self) -> dict[str, str]:
        """What is wrong with it, by field."""
        faults: dict[str, str] = {}
        for name, check, value in (
            ("to", oci.check_repository, self.name),
            ("tag", oci.check_tag, self.tag),
        ):
            try:
                check(value)
            except oci.InvalidName as error:
                faults[name] = str(error) if value else "This is missing."
        if self.some and not self.platforms:
            faults["platform"] = "Choose at least one."
        return faults


def fields(plan: Plan | Agreed) -> list[tuple[str, str]]:
    """What asks for the same copy again."""
    asked: Mapping[str, Any] = plan.asked
    found = [("registry", plan.registry), ("to", plan.repository), ("tag", plan.named[0])]
    found += [("platform", one) for one in asked["platforms"]]
    return [*found, ("referrers", "1")] if asked["referrers"] else found
