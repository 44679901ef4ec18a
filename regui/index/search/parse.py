"""Reads a query. Whatever it is given, the answer is a `Query` or `Wrong`."""

import difflib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from regui.index.search.query import (
    BYTES,
    DAYS,
    KINDS,
    Age,
    Answer,
    Comparison,
    Date,
    Digest,
    Is,
    Label,
    Moment,
    Platform,
    Query,
    Size,
    Term,
    Text,
    Type,
    Where,
    Wrong,
)

LONGEST, MOST, STARS = 300, 16, 8
CENTURY = 36_500
ALGORITHMS = ("sha256", "sha384", "sha512")

COMPARED = re.compile(r"(>=|<=|>|<)(.*)")
AMOUNT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([A-Za-z]*)")
AGE = re.compile(r"([0-9]{1,5})([a-z]+)")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
PINNED = re.compile(r"[^@]+@((?:sha256|sha384|sha512):[^@]*)", re.IGNORECASE)
KEYED = re.compile(r"([A-Za-z][A-Za-z0-9]*):(.*)", re.DOTALL)
UNITS = {unit.lower(): factor for unit, factor in BYTES.items()} | {
    "": 1,
    "k": 1000,
    "m": 1000**2,
    "g": 1000**3,
    "t": 1000**4,
}
# What is written for a unit, besides the unit itself.
SPANS = {unit: unit for unit in DAYS} | {"day": "d", "days": "d", "month": "mo", "months": "mo"}


@dataclass(frozen=True)
class Piece:
    """One word of a query as it stands there. `quoted` is what stood in quotes at its end."""

    position: int
    negated: bool
    bare: str
    quoted: str | None

    @property
    def text(self) -> str:
        """The word, near enough, to point at what is wrong."""
        return f"{'-' if self.negated else ''}{self.bare}{'' if self.quoted is None else self.quoted}"

    def wrong(self, why: str, example: str) -> Wrong:
        return Wrong(self.position, self.text, why, example)


def parse(text: str, keys: Collection[str] = ()) -> Query:
    """What a query asks for; raises `Wrong` when that can't be told, or is asked by other keys than these, if
    any are given."""
    text = text.replace("\0", "")
    if len(text) > LONGEST:
        raise Wrong(
            LONGEST, text[LONGEST:][:20], f"A query has at most {LONGEST} characters.", "team/app v1.*"
        )
    found = pieces(text)
    if len(found) > MOST:
        last = found[MOST]
        raise last.wrong(f"A query has at most {MOST} words.", "team/app v1.*")
    return Query(tuple(term(piece, keys or KEYS) for piece in found))


def pieces(text: str) -> list[Piece]:
    """The words of a query: apart by white space, save within quotes."""
    found, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        start = at
        negated = text[at] == "-" and at + 1 < len(text) and not text[at + 1].isspace()
        at += negated
        begin = at
        while at < len(text) and not text[at].isspace() and not opens(text, begin, at):
            at += 1
        bare, within = text[begin:at], None
        if at < len(text) and text[at] == '"':
            within, at = quoted(text, at)
        found.append(Piece(start, bool(negated), bare, within))
    return found


def opens(text: str, begin: int, at: int) -> bool:
    """Whether a quotation opens there: at the beginning of a word, or of a key's value."""
    return text[at] == '"' and (at == begin or text[at - 1] in ":=")


def quoted(text: str, start: int) -> tuple[str, int]:
    """What stands between the quotes that open there, and where the word ends."""
    inside, at = "", start + 1
    while at < len(text) and text[at] != '"':
        at += text[at] == "\\" and at + 1 < len(text)
        inside += text[at]
        at += 1
    if at >= len(text):
        raise Wrong(start, text[start:], "These quotes never close.", '"release candidate"')
    if not inside:
        raise Wrong(start, '""', "There is nothing between these quotes.", '"release candidate"')
    if at + 1 < len(text) and not text[at + 1].isspace():
        raise Wrong(at + 1, text[at + 1 :][:20], "A space is missing behind the quotes.", '"v1.0" latest')
    return inside, at + 1


def term(piece: Piece, keys: Collection[str]) -> Term:
    """What one word asks for, by one of these keys."""
    pinned = PINNED.fullmatch(piece.bare)
    if pinned:  # as people copy it: the digest says more than the name before it
        return digest(piece, pinned[1])
    keyed = KEYED.fullmatch(piece.bare)
    if keyed is None:
        return name(piece, Where.ANY, piece.bare)
    key, value = keyed[1].lower(), keyed[2]
    if key in ALGORITHMS:
        return digest(piece, piece.bare)
    if key not in KEYS:
        close = difflib.get_close_matches(key, KEYS, 1, 0.75)
        if close or piece.quoted is not None:
            meant = f"“{close[0]}:”" if close else " or ".join(f"{one}:" for one in KEYS)
            raise piece.wrong(f"There is no key “{key}:”. Is {meant} meant?", EXAMPLES[(close or ["tag"])[0]])
        return name(piece, Where.ANY, piece.bare)
    if key not in keys:
        known = " or ".join(f"{one}:" for one in keys)
        raise piece.wrong(
            f"Nothing here has an answer to “{key}:”, only to {known}.", EXAMPLES[next(iter(keys))]
        )
    if not value and piece.quoted is None:
        raise piece.wrong(f"“{key}:” lacks a value.", EXAMPLES[key])
    return KEYS[key](piece, value)


