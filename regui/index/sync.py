"""Reads what is due of a registry: every repository, every tag, and by digest what isn't known yet.

Requests go out from a crew of threads, rows are written by the calling one, and neither waits for the other;
what a run holds in memory is bounded by the batch. Read again, a registry costs a listing for each repository
and a conditional request for each tag. Killed, a run has lost what the last batches were about: whoever comes
next goes on with the same round, and several share one.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.utils import timezone

from regui import oci
from regui.index import claims, connect, contents, pace, reader, rounds, usage
from regui.index.batches import batches
from regui.index.catalog import Catalog
from regui.index.crew import Crew
from regui.index.listing import Known
from regui.index.models import Registry, Repository, Sync, Tag
from regui.index.talk import Talk, ask

# Repositories claimed together, tags asked for together, and how much of that is under way at a time.
REPOSITORIES, TAGS = 32, 200
ASKING, KEEPING = 4, 3
# Seconds: between two signs of life; that a look at what others do may wait, or one at the catalog; and for
# finding out whether a registry is there at all.
BEAT, WAIT, MOMENT, ALIVE = 2.0, 0.2, 0.01, 20.0


@dataclass(frozen=True)
class State:
    """How far a run is. `total` is 0 until the catalog is read; `name` is the repository that was last
    done; `rate` is requests a second; `left` seconds, None when nobody can tell."""

    done: int = 0
    total: int = 0
    tags: int = 0
    manifests: int = 0
    requests: int = 0
    failures: int = 0
    name: str = ""
    rate: float = 0.0
    left: float | None = None


class Progress(Protocol):
    """Is told how far the run is, now and then."""

    def __call__(self, state: State, /) -> None: ...


def silent(state: State) -> None:
    """Nobody watches."""


def never() -> bool:
    """Nobody stops it."""
    return False


class Stopped(Exception):  # the registry has gone away, and the error says why
    pass


def run(registry: Registry, progress: Progress = silent) -> Sync:
    """A whole round in the foreground, begun now or gone on with, and what it came to: `failures` names
    repositories that couldn't be read in full, `problem` says why the round as a whole ended early, empty
    when it didn't. Never raises an `oci.Error`."""
    sync = rounds.begin(registry, timezone.now(), foreground=True)
    assert sync is not None
    Run(registry, sync, progress=progress).go()
    sync.refresh_from_db()
    return sync


def crawl(registry: Registry, stop: Callable[[], bool] = never) -> Sync | None:
    """What is due of a registry, in the background: no more than its share of the time, save for what was
    never read. None when nothing is due. What `stop` ends, another goes on with."""
    sync = rounds.begin(registry, timezone.now(), foreground=False)
    if sync is not None:
        Run(registry, sync, share=settings.SYNC_SHARE, stop=stop).go()
        sync.refresh_from_db()
    return sync


@dataclass
class Group:
    """Repositories read together, and how many talks about their tags are still to end."""

    rows: Sequence[Repository]
    changed: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)
    left: int = 0


@dataclass
class Step:
    """A part of the run; its talk comes to the parts that follow. One that `keeps` looks for what is missing,
    which no two may do at a time: they would both fetch it."""

    talk: Talk[Sequence["Step"]]
    keeps: bool = False


