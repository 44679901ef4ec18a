"""The headers with a grammar of their own: WWW-Authenticate, Link, Retry-After, Range. Pure functions."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
QUOTED = r'"(?:[^"\\]|\\.)*"'
# zot and others leave values unquoted; such a value ends at a comma or white space.
PARAMETER = re.compile(rf"\s*({WORD})\s*=\s*({QUOTED}|(?!=)[^\s,\"]*)", re.DOTALL)
SCHEME = re.compile(rf"[\s,]*({WORD})(?=[\s,]|$)")
LINK = re.compile(rf"\s*<([^>]*)>((?:\s*;\s*{WORD}(?:\s*=\s*(?:{QUOTED}|[^\s,;\"]*))?)*)", re.DOTALL)
LINK_PARAMETER = re.compile(rf";\s*({WORD})(?:\s*=\s*({QUOTED}|[^\s,;\"]*))?", re.DOTALL)
MAX_HEADER = 16 * 1024


@dataclass(frozen=True)
class Challenge:
    """One way to authenticate: the scheme and the parameters' names are in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        return self.parameters.get(name, "")


def challenges(headers: Iterable[str]) -> list[Challenge]:
    """Every challenge of the WWW-Authenticate headers, several in one header or one in each (RFC 9110,
    11.6.1). What can't be read is left out."""
    return [challenge for header in headers for challenge in one_header(header[:MAX_HEADER])]


def one_header(header: str) -> Iterator[Challenge]:
    position = 0
    while match := SCHEME.match(header, position):
        scheme, position, parameters = match[1].lower(), match.end(), dict[str, str]()
        while pair := PARAMETER.match(header, position):
            parameters.setdefault(pair[1].lower(), unquoted(pair[2]))
            position = pair.end()
            if (comma := re.compile(r"\s*,").match(header, position)) is None:
                break
            position = comma.end()
        # Credentials in token68 form, or nonsense, up to the next comma.
        if SCHEME.match(header, position) is None or not parameters:
            position = after_comma(header, position)
        yield Challenge(scheme, parameters)


def after_comma(header: str, position: int) -> int:
    comma = header.find(",", position)
    return len(header) if comma < 0 else comma + 1


def unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL) if value.startswith('"') else value


def next_link(headers: Iterable[str]) -> str | None:
    """The target of the first link whose relation is "next", as it stands there (RFC 8288); None without
    one."""
    for header in headers:
        position, header = 0, header[:MAX_HEADER]  # noqa: PLW2901
        while match := LINK.match(header, position):
            for name, value in LINK_PARAMETER.findall(match[2]):
                if name.lower() == "rel" and "next" in unquoted(value).lower().split():
                    return match[1].strip()
            position = after_comma(header, match.end())
    return None


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait, at least 0; None when nobody said (RFC 9110, 10.2.3). Docker Hub's older
    X-Retry-After is a moment in seconds since 1970."""
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{0,9})?", value):
        return float(value)
    moment = http_date(value)
    epoch = headers.get("X-Retry-After", "").strip()
    if moment is None and re.fullmatch(r"\d{1,11}", epoch):
        moment = datetime.fromtimestamp(int(epoch), UTC)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def content_range(value: str) -> tuple[int, int] | None:
    """First byte and total length of `bytes 0-9/100`; None when it isn't that."""
    match = re.fullmatch(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})", value.strip())
    return (int(match[1]), int(match[2])) if match else None


def received(value: str) -> int | None:
    """The position of the last byte a registry has of an upload (`0-999`: 999); None when it isn't that."""
    match = re.fullmatch(r"(?:bytes=)?0-(\d{1,18})", value.strip())
    return int(match[1]) if match else None


def warning(value: str) -> str:
    """The words of `299 - "…"`, the only warning the specification has; empty for another."""
    match = re.match(rf"\s*299 - ({QUOTED})", value[:MAX_HEADER], re.DOTALL)
    return " ".join(unquoted(match[1]).split())[:500] if match else ""
