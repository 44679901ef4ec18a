"""The list of tags with the reason for each: what of it is wanted, a page of it, and all of it as a file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import StreamingHttpResponse

from regui.accounts.access import Actor
from regui.actions.retention import preview
from regui.actions.retention.preview import Line, Wanted
from regui.index.models import Registry
from regui.retention.policy import MOST_RULES, Policy
from regui.web import downloads, forms, paging, told
from regui.web.http import Request

COLUMNS = ("registry", "repository", "tag", "digest", "size", "created", "verdict", "reason")
KEPT, DROPPED = "kept", "dropped"
PER_PAGE = 50


@dataclass(frozen=True)
class Filter:
    """What is asked of the list, as it stands in its form."""

    show: str = ""
    rule: str = ""
    text: str = ""
    repository: str = ""
    page: int = 1

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Filter":
        """What an address or a form asks for. A word that means nothing is as good as none."""
        show, rule = asked.get("show", ""), asked.get("by-rule", "")
        number = rule.isascii() and rule.isdecimal() and len(rule) < 4 and int(rule) <= MOST_RULES
        return cls(
            show=show if show in {KEPT, DROPPED} else "",
            rule=str(int(rule)) if number else "",
            text=forms.cleaned(asked.get("q", "")),
            repository=forms.cleaned(asked.get("in", "")),
            page=paging.positive(asked.get("page", ""), 1),
        )

    @property
    def wanted(self) -> Wanted:
        return Wanted(
            keep={KEPT: True, DROPPED: False}.get(self.show),
            rule=int(self.rule) if self.rule else None,
            text=self.text,
            repository=self.repository,
        )

    @property
    def filtered(self) -> bool:
        return bool(self.show or self.rule or self.text or self.repository)


@dataclass(frozen=True)
class Listed:
    """A page of the list, out of `total` lines."""

    filter: Filter
    number: int
    lines: Sequence[Line]
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def has_next(self) -> bool:
        return self.number < self.pages

    @property
    def previous(self) -> int:
        return self.number - 1

    @property
    def next(self) -> int:
        return self.number + 1

    @property
    def first(self) -> int:
        return (self.number - 1) * PER_PAGE + 1

    @property
    def last(self) -> int:
        return self.first + len(self.lines) - 1


def listed(registry: Registry, policy: Policy, actor: Actor, now: datetime, asked: Filter) -> Listed:
    """The page of the list that is asked for; past the end, the last one."""

    def at(number: int) -> preview.Page:
        offset = (number - 1) * PER_PAGE
        return preview.page(registry, policy, actor, now, asked.wanted, offset, PER_PAGE)

    number = asked.page
    found = at(number)
    if not found.lines and found.total:
        number = -(-found.total // PER_PAGE)
        found = at(number)
    return Listed(asked, number, found.lines, found.total)


def file(
    request: Request, registry: Registry, policy: Policy, asked: Filter, now: datetime, kind: str
) -> StreamingHttpResponse:
    """All that is wanted as a file of that kind, as it comes."""
    found = preview.lines(registry, policy, request.actor, now, asked.wanted)
    written = as_json(registry, found) if kind == "json" else as_csv(registry, found)
    answer = StreamingHttpResponse(written, content_type=f"{downloads.TYPES[kind]}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{registry.name}-{policy.name}-tags.{kind}"'
    return answer


def as_csv(registry: Registry, lines: Iterator[Line]) -> Iterator[str]:
    yield told.line(COLUMNS)
    for line in lines:
        yield told.line(cells(registry, line).values())


def as_json(registry: Registry, lines: Iterator[Line]) -> Iterator[str]:
    """A list of objects, one a line."""
    yield "[\n"
    before = ""
    for line in lines:
        yield before + json.dumps(cells(registry, line), ensure_ascii=False)
        before = ",\n"
    yield "\n]\n"


def cells(registry: Registry, line: Line) -> dict[str, object]:
    found = (
        registry.name,
        line.repository,
        line.tag,
        line.digest,
        line.size,
        line.created.isoformat() if line.created else None,
        KEPT if line.verdict.keep else DROPPED,
        line.reason,
    )
    return dict(zip(COLUMNS, ("" if one is None else one for one in found), strict=True))


def wants_file(asked: Mapping[str, str]) -> str:
    """The kind of file that is asked for instead of a page; empty for none."""
    kind = asked.get("format", "")
    return kind if kind in downloads.TYPES else ""