class Run:
    """A process's part in a round."""

    def __init__(
        self,
        registry: Registry,
        sync: Sync,
        *,
        progress: Progress = silent,
        share: float = 1.0,
        stop: Callable[[], bool] = never,
    ) -> None:
        self.registry, self.sync, self.progress, self.share, self.stop = registry, sync, progress, share, stop
        self.problems: dict[str, list[str]] = {}
        self.done, self.tags, self.manifests, self.total = sync.repositories, 0, 0, 0
        self.reported = rounds.Done(repositories=self.done)
        self.failures_reported = 0
        self.held: dict[int, Repository] = {}
        self.asking, self.keeping = deque[Step](), deque[Step]()
        self.kept, self.hurry = False, share >= 1
        self.began = time.monotonic()
        self.beat_at, self.resume_at, self.worked_since = 0.0, 0.0, self.began

    def go(self) -> None:
        """Take part until nothing is left. Whatever ends it, no claim stays behind."""
        problem, ended = "", False
        try:
            self.client = connect.crawler(self.registry)
            self.before = self.client.requests
            self.catalog = Catalog(self.registry, self.client, self.sync)
            try:
                with Crew[Sequence[Step]](self.client, settings.SYNC_CONCURRENCY, settings.SYNC_RATE) as crew:
                    self.crew = crew
                    ended = self.read()
                problem = self.catalog.problem
            finally:
                self.catalog.release()
                claims.release(list(self.held.values()))
                self.report()
        except (oci.Error, Stopped) as error:
            problem = str(error)
        except BaseException:
            problem = "The run was interrupted."
            raise
        finally:
            # What was merely stopped, someone else goes on with.
            if ended or problem:
                rounds.finish(self.sync, timezone.now(), problem, ended=ended)

    def read(self) -> bool:
        """Everything that waits, and the catalog beside it; whether that came to its end."""
        self.tell()
        while not self.stop():
            self.beat()
            self.look()
            self.begin()
            if self.crew.talks:
                for following in self.crew.finished(WAIT):
                    self.follow(following)
            elif not (self.asking or self.keeping or self.claim()):
                if not self.catalog.finished:
                    time.sleep(MOMENT if self.catalog.is_young else WAIT)
                elif not claims.waiting(self.registry, self.sync.started_at).exists():
                    return True
                else:
                    time.sleep(WAIT)  # others are at it, or died at it
        return False

    def look(self) -> None:
        """See to the catalog."""
        if not self.catalog.finished:
            if self.catalog.look():
                self.count()
            if self.catalog.outage is not None:
                self.check(self.catalog.outage)

    def begin(self) -> None:
        """Start as much as should be under way: answers wait to be kept, and questions to be asked."""
        if self.keeping and not self.kept:
            self.kept = True
            self.start(self.keeping.popleft())
        if not self.asking and self.hurry and self.crew.talks < ASKING:
            self.claim()
        while self.asking and self.crew.talks < ASKING and len(self.keeping) < KEEPING:
            self.start(self.asking.popleft())

    def start(self, step: Step) -> None:
        # What is wanted to keep a batch comes first, for the next batch waits for it.
        talk = self.alone(step.talk) if step.keeps else step.talk
        for following in self.crew.begin(talk, first=step.keeps):
            self.follow(following)

    def alone(self, talk: Talk[Sequence[Step]]) -> Talk[Sequence[Step]]:
        try:
            return (yield from talk)
        finally:
            self.kept = False

    def follow(self, steps: Sequence[Step]) -> None:
        """Queue the parts that follow from one, before what follows from others."""
        self.asking.extendleft(step for step in reversed(steps) if not step.keeps)
        self.keeping.extend(step for step in steps if step.keeps)

    def claim(self) -> bool:
        """Claim some repositories, unless there are none, or the share of the time is used up."""
        now = time.monotonic()
        if not self.hurry and not self.held and self.worked_since:
            self.resume_at = now + pace.rest(now - self.worked_since, self.share)
            self.worked_since = 0.0
        if now < self.resume_at:
            return False
        rows = claims.repositories(self.registry, self.moment, timezone.now(), REPOSITORIES)
        if not rows:
            return False
        self.held |= {row.pk: row for row in rows}
        # What was never read shows nothing on any page, so it doesn't have to wait.
        self.hurry = self.share >= 1 or any(row.listed_at is None for row in rows)
        self.worked_since = self.worked_since or now
        self.asking.append(Step(self.list_tags(Group(rows))))
        return True

    @property
    def moment(self) -> datetime:
        """What was to be read by then is this round's: by its beginning. A catalog that takes longer than
        rounds are apart mustn't keep those waiting that have become due again; only who waits for the round
        wants no more than one."""
        now, began = timezone.now(), self.sync.started_at
        overdue = not self.catalog.finished and now - began > settings.SYNC_EVERY
        return now if overdue and self.share < 1 else began

    def list_tags(self, group: Group) -> Talk[Sequence[Step]]:
        """The tags of these repositories, then what each is on."""
        group.changed, errors = yield from reader.listing_all(group.rows)
        for row, error in errors:
            self.problems.setdefault(row.name, []).append(str(error))
            group.failed.add(row.pk)
        if errors:
            self.check(errors[0][1])
        wanted = Tag.objects.listed().filter(
            repository__in=[row.pk for row in group.rows if row.pk not in group.failed]
        )
        keys = wanted.order_by("repository", "name").values_list("pk", flat=True)
        steps = [Step(self.ask_tags(group, some)) for some in batches(list(keys), TAGS)]
        group.left = len(steps)
        return steps or [Step(self.sum_up(group), keeps=True)]

    def ask_tags(self, group: Group, keys: Sequence[int]) -> Talk[Sequence[Step]]:
        began = timezone.now()
        answers = yield from ask(reader.question, reader.load(keys, group.rows))
        return [Step(self.keep_tags(group, answers, began), keeps=True)]

    def keep_tags(
        self, group: Group, answers: Sequence[tuple[Known, object]], began: datetime
    ) -> Talk[Sequence[Step]]:
        outcome = yield from reader.keeping(answers, began)
        group.changed |= outcome.changed
        self.tags += len(answers)
        self.note(outcome)
        group.left -= 1
        return [] if group.left else [Step(self.sum_up(group), keeps=True)]

    def sum_up(self, group: Group) -> Talk[Sequence[Step]]:
        """What only indexes name, and the sums; then others may read these repositories."""
        for row in group.rows:
            if row.pk in group.failed:
                continue
            if row.pk in group.changed or row.size is None:
                outcome = yield from reader.descending(row)
                if outcome.changed:
                    group.changed.add(row.pk)
                self.note(outcome)
            if row.pk in group.changed or row.tag_count is None:
                usage.total(row)
        now = timezone.now()
        well = [row for row in group.rows if row.name not in self.problems]
        claims.release(well, now + settings.SYNC_EVERY)
        badly = [row for row in group.rows if row.name in self.problems]
        claims.release(badly, now + min(rounds.RETRY, settings.SYNC_EVERY))
        for row in group.rows:
            del self.held[row.pk]
            self.done += 1
            self.tell(row.name)
        return []

    def note(self, outcome: contents.Outcome) -> None:
        """Add a part's outcome to the run's; raises `Stopped` when the registry has gone away."""
        self.manifests += outcome.new
        for repository, problem in outcome.failures:
            self.problems.setdefault(repository.name, []).append(problem)
        if outcome.outage is not None:
            self.check(outcome.outage)

    def check(self, error: oci.Error) -> None:
        """Nothing when the registry still answers: then the error was about one thing. Else raises
        `Stopped`."""
        if not connect.is_outage(error):
            return
        try:
            self.client.until(time.monotonic() + ALIVE).ping()
        except oci.Error as gone:
            raise Stopped(str(gone)) from error

    def beat(self) -> None:
        """Now and then: hold on to what is claimed, and tell how far it is."""
        if time.monotonic() - self.beat_at < BEAT:
            return
        self.beat_at = time.monotonic()
        if connect.crawler(self.registry) is not self.client:
            raise Stopped("The registry is reached another way from now on.")
        now = timezone.now()
        claims.renew(self.held, now)
        self.catalog.renew(now)
        self.report()
        self.count()
        self.tell()

    def count(self) -> None:
        self.total = self.done + claims.waiting(self.registry, self.sync.started_at).count()

    def tell(self, name: str = "") -> None:
        requests = self.client.requests - self.before
        seconds = max(time.monotonic() - self.began, 0.001)
        total = max(self.total, self.done)
        self.progress(
            State(
                done=self.done,
                total=total,
                tags=self.tags,
                manifests=self.manifests,
                requests=requests,
                failures=len(self.problems),
                name=name,
                rate=requests / seconds,
                # What others did of this round before, or do beside, says nothing about this run's speed.
                left=rounds.left(seconds, self.done - self.sync.repositories, total - self.done)
                if total
                else None,
            )
        )

    def report(self) -> None:
        """Write down what was done since the last time."""
        done = rounds.Done(self.done, self.tags, self.manifests, self.client.requests - self.before)
        known = sum(map(len, self.problems.values()))
        failures = {name: summary(problems) for name, problems in self.problems.items()}
        rounds.add(self.sync, done.since(self.reported), failures if known > self.failures_reported else {})
        self.reported, self.failures_reported = done, known


def summary(problems: Sequence[str]) -> str:
    """The first of a repository's problems, and how many more there are."""
    return problems[0] if len(problems) == 1 else f"{problems[0]} (and {len(problems) - 1} more)"
