"""A plan as its page shows it: everything it touches, the first of many in rows and the others by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from regui.actions import overriding, plans
from regui.actions.plans import Agreed, Copied, Plan, Protected, Step, TagOn
from regui.web import copies

T = TypeVar("T")

# How many things of a kind get a row with all there is to say of them.
ROWS = 100
DELETES = frozenset(
    {
        *(plans.UNTAG, plans.DELETE_DIGEST, plans.DELETE_TAGS),
        *(plans.DELETE_REPOSITORY, plans.DELETE_UNTAGGED, plans.RETAIN),
    }
)


@dataclass(frozen=True)
class Some(Generic[T]):
    """Things of one kind, `rows` of them to be shown in full."""

    every: Sequence[T]

    @property
    def rows(self) -> Sequence[T]:
        return self.every[:ROWS]

    @property
    def more(self) -> Sequence[T]:
        return self.every[ROWS:]


@dataclass(frozen=True)
class Question:
    """What asks for the same again: the hidden `fields` of a form, or an `address`."""

    of: Plan | Agreed
    path: str

    @property
    def packed(self) -> bool:
        """Whether it may be too long for an address."""
        return self.of.kind == plans.DELETE_TAGS

    @property
    def fields(self) -> list[tuple[str, str]]:
        over = [("override", reason)] if (reason := overriding.of(self.of.asked)) else []
        if self.packed:
            return [("tags", " ".join(self.of.named)), *over]
        if self.of.kind == plans.RETAG:
            return [("to", self.of.named[0])]
        if self.of.kind == plans.RESTORE:
            return [("tag", tag) for tag in self.of.named]
        if self.of.kind == plans.COPY:
            return copies.fields(self.of)
        return [*([("along", "1")] if self.of.asked.get("along") else []), *over]

    @property
    def address(self) -> str:
        return self.address_with()

    @property
    def downloads(self) -> list[tuple[str, str]]:
        """The kinds of files that the plan comes as, with their addresses."""
        return [(kind, self.address_with(("as", kind))) for kind in ("json", "csv")]

    def address_with(self, *more: tuple[str, str]) -> str:
        asked = [*self.fields, *more]
        return f"{self.path}?{urlencode(asked)}" if asked else self.path


@dataclass(frozen=True)
class Shown(Question):
    """A plan for its page."""

    of: Plan

    @property
    def possible(self) -> bool:
        return self.of.check.complete and bool(self.of.steps)

    @property
    def is_copy(self) -> bool:
        return self.of.kind == plans.COPY

    @property
    def source(self) -> copies.Source | None:
        """Where a copy comes from."""
        return copies.Source.of(self.of.asked) if self.is_copy else None

    @property
    def copied(self) -> Some[Copied]:
        """The manifests that are copied."""
        return Some(self.of.copied)

    @property
    def typed(self) -> bool:
        """Whether its name must be typed."""
        return self.of.kind == plans.DELETE_REPOSITORY

    @property
    def deletes(self) -> bool:
        return self.of.kind in DELETES

    @property
    def tags(self) -> Some[TagOn]:
        """The tags that go; one that moves is told where it is set."""
        if self.of.kind in {plans.RETAG, plans.COPY}:
            return Some(())
        putting = {step.tag for step in self.of.steps if step.do == plans.PUT}
        return Some([tag for tag in self.of.tags if tag.name not in putting])

    @property
    def manifests(self) -> Some[Step]:
        """The manifests that go."""
        return Some([step for step in self.of.steps if step.do == plans.DELETE_DIGEST])

    @property
    def coming(self) -> Some[Step]:
        """The tags that are set, and manifests that are put back."""
        return Some([step for step in self.of.steps if step.do == plans.PUT])

    @property
    def staying(self) -> Some[TagOn]:
        return Some(self.of.stay)

    @property
    def lost(self) -> Some[str]:
        return Some(self.of.lost)

    @property
    def protected(self) -> Some[Protected]:
        return Some(self.of.protected)

    @property
    def running(self) -> str:
        """Of what stays, what does so because it runs somewhere: all, some, or empty for none."""
        used = [one.in_use for one in self.of.protected]
        return "all" if used and all(used) else "some" if any(used) else ""

    @property
    def may_go_over(self) -> bool:
        """Whether somebody who administers the registry can have what is in use go all the same."""
        return bool(self.running) and self.of.kind in overriding.KINDS

    @property
    def override(self) -> str:
        """Why what is in use goes all the same; empty when it doesn't."""
        return overriding.of(self.of.asked)

    @property
    def offers_more(self) -> bool:
        """Whether what would be left alone can be taken along."""
        alone = self.of.referrers or self.of.left_behind
        return self.of.kind == plans.DELETE_DIGEST and bool(alone) and not self.of.asked.get("along")

    @property
    def takes_more(self) -> bool:
        return bool(self.of.asked.get("along"))
