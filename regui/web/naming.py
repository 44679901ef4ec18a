"""Names of repositories as people type or paste them, one a line."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from regui import oci
from regui.index import names
from regui.index.models import Registry
from regui.web import pulls

# The most that one form may bring, and that one registry keeps.
LONGEST, MOST, KEPT = 50_000, 200, 1000


@dataclass(frozen=True)
class Fault:
    """What is wrong with a line, counted from 1; 0 is all of them together."""

    line: int
    text: str
    why: str


@dataclass(frozen=True)
class Lines:
    """The names in a text, by their lines, and the lines that hold none. `text` is what was typed."""

    text: str = ""
    names: Sequence[tuple[int, str]] = ()
    faults: Sequence[Fault] = ()

    def without(self, unknown: Collection[str]) -> "Lines":
        """The same, with a fault for each line that names one of these."""
        told = [Fault(line, name, names.NO_SUCH) for line, name in self.names if name in unknown]
        return replace(self, faults=[*self.faults, *told])


def parse(registry: Registry, text: str) -> Lines:
    """The names in a text, each once; what stands for the registry's host before them, as in a command that
    pulls, is left out."""
    if len(text) > LONGEST:
        return Lines(text[:LONGEST], faults=[Fault(0, "", f"More than {LONGEST:,} characters are too many.")])
    found, faults = dict[str, int](), list[Fault]()
    for line, typed in enumerate(text.splitlines(), start=1):
        name = bare(registry, typed)
        if not name:
            continue
        try:
            found.setdefault(oci.check_repository(name), line)
        except oci.InvalidName:
            faults.append(Fault(line, typed.strip()[:80], "No repository can be called that."))
    lines = Lines(text, [(line, name) for name, line in found.items()], faults)
    why = excess(registry, found)
    return replace(lines, faults=[Fault(0, "", why)]) if why else lines


def excess(registry: Registry, found: Collection[str]) -> str:
    """Why these are none or too many; empty when they aren't."""
    if not found:
        return "There is no name to add."
    if len(found) > MOST:
        return f"More than {MOST} names at a time are too many."
    if len({*names.entered(registry), *found}) > KEPT:
        return f"More than {KEPT:,} names are too many to keep for one registry."
    return ""


def bare(registry: Registry, text: str) -> str:
    """A repository's name without the registry's host and without slashes around it."""
    return text.strip().removeprefix(f"{pulls.host(registry)}/").strip("/")
