"""What came of trying how a registry would be reached, for the page that asked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from django.utils import timezone

from regui import oci
from regui.index import capabilities, trial
from regui.index.models import Registry
from regui.web import errors
from regui.web.capabilities import Overview, Row
from regui.web.connecting import WORDS, Draft

# What somebody who adds a registry wants to know of it.
TOLD = ("auth", "family", "catalog", "writes", "deletes", "clock")
NAMES = WORDS | {"name": "name"}


@dataclass(frozen=True)
class Tested:
    """`problem` is why the registry can't be used, `faults` why it wasn't even asked, by field; else `rows`
    tell what it can do."""

    problem: errors.Problem | None = None
    rows: Sequence[Row] = ()
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The faults by the fields' names as people know them."""
        return [(NAMES[name].capitalize(), words) for name, words in self.faults.items()]


def of(draft: Draft, registry: Registry | None) -> Tested:
    """Try it; about something in the registry, where it is one that is known."""
    if faults := draft.faults():
        return Tested(faults=faults)
    known = registry if registry and not draft.moved else None
    tried = trial.run(draft.record, capabilities.sample(known) if known else oci.Sample())
    if error := tried.error:
        return Tested(problem=errors.of_registry(error.code, str(error), error.hint))
    at = timezone.now().isoformat()
    found = {key: asdict(finding) | {"at": at} for key, finding in tried.found.items()}
    rows = Overview(Registry(name=draft.record.name, capabilities=found)).rows
    return Tested(rows=[row for row in rows if row.key in TOLD and row.key in found])
