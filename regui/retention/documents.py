"""Policies as code: YAML read into policies, with the line of all that is wrong, and written.

What stands there counts as it is written: a `1.10` is a text and no number, an `on` no truth, and nothing
has to be put in quotes for that. What a reader could stumble over is refused: names that are there twice,
aliases, tags with a `!`, a second document.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from regui.retention.policy import Policy, read_all
from regui.retention.reading import Invalid, Path

# Bytes of a whole document; how deep values may lie in each other; and how many problems are told.
LARGEST, DEEPEST, MOST = 1_000_000, 12, 100
# Plain words for nothing.
NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
HEADER = """\
# Policies of regui: docs/cleanup.md says what may stand here.
# regui policies import FILE takes them up again; what stands here alone counts, in this order.
"""


class Problem(NamedTuple):
    """What is wrong, and where: lines and columns from 1 on."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class Wrong(ValueError):
    """A document that can't be meant, with all that is wrong with it, by line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass
class Document:
    """The policies of a document, and where in it each value stands."""

    policies: list[Policy] = field(default_factory=list)
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def problem(self, path: Path, message: str) -> Problem:
        """A problem with the value there, or if there is none, with what it is missing in."""
        while path and path not in self.places:
            path = path[:-1]
        return Problem(*self.places.get(path, (1, 1)), message)


def read(text: str | bytes) -> list[Policy]:
    """The policies in it; raises `Wrong`."""
    return load(text).policies


def load(text: str | bytes) -> Document:
    """The same, with where they stand."""
    found = Document()
    plain = Reading(found).value(decoded(text))
    try:
        found.policies = read_all(plain)
    except Invalid as error:
        raise Wrong([found.problem(one.path, one.message) for one in error.problems][:MOST]) from error
    return found


def decoded(text: str | bytes) -> str:
    """The text without a byte order mark."""
    if len(text) > LARGEST:
        raise Wrong([Problem(1, 1, f"This is more than {LARGEST:,} bytes.")])
    try:
        found = text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise Wrong([Problem(line, 1, "This is no text in UTF-8.")]) from error
    return found.removeprefix("\ufeff")


class Open(NamedTuple):
    """A list or mapping that is being read; `names` of one are those it has, with their lines."""

    value: Any
    path: Path
    names: dict[str, int]


@dataclass
class Reading:
    """Makes plain values of what YAML's parser comes upon: nothing is resolved, followed or made more of."""

    document: Document
    problems: list[Problem] = field(default_factory=list)
    open: list[Open] = field(default_factory=list)
    # The name that a value is awaited for, if a mapping has one.
    name: str | None = None
    top: Any = None

    def value(self, text: str) -> Any:
        """The value that the text is; raises `Wrong`."""
        try:
            for event in self.events(text):
                self.take(event)
        except yaml.MarkedYAMLError as error:
            self.problems.append(trouble(error))
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            self.problems.append(Problem(line, 1, "There is a character that no text has."))
        if self.problems:
            raise Wrong(self.problems)
        if self.top is None:
            raise Wrong([Problem(1, 1, "There are no policies in this: it begins with policies:")])
        return self.top

    def events(self, text: str) -> Iterator[yaml.Event]:
        """What the parser comes upon, up to what makes it senseless to go on."""
        documents = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                self.complain(event, "Another document begins here; only one is read.")
                return
            if len(self.open) > DEEPEST:
                self.complain(event, "Nothing that is meant lies as deep as this.")
                return
            yield event
            if len(self.problems) >= MOST:
                return

    def take(self, event: yaml.Event) -> None:
        """Put what an event brings where it belongs."""
        if isinstance(event, yaml.CollectionEndEvent):
            self.open.pop()
        elif isinstance(event, yaml.NodeEvent):
            if event.anchor and not isinstance(event, yaml.AliasEvent):
                self.complain(event, f"The anchor &{event.anchor} leads nowhere: aliases aren't followed.")
            if getattr(event, "tag", None) not in {None, "!"}:
                self.complain(event, "A word with ! before it means nothing here; put it in quotes.")
            self.put(event)

    def put(self, event: yaml.NodeEvent) -> None:
        """A value goes into what is open; in a mapping every other one is a name."""
        value = self.plain(event)
        inside = self.open[-1] if self.open else None
        path: Path = ()
        if inside is None:
            self.top = value
        elif isinstance(inside.value, list):
            path = (*inside.path, len(inside.value))
            inside.value.append(value)
            self.document.places[path] = place(event)
        elif self.name is None:
            self.name = self.named(event, value, inside)
            path = inside.path
        else:
            path = (*inside.path, self.name)
            inside.value.setdefault(self.name, value)
            self.name = None
        if isinstance(event, yaml.CollectionStartEvent):
            self.open.append(Open(value, path, {}))

    def plain(self, event: yaml.NodeEvent) -> Any:
        if isinstance(event, yaml.MappingStartEvent):
            return {}
        if isinstance(event, yaml.SequenceStartEvent):
            return []
        if isinstance(event, yaml.AliasEvent):
            why = f"*{event.anchor} would be an alias, which isn't followed; a pattern needs quotes."
            self.complain(event, why)
            return "*"
        if not isinstance(event, yaml.ScalarEvent) or (event.implicit[0] and event.value in NOTHING):
            return None
        return event.value

    def named(self, event: yaml.NodeEvent, value: Any, inside: Open) -> str:
        """The name that a value follows, which is said once."""
        if not isinstance(event, yaml.ScalarEvent):
            self.complain(event, "A name has to be a word.")
            return ""
        name, (line, _) = str(event.value), place(event)
        if first := inside.names.get(name):
            self.complain(event, f"{name} is there already, on line {first}.")
        else:
            inside.names[name] = line
            self.document.places[*inside.path, name] = place(event)
        return name

    def complain(self, event: yaml.Event, message: str) -> None:
        self.problems.append(Problem(*place(event), message))


