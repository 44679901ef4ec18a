"""What runs somewhere, as clusters and machines tell, and what is locked because of that."""

from datetime import datetime, timedelta
from typing import Annotated, Self

from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Field, Path, Router, Schema
from pydantic import AfterValidator, BaseModel, ConfigDict

from regui.actions import inuse
from regui.actions.inuse import sight, sources
from regui.actions.models import InUse, Source
from regui.api import problems
from regui.api.v1.asking import Request
from regui.api.v1.paging import USUAL, By, Cursor, Limit, page
from regui.api.v1.schemas import Page
from regui.env import parse_duration

router = Router(tags=["in use"])

PLACE = "/in-use/{source}"
# Bytes of a list.
LARGEST = 1_000_000
BY_NAME = [By("registry"), By("repository"), By("tag"), By("digest")]


def parse_ttl(text: str) -> str:
    """The length of time itself; ValueError for one that is too short, too long, or none."""
    if not sources.SHORTEST <= parse_duration(text) <= sources.LONGEST:
        raise ValueError("it is between 1m and 7d")
    return text


Name = Annotated[
    str, Path(pattern=f"^{sources.NAME.pattern}$", description="a cluster or a machine, such as prod-cluster")
]
Ttl = Annotated[
    str, AfterValidator(parse_ttl), Field(max_length=20, description="until told again: 1m to 7d")
]


class Running(BaseModel):
    """All that runs there, as kubectl, docker or Nomad print it; `ttl` is how long that holds."""

    model_config = ConfigDict(extra="forbid")

    images: Annotated[list[str], Field(max_length=sources.MOST_IMAGES)]
    ttl: Ttl = "1h"


class Ignored(Schema):
    """A reference that locks nothing."""

    image: str
    why: str


class Told(Schema):
    """What became of a list: `held` images lock something until `expires_at`; of the `ignored` ones, the
    first are told with why."""

    source: str
    held: int
    ignored: int
    ignored_images: list[Ignored]
    told_at: datetime
    expires_at: datetime


class Teller(Schema):
    """A source. `held` are its images in repositories that who asks may see; `told_by`, `images`, which were
    told, and how many were `ignored` are null for who may not know of all."""

    source: str
    told_at: datetime
    expires_at: datetime
    expired: bool
    held: int
    told_by: str | None = None
    images: int | None = None
    ignored: int | None = None
    ignored_images: list[Ignored] | None = None

    @classmethod
    def of(cls, row: Source, request: Request, held: int) -> Self:
        found = cls(
            source=row.name,
            told_at=row.told_at,
            expires_at=row.expires_at,
            expired=row.expires_at <= timezone.now(),
            held=held,
        )
        if not sight.knows_all(request.actor, row):
            return found
        more = {"told_by": row.actor, "images": row.images, "ignored": row.ignored_count}
        return found.model_copy(update={**more, "ignored_images": told_of(row)})


class Use(Schema):
    """An image that runs there since `since`: its tag and its digest are locked, where they aren't empty."""

    registry: str
    repository: str
    tag: str
    digest: str
    since: datetime

    @classmethod
    def of(cls, row: InUse) -> Self:
        return cls(
            registry=row.registry,
            repository=row.repository,
            tag=row.tag,
            digest=row.digest,
            since=row.since,
        )


class Uses(Teller):
    """A source, with what it says is running, by the page."""

    items: list[Use] = []
    next: str | None = None


@router.get("/in-use", response=Page[Teller])
def list_in_use(
    request: Request, response: HttpResponse, cursor: Cursor = "", limit: Limit = USUAL
) -> Page[Teller]:
    """Who tells what runs, by name."""
    paged = page(request, response, sight.sources(request.actor), [By("name")], cursor, limit)
    return Page(items=[Teller.of(row, request, held(row)) for row in paged.rows], next=paged.next)


@router.get(PLACE, response=Uses)
def get_in_use(
    request: Request, response: HttpResponse, source: Name, cursor: Cursor = "", limit: Limit = USUAL
) -> Uses:
    """What one source says is running."""
    row = named(request, source)
    rows = sight.uses(request.actor).filter(source=row)
    paged = page(request, response, rows, BY_NAME, cursor, limit)
    told = Teller.of(row, request, held(row)).model_dump()
    return Uses(**told, items=[Use.of(one) for one in paged.rows], next=paged.next)


@router.put(PLACE, response=Told)
def tell_in_use(request: Request, source: Name, running: Running) -> Told:
    """Tell all that runs there, in place of what was told before."""
    if len(request.body) > LARGEST:
        raise problems.Problem(
            413, "too-large", "The list is larger than 1 MB.", "Tell it by several sources."
        )
    ttl: timedelta = parse_duration(running.ttl)
    told = inuse.tell(request.actor, source, running.images, ttl)
    row = told.source
    return Told(
        source=row.name,
        held=told.held,
        ignored=row.ignored_count,
        ignored_images=told_of(row),
        told_at=row.told_at,
        expires_at=row.expires_at,
    )


@router.delete(PLACE, response=Teller)
def forget_in_use(request: Request, source: Name) -> Teller:
    """Forget a source, which is told once more: nothing of it is locked any more."""
    sources.refuse_powerless(request.actor)
    row = named(request, source)
    told = Teller.of(row, request, held(row))
    inuse.forget(request.actor, row)
    return told


def named(request: Request, name: str) -> Source:
    """The source, where the actor may know of it; else Http404."""
    row = sight.sources(request.actor).filter(name=name).first()
    if row is None:
        raise Http404(f"Nothing is told of {name}.")
    return row


def held(row: Source) -> int:
    """How much of what it told they may see, as `sight` counted it."""
    return int(row.held)  # type: ignore[attr-defined]


def told_of(row: Source) -> list[Ignored]:
    return [Ignored(image=image, why=why) for image, why in row.ignored]
