"""What goes into and comes out of changes: plans, and the actions that carry them out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from ninja import Field, Schema
from pydantic import AfterValidator, BaseModel, ConfigDict

from regui.actions import kinds, plans
from regui.actions.models import Action, Item
from regui.index.models import Repository


def known(kind: str) -> str:
    """The kind itself; ValueError for none that there is."""
    if kind not in kinds.ASKED:
        raise ValueError(f"it is one of {', '.join(kinds.ASKED)}")
    return kind


Kind = Annotated[str, AfterValidator(known), Field(json_schema_extra={"enum": list(kinds.ASKED)})]


def ever(kind: str) -> str:
    """The kind itself, also of changes that only regui comes upon; ValueError for none that there is."""
    if kind not in kinds.LOOK:
        raise ValueError(f"it is one of {', '.join(kinds.LOOK)}")
    return kind


AnyKind = Annotated[str, AfterValidator(ever), Field(json_schema_extra={"enum": list(kinds.LOOK)})]
# What can stand at most where a program may write what it likes; PostgreSQL refuses NUL.
Text = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
Names = Annotated[list[Annotated[str, Field(max_length=128)]], Field(max_length=100_000)]


class Asked(BaseModel):
    """What a change is about, and how it is to be done: each kind takes some of these, see docs/api.md."""

    digest: Text = ""
    tags: Names = []
    reference: Annotated[Text, Field(description="retag: the tag or digest that the tag is to be on")] = ""
    along: Annotated[
        bool, Field(description="delete-digest: what speaks about it, and what only it leads to, goes too")
    ] = False
    source: Annotated[Text, Field(description="copy: registry/repository that it comes from")] = ""
    platforms: Annotated[Names, Field(description="copy: of an index only these; none for all")] = []
    referrers: Annotated[bool, Field(description="copy: signatures and the like come along")] = True
    action: Annotated[Text, Field(description="undo: the action's id")] = ""
    override: Annotated[
        Text, Field(description="what deletes: why what is in use has to go, of who administers the registry")
    ] = ""


class Wish(Asked):
    """A change that somebody asks for. A name that none of these is would be a slip."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    registry: Text = ""
    repository: Text = ""
    q: Annotated[
        str | None, Field(description="delete-tags: all tags that this finds, in the search language")
    ] = None


class Part(BaseModel):
    """A part of a plan. What kinds to come say more is told, too, and comes back."""

    model_config = ConfigDict(extra="allow")


class TagOn(Part):
    name: str
    digest: str


class Step(Part):
    do: str
    repository: str
    digest: str
    tag: str
    before: str | None
    source: str


class Parent(Part):
    digest: str
    tags: list[str]
    platform: str = ""
    nested: bool = False
    role: str = ""


class Referrer(Part):
    digest: str
    role: str
    tag: str
    artifact_type: str = ""
    size: int | None = None


class Child(Part):
    digest: str
    platform: str = ""
    size: int | None = None


class Protected(Part):
    """What was asked for and stays, with the rule that protects it, or where it is `in_use`; `tag` is empty
    for a digest that a protected tag needs."""

    tag: str
    digest: str
    reason: str
    in_use: bool = False


class Check(Part):
    """How much of the plan the registry confirmed; only what is `complete` can be carried out."""

    checked: int
    total: int
    as_of: datetime | None
    complete: bool
    problem: str


class Plan(Part):
    """What a change would touch, as the confirm page shows it. `fingerprint` stands for all of it;
    `not_shown` is how many repositories need what stays that who asks may not see."""

    kind: str
    registry: str
    repository: str
    digest: str
    asked: dict[str, Any]
    media_type: str
    steps: list[Step]
    tags: list[TagOn]
    siblings: list[str]
    stay: list[TagOn]
    parents: list[Parent]
    referrers: list[Referrer]
    left_behind: list[Child]
    lost: list[str]
    protected: list[Protected] = []
    frees: int | None
    shared: int | None
    shared_with: list[str]
    not_shown: int = 0
    check: Check
    fingerprint: str


class Order(Part):
    """A plan to be carried out, as it came; what it says of what it would touch may be left out, and then
    nobody can say what differs should it no longer hold. `understood` says that whoever sends it knows of the
    tagged indexes that break, `confirm` is the name of the repository when all of it is to go."""

    kind: Kind
    registry: Text
    repository: Text
    fingerprint: Text
    digest: Text = ""
    asked: Asked = Asked()
    understood: bool = False
    confirm: Text = ""
    steps: list[Step] | None = None
    tags: list[TagOn] | None = None
    parents: list[Parent] | None = None
    referrers: list[Referrer] | None = None
    left_behind: list[Child] | None = None
    lost: list[str] | None = None
    protected: list[Protected] | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What was asked for."""
        return self.asked.model_dump() | ({"digest": self.digest} if self.digest else {})

    def agreed(self, repository: Repository, digest: str, asked: plans.Facts) -> plans.Agreed:
        """It as what was agreed to, of this repository, with what it is about as that was read. What it says
        that it would touch counts only where it is what the fingerprint stands for."""
        facts = plans.facts_of(self.model_dump() | {"asked": asked})
        return plans.Agreed(
            kind=self.kind,
            registry=repository.registry.name,
            repository=repository.name,
            fingerprint=self.fingerprint,
            digest=digest,
            asked=asked,
            facts=facts if facts and plans.fingerprint(facts) == self.fingerprint else None,
            understood=self.understood,
        )


class Result(Schema):
    """What became of one step of an action, or of a tag that went along; `result` is empty until it ended."""

    position: int
    do: str
    repository: str
    tag: str
    digest: str
    before: str | None
    result: str
    reason: str

    @classmethod
    def of(cls, row: Item) -> Self:
        return cls(
            position=row.position,
            do=row.do,
            repository=row.repository,
            tag=row.tag,
            digest=row.digest,
            before=row.before,
            result=row.result,
            reason=row.reason,
        )


class Done(Schema):
    """An action: a plan that was carried out, is being or will be. `state` is waiting, running, done,
    partial, failed, cancelled or undone; `ended` of `steps` have ended; `stop` says that it ends before the
    next."""

    id: str
    kind: str
    registry: str
    repository: str
    digest: str
    actor: str
    address: str
    state: str
    reason: str
    hint: str
    error_code: str
    started_at: datetime
    finished_at: datetime | None
    not_before: datetime | None
    undoes: str
    stop: bool
    steps: int
    ended: int

    @classmethod
    def of(cls, row: Action, counts: Mapping[str, tuple[int, int]]) -> Self:
        """The action, with its counts of steps by its key."""
        steps, ended = counts.get(row.pk, (0, 0))
        return cls(
            id=row.pk,
            kind=row.kind,
            registry=row.registry,
            repository=row.repository,
            digest=row.digest,
            actor=row.actor,
            address=row.address,
            state=row.state,
            reason=row.reason,
            hint=row.hint,
            error_code=row.error_code,
            started_at=row.started_at,
            finished_at=row.finished_at,
            not_before=row.not_before,
            undoes=row.undoes,
            stop=row.stop,
            steps=steps,
            ended=ended,
        )
