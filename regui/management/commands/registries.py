"""`regui registries`: where each registry is, and who says so."""

from typing import Any

from regui.index import book
from regui.index.models import Registry
from regui.management.speaking import Sitting

ELSEWHERE = "set where regui serves, not here"


class Command(Sitting):
    help = "List the registries: name, address, where that comes from. Passwords are never shown."

    def handle(self, *args: Any, **options: Any) -> None:
        lines = [(line.name, line.url, told(line)) for line in book.lines()]
        elsewhere = Registry.objects.filter(active=True).exclude(name__in=[name for name, *_ in lines])
        lines += [(row.name, row.url, ELSEWHERE) for row in elsewhere.order_by("name")]
        for line in lines:
            self.stdout.write("\t".join(line))
        if not lines:
            self.stderr.write("regui: no registry is set here, and none was added")


def told(line: book.Line) -> str:
    """Where it comes from, and what is amiss with it."""
    if line.given:
        rests = "; also entered under Settings, which rests" if line.entry else ""
        return f"from {line.given.prefix}_URL{rests}"
    by = f"added by {line.entry.added_by}" if line.entry else ""
    states = {"hidden": line.is_hidden, "what is sealed can't be opened": line.is_locked}
    return "; ".join([by, *(state for state, holds in states.items() if holds)])
