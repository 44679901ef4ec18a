"""The atoms of every page: icons, sizes, dates, digests, pills, sort links. The settings build them in."""

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from regui.index import book
from regui.index.models import Registry
from regui.registries import RegistrySettings
from regui.web import icons, marks, paging
from regui.web.deltas import Delta
from regui.web.marks import NOTHING, UNKNOWN, muted

register = template.Library()
register.filter(marks.kind_name)
register.filter(marks.coded)
for mark in (marks.kind_sign, marks.lock, marks.platforms, marks.roles, marks.runs_on):
    register.simple_tag(mark)

# What a first click on a heading means: names from a to z, numbers and dates from the top.
ASCENDING_FIRST = frozenset({"name"})
# Unit, its seconds, and the seconds up to which it is the one to use; rules count up to 90 days in days.
UNITS = (
    ("min", 60, 3600),
    ("h", 3600, 86_400),
    ("d", 86_400, 91 * 86_400),
    ("mo", 2_629_800, 24 * 2_629_800),
    ("y", 31_557_600, float("inf")),
)


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """A symbol of the sprite, hidden from screen readers: words beside it, or a label, must say the same."""
    return icons.drawn(name, classes)


@register.filter
def size(count: int | None) -> str:
    """Bytes as people say them, in decimal units and three digits or so: 512 B, 36.3 MB, 460 MB."""
    if count is None:
        return UNKNOWN
    if count < 1000:
        return f"{count} B"
    amount = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        amount /= 1000
        if amount < 99.95:
            return f"{amount:.1f} {unit}"
        if amount < 999.5:
            return f"{amount:.0f} {unit}"
    return f"{amount / 1000:,.1f} PB"


@register.filter
def delta(found: Delta | None) -> SafeString:
    """A difference in size, with the space before it, and on hovering what it is a difference to; nothing
    without one. In one piece, for lists have one in each row."""
    if found is None:
        return NOTHING
    return format_html(
        ' <small class="delta {}" title="Than {}, the one before it by date with the same platforms">'
        "{}{}</small>",
        found.kind,
        found.tag,
        found.sign,
        size(found.size),
    )


@register.filter
def number(count: int | None) -> str:
    """A count with its thousands apart: 1,755."""
    return UNKNOWN if count is None else f"{count:,}"


@register.filter
def as_json(value: object) -> str:
    """What a script finds in an attribute."""
    return json.dumps(value, cls=DjangoJSONEncoder)


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago that was: "4 d ago"; a claimed date may also lie ahead: "in 2 h"."""
    return UNKNOWN if moment is None else since(moment, timezone.now())


@register.filter
def until(moment: datetime) -> str:
    """How long until a moment that is still to come: "in 2 h"."""
    now = timezone.now()
    # Within its minute it isn't over, whatever clock it was counted by.
    return "in less than a minute" if (moment - now).total_seconds() < 60 else since(moment, now)


def since(moment: datetime, now: datetime) -> str:
    """The distance between two moments in its largest sensible unit, rounded down."""
    seconds = int((now - moment).total_seconds())
    distance, ahead = abs(seconds), seconds < 0
    if distance < 45:
        return "just now"
    unit, length = next((unit, length) for unit, length, limit in UNITS if distance < limit)
    words = f"{max(1, distance // length)} {unit}"
    return f"in {words}" if ahead else f"{words} ago"


@register.filter
def second(moment: datetime) -> str:
    """When that was, for one who compares it with other clocks: "2026-11-23 12:01:07 UTC"."""
    return f"{moment.astimezone(UTC).isoformat(sep=' ', timespec='seconds')[:19]} UTC"


@register.filter
def minute(moment: datetime) -> str:
    """The same without its seconds."""
    return f"{moment.astimezone(UTC).isoformat(sep=' ')[:16]} UTC"


@register.filter
def length_of_time(seconds: float | None) -> str:
    """A length of time in its one or two largest units: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min."""
    if seconds is None:
        return UNKNOWN
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


@register.simple_tag
def when(moment: datetime | None, fallback: str = UNKNOWN) -> SafeString:
    """A <time> that says how long ago and, hovered, exactly when; without a moment the fallback, muted."""
    if moment is None:
        return muted(fallback)
    exact = moment.astimezone(UTC).isoformat(timespec="seconds")
    return format_html('<time datetime="{}" title="{}">{}</time>', exact, second(moment), ago(moment))


@register.simple_tag
def created(moment: datetime | None, claimed: str = "") -> SafeString:
    """When an image says it was made. A date that can't be is not repeated as if it were true."""
    if moment is None and claimed:
        return format_html('<span class="muted" title="The image says {}">{}</span>', claimed, UNKNOWN)
    return when(moment)


@register.simple_tag
def copy(text: object, label: str = "Copy", classes: str = "") -> SafeString:
    """A button that copies the text. It hides where scripts don't run, since only a script can copy."""
    before, after = around_copied(label, classes)
    return format_html("{}{}{}", before, text, after)