def place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def trouble(error: yaml.MarkedYAMLError) -> Problem:
    """What the parser can't read, in a sentence, with what it mostly comes of."""
    said = " ".join(filter(None, [error.context, error.problem]))
    mark, began = error.problem_mark or error.context_mark, error.context_mark
    if "'\\t'" in said:
        said = "There is a tab: YAML wants spaces"
    elif "alias" in said or "'*'" in said:
        said = "A * at the beginning would be an alias; a pattern needs quotes: '*'"
    elif "mapping values are not allowed" in said:
        said = "There is a colon where none can be: a text with one in it needs quotes"
    elif found := re.search(r"expected ',' or '([]}])', but got '(.+)'", said):
        opened = "[" if found[1] == "]" else "{"
        comma = f", or a comma is missing before {at(mark)}" if found[2] != "<stream end>" else ""
        said, mark = f"A {opened} begins here that no {found[1]} ends{comma}", began
    elif "quoted scalar" in said and "end of stream" in said:
        said, mark = "A quote begins here that no other ends", began
    elif "expected <block end>" in said:
        said = "This fits nothing before it: what belongs together begins in the same column"
    elif "could not find expected ':'" in said:
        said, mark = "A name needs a colon and a space behind it", began
    elif found := re.search(r"character '(.)' that cannot start", said):
        said = f"A text that begins with {found[1]} needs quotes"
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Problem(line, column, f"{said[:1].upper()}{said[1:]}.")


def at(mark: yaml.Mark | None) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the end"


class Dumper(yaml.SafeDumper):
    """Writes short lists on one line, and never refers back."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_sequence(
        self, tag: str, sequence: Any, flow_style: bool | None = None
    ) -> yaml.SequenceNode:
        flat = all(isinstance(one, str) for one in sequence)
        return super().represent_sequence(tag, sequence, flow_style=flat)

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, indentless=False)


def write(policies: Iterable[Policy]) -> str:
    """A document of these, always the same for the same: by registry and name, without what is as it would be
    anyway, and with quotes where others would read something else than a text."""
    ordered = sorted(policies, key=lambda policy: (policy.registry, policy.name))
    if not ordered:
        return f"{HEADER}policies: []\n"
    return HEADER + "policies:\n" + "\n".join(map(entry, ordered))


def entry(policy: Policy) -> str:
    """A policy as one of the list."""
    text: str = yaml.dump(
        [policy.plain()], Dumper=Dumper, sort_keys=False, allow_unicode=True, width=float("inf")
    )
    return "".join(f"  {line}\n" for line in text.splitlines())