def name(piece: Piece, where: Where, value: str) -> Text:
    """A text of a name: in quotes literally, else with `*` and `?` as wildcards."""
    if piece.quoted is not None:
        if value:
            raise piece.wrong("Quotes stand round a whole word, or behind a key.", 'tag:"v1.0"')
        return Text(where, piece.quoted, glob=False, negated=piece.negated)
    glob = "*" in value or "?" in value
    if glob and len(re.findall(r"\*+", value)) > STARS:
        raise piece.wrong(f"A pattern has at most {STARS} stars.", "team/*/web-*")
    return Text(where, value, glob, piece.negated)


def given(piece: Piece, value: str) -> str:
    """A key's value, wherever its quotes open."""
    return f"{value}{piece.quoted or ''}"


def tag(piece: Piece, value: str) -> Text:
    return name(piece, Where.TAG, value)


def repository(piece: Piece, value: str) -> Text:
    return name(piece, Where.REPOSITORY, value)


def digest(piece: Piece, value: str) -> Digest:
    """A digest by at least four of its hexadecimal digits, with or without its algorithm."""
    algorithm, colon, digits = given(piece, value).lower().rpartition(":")
    if colon and algorithm not in ALGORITHMS:
        raise piece.wrong(f"A digest begins with {', '.join(ALGORITHMS)} or none.", EXAMPLES["digest"])
    if not re.fullmatch(r"[0-9a-f]{4,128}", digits, re.ASCII):
        raise piece.wrong(
            "A digest is looked for by 4 or more of its first digits, 0-9 and a-f.", EXAMPLES["digest"]
        )
    return Digest(digits, algorithm, piece.negated)


def label(piece: Piece, value: str) -> Label:
    """A label's name, and its value behind a `=`."""
    key, equals, wanted = given(piece, value).partition("=")
    if not key:
        raise piece.wrong("A label has a name.", EXAMPLES["label"])
    return Label(key, wanted if equals else None, piece.negated)


def platform(piece: Piece, value: str) -> Platform:
    whole = given(piece, value).lower()
    if not re.fullmatch(r"[a-z0-9._]+(?:/[a-z0-9._]+){0,2}", whole, re.ASCII):
        raise piece.wrong("A platform is os/architecture/variant, or a part of that.", EXAMPLES["platform"])
    return Platform(whole, piece.negated)


def kind(piece: Piece, value: str) -> Type:
    whole = given(piece, value).lower()
    if whole not in KINDS:
        raise piece.wrong(f"A type is one of {', '.join(KINDS)}.", EXAMPLES["type"])
    return Type(whole, piece.negated)


def size(piece: Piece, value: str) -> Size:
    compared = COMPARED.fullmatch(given(piece, value))
    amount = AMOUNT.fullmatch(compared[2]) if compared else None
    if compared is None or amount is None or amount[2].lower() not in UNITS:
        raise piece.wrong("A size is compared: < or >, a number, and kB, MB, GB or TB.", EXAMPLES["size"])
    count = int(Decimal(amount[1]) * UNITS[amount[2].lower()])
    if count >= 2**62:
        raise piece.wrong("Nothing is that large.", EXAMPLES["size"])
    return Size(Comparison(compared[1]), count, piece.negated)


def created(piece: Piece, value: str) -> Date:
    return moment(piece, value, Moment.CREATED)


def pulled(piece: Piece, value: str) -> Date | Is:
    if given(piece, value).lower() in ("yes", "no"):
        return answer(piece, value, Answer.PULLED)
    return moment(piece, value, Moment.PULLED)


def moment(piece: Piece, value: str, about: Moment) -> Date:
    example = EXAMPLES[about.value]
    compared = COMPARED.fullmatch(given(piece, value))
    if compared is None:
        raise piece.wrong("A date is compared: < or >, then 12h, 90d, 6w, 3mo, 1y or a day.", example)
    return Date(about, Comparison(compared[1]), than(piece, compared[2], example), piece.negated)


def than(piece: Piece, text: str, example: str) -> Age | date:
    """How long ago, or a day."""
    if DAY.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise piece.wrong(f"There is no day {text}.", f"{example} or created:>2026-01-31") from None
    age = AGE.fullmatch(text.lower())
    if age is None or age[2] not in SPANS:
        raise piece.wrong("How long ago is a number and h, d, w, mo or y; or a day, 2026-01-31.", example)
    unit, count = SPANS[age[2]], int(age[1])
    if count * DAYS[unit] > CENTURY:
        raise piece.wrong("Nothing here is older than a century.", example)
    return Age(count, unit)


def answer(piece: Piece, value: str, about: Answer) -> Is:
    said = given(piece, value).lower()
    if said not in ("yes", "no"):
        raise piece.wrong(f"“{about.value}:” is answered by yes or no.", EXAMPLES[about.value])
    return Is(about, said == "yes", piece.negated)


def signed(piece: Piece, value: str) -> Is:
    return answer(piece, value, Answer.SIGNED)


def untagged(piece: Piece, value: str) -> Is:
    return answer(piece, value, Answer.UNTAGGED)


KEYS: dict[str, Callable[[Piece, str], Term]] = {
    "tag": tag,
    "repo": repository,
    "digest": digest,
    "label": label,
    "platform": platform,
    "type": kind,
    "size": size,
    "created": created,
    "pulled": pulled,
    "signed": signed,
    "untagged": untagged,
}
EXAMPLES = {
    "tag": "tag:v1.*",
    "repo": "repo:team/**",
    "digest": "digest:sha256:0a1b2c",
    "label": "label:maintainer=ana",
    "platform": "platform:linux/arm64",
    "type": "type:helm",
    "size": "size:>500MB",
    "created": "created:<90d",
    "pulled": "pulled:<30d",
    "signed": "signed:no",
    "untagged": "untagged:yes",
}