@lru_cache(maxsize=512)
def around_copied(label: str, classes: str) -> tuple[SafeString, SafeString]:
    """What stands before the text of such a button and after it, kept: a list has a hundred of a kind."""
    names = f"icon-btn sm copy {classes}".strip()
    before = format_html('<button type="button" class="{}" data-copy="', names)
    after = format_html('" aria-label="{}" title="{}">{}</button>', label, label, icon("copy"))
    return before, after


@register.simple_tag
def bar(value: int | None, most: int | None) -> SafeString:
    """A bar as long as value is of most; nothing when either is unknown, for an empty bar would say zero."""
    if value is None or not most:
        return NOTHING
    percent = min(100.0, 100 * value / most)
    width = max(1.5, percent) if value else 0
    return format_html(
        '<svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="{}" height="4"/></svg>',
        f"{width:.4g}",
    )


@register.filter
def short(digest: object) -> str:
    """The first 12 hex digits of a digest, without its algorithm."""
    return str(digest).rpartition(":")[2][:12]


@register.filter
def ticked(text: str) -> SafeString:
    """A sentence in which what stands between backticks is shown as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # one of them is no mark
        return format_html("{}", text)
    pieces = (format_html("<code>{}</code>", part) if odd % 2 else part for odd, part in enumerate(parts))
    return format_html_join("", "{}", ((piece,) for piece in pieces))


@register.filter
def because(reason: str) -> SafeString:
    """The reason without the verdict before it, where a pill says that: "rule 2, newest 5"."""
    return ticked(reason.partition(": ")[2] or reason)


@register.filter
def breakable(text: str) -> SafeString:
    """A text that goes on in the next line after a slash rather than within a word."""
    return format_html_join(mark_safe("/<wbr>"), "{}", ((part,) for part in text.split("/")))


@register.simple_tag
def digest_code(digest: object, href: str = "") -> SafeString:
    """A digest in short, the whole of it on hovering, as a link when there is somewhere to go."""
    if not href:
        return format_html('<code class="digest" title="{}">{}</code>', digest, short(digest))
    return format_html(
        '<a href="{}"><code class="digest" title="{}">{}</code></a>', href, digest, short(digest)
    )


@register.simple_tag
def repo_name(name: str) -> SafeString:
    """A repository's name with its namespace muted: what differs from row to row stands out."""
    namespace, slash, leaf = name.rpartition("/")
    if not slash:
        return format_html("<span>{}</span>", leaf)
    return format_html('<span><span class="ns">{}/</span>{}</span>', namespace, leaf)


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: object) -> str:
    """The current query string with changes; a value of None or "" leaves the field out. Never empty: "?"."""
    fields = context["request"].GET.copy()
    fields.pop("refresh", None)  # asks for one look at the registry, not for one behind every link
    for name, value in changes.items():
        if value is None or value == "":
            fields.pop(name, None)
        else:
            fields[name] = str(value)
    return f"?{fields.urlencode()}"


def current_sort(context: Context) -> str:
    """What the list is sorted by: the view's word (`sort` in the context) or else the address's."""
    return str(context.get("sort") or context["request"].GET.get("sort", ""))


@register.simple_tag(takes_context=True)
def sort_link(context: Context, field: str, label: str) -> SafeString:
    """What goes into a <th>: a link that sorts by the field, or turns the order round if it already does."""
    sort = current_sort(context)
    first, second = (field, f"-{field}") if field in ASCENDING_FIRST else (f"-{field}", field)
    arrow = {field: icon("arrow-up", "i-s"), f"-{field}": icon("arrow-down", "i-s")}.get(sort, NOTHING)
    href = query(context, sort=second if sort == first else first, page=None)
    return format_html(
        '<a id="sort-{}" href="{}" hx-get="{}" hx-target="#results" hx-swap="outerHTML" hx-push-url="true"'
        ' hx-sync="closest form:replace">'
        "{}{}</a>",
        field,
        href,
        href,
        label,
        arrow,
    )


@register.simple_tag(takes_context=True)
def aria_sort(context: Context, field: str) -> SafeString:
    """The attribute for the <th> of that field when the list is sorted by it, with the space before it."""
    words = {field: "ascending", f"-{field}": "descending"}
    direction = words.get(current_sort(context))
    return format_html(' aria-sort="{}"', direction) if direction else NOTHING


@register.simple_tag
def setting(registry: Registry | None, word: str) -> str:
    """The name of the environment variable with that word for this registry: REGUI_REGISTRY_PROD_EU_URL. For
    none, or one the settings don't name, that of the only registry."""
    named = book.given(registry.name) if registry else None
    return f"{named.prefix if named else RegistrySettings.prefix}_{word}"


@register.filter
def entered(registry: Registry | None) -> bool:
    """Whether people entered how that registry is reached, so that a page says it, not the environment."""
    return registry is not None and book.given(registry.name) is None


@register.inclusion_tag("components/pager.html", takes_context=True)
def pager(context: Context, page: Any) -> dict[str, object]:
    """Where one is among the pages of a list, with the ways on and back; takes a `paginator.Page`."""
    return {"request": context["request"], "page": page, "choices": paging.CHOICES}
