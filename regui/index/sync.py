"""Fills the index: every repository, every tag, and by digest what isn't known yet.

Requests go out from the link's threads, rows are written by the calling one, and neither waits for more
than a batch of the other; what a run holds in memory is bounded by the batch. Run again, it costs a listing
for each repository and a conditional request for each tag. Killed, it has lost what the last batch was
about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from django.utils import timezone

from regui import oci
from regui.index import connect, contents, reader, usage
from regui.index.batches import batches
from regui.index.fetch import catalogs
from regui.index.models import Registry, Repository, Sync, Tag

REPOSITORIES, TAGS = 32, 200
# A registry may well have no list of its repositories; those known by other means are read all the same.
UNLISTED = frozenset({"unsupported", "denied"})


@dataclass(frozen=True)
class State:
    """How far a run is. `total` is 0 until the catalog is read; `name` is the repository that was last
    done."""

    done: int = 0
    total: int = 0
    tags: int = 0
    manifests: int = 0
    requests: int = 0
    failures: int = 0
    name: str = ""


class Progress(Protocol):
    """Is told how far the run is, a few times a second at most."""

    def __call__(self, state: State, /) -> None: ...


def silent(state: State) -> None:
    """Nobody watches."""


class Stopped(Exception):  # the run is over, and the error says why
    def __init__(self, error: oci.Error) -> None:
        super().__init__(str(error))


def run(registry: Registry, progress: Progress = silent) -> Sync:
    """One whole run and what it came to: `failures` names repositories that couldn't be read in full,
    `problem` says why the run as a whole ended early, empty when it didn't. Never raises an `oci.Error`."""
    one = Run(registry, progress)
    try:
        one.go()
    except (oci.Error, Stopped) as error:
        one.sync.problem = str(error)
    except BaseException:
        one.sync.problem = "The run was interrupted."
        raise
    finally:
        one.finish()
    return one.sync


class Run:
    """A run under way."""

    def __init__(self, registry: Registry, progress: Progress) -> None:
        self.registry, self.progress = registry, progress
        self.sync = Sync.objects.create(registry=registry, started_at=timezone.now())
        self.link = connect.link(registry)
        self.before = self.link.client.requests
        self.problems: dict[str, list[str]] = {}
        self.done = self.total = 0

    def go(self) -> None:
        """The catalog, then its repositories. Raises when the registry is out of reach."""
        self.tell()
        reading = catalogs.read(self.registry, None)
        if reading.error_code and reading.error_code not in UNLISTED:
            self.sync.problem = reading.problem
            return
        # A suspicious catalog is no reason not to read what there is, but one to say so.
        self.sync.problem = reading.problem
        rows = Repository.objects.filter(registry=self.registry).listed().order_by("name")
        keys = list(rows.values_list("pk", flat=True))
        self.total = len(keys)
        for some in batches(keys, REPOSITORIES):
            self.read(list(rows.filter(pk__in=some).select_related("registry")))

    def read(self, rows: Sequence[Repository]) -> None:
        """These repositories: their listings, their tags, what those lead to, and the sums."""
        changed, errors = reader.listings(self.link, rows, None)
        for row, error in errors:
            self.problems.setdefault(row.name, []).append(str(error))
        if errors:
            self.check(errors[0][1])
        failed = {row.pk for row, _ in errors}
        tags = Tag.objects.listed().filter(repository__in=[row.pk for row in rows if row.pk not in failed])
        for some in batches(list(tags.order_by("repository", "name").values_list("pk", flat=True)), TAGS):
            outcome = reader.tags(self.link, reader.load(some), None)
            changed |= outcome.changed
            self.sync.tags += len(some)
            self.note(outcome)
        for row in rows:
            if row.pk in changed or row.size is None:
                outcome = reader.children(self.link, row, None)
                changed |= outcome.changed
                self.note(outcome)
            if row.pk in changed or row.tag_count is None:
                usage.total(row)
            self.done += 1
            self.tell(row.name)

    def note(self, outcome: contents.Outcome) -> None:
        """Add a part's outcome to the run's; raises `Stopped` when the registry has gone away."""
        self.sync.manifests += outcome.new
        for repository, problem in outcome.failures:
            self.problems.setdefault(repository.name, []).append(problem)
        self.tell()
        if outcome.outage is not None:
            self.check(outcome.outage)

    def check(self, error: oci.Error) -> None:
        """Nothing when the registry still answers: then the error was about one thing. Else raises
        `Stopped`."""
        if not connect.is_outage(error):
            return
        try:
            self.link.client.ping()
        except oci.Error as gone:
            raise Stopped(gone) from error

    def tell(self, name: str = "") -> None:
        requests = self.link.client.requests - self.before
        self.progress(
            State(
                self.done, self.total, self.sync.tags, self.sync.manifests, requests, len(self.problems), name
            )
        )

    def finish(self) -> None:
        """Write down what the run came to."""
        self.sync.finished_at = timezone.now()
        self.sync.repositories = self.done
        self.sync.requests = self.link.client.requests - self.before
        self.sync.failures = [
            {"repository": name, "problem": summary(problems)} for name, problems in self.problems.items()
        ]
        self.sync.save()


def summary(problems: Sequence[str]) -> str:
    """The first of a repository's problems, and how many more there are."""
    return problems[0] if len(problems) == 1 else f"{problems[0]} (and {len(problems) - 1} more)"
