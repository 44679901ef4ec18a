"""What a run finds: counts over all that its policy covers, a part for each repository that loses something,
and whether somebody has to be asked first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from regui.accounts import standing
from regui.accounts.access import Actor
from regui.actions import many, plans, retain
from regui.actions.models import Part, PolicyRow, Run
from regui.actions.plans import Plan
from regui.actions.retention import facts, freeing, keeping, preview
from regui.actions.retention.facts import Stand
from regui.actions.retention.turns import LONG, Turn
from regui.index.models import Registry, Repository, name_key
from regui.retention import deciding
from regui.retention.deciding import Decision, Verdict
from regui.retention.policy import Policy

State = Run.State
# How many parts are written at a time.
BATCH = 50
NEVER = "Nobody has approved this policy yet."
NO_REGISTRY = "There is no registry {} any more."


def acting(run: Run) -> Actor:
    """Who the run acts for, with the rights they have by now. Raises `standing.Nobody`."""
    return standing.actor(run.actor, run.approved_at or run.started_at, run.address)


def decide(turn: Turn) -> Run:
    """The run once it has decided: it asks, is over, or goes on by what it found."""
    run = turn.run
    if run.stop:
        return turn.end(State.CANCELLED, run.reason)
    turn.hold()
    turn.write(state=State.DECIDING)
    try:
        registry = Registry.objects.get(name=run.registry, active=True)
        actor = acting(run)
    except Registry.DoesNotExist:
        return turn.end(State.FAILED, NO_REGISTRY.format(run.registry))
    except standing.Nobody as error:
        return turn.end(State.FAILED, str(error))
    found = Finding(turn, registry, actor)
    found.look()
    return found.concluded()


@dataclass
class Finding:
    """A decision under way."""

    turn: Turn
    registry: Registry
    actor: Actor
    repositories: int = 0
    tags: int = 0
    drops: int = 0
    manifests: int = 0
    untagged: int = 0
    emptied: int = 0
    bared: int = 0
    counts: Counter[Verdict] = field(default_factory=Counter)
    parts: list[Part] = field(default_factory=list)

    def look(self) -> None:
        """Decide on all repositories in which the actor may delete, and write the parts."""
        run, self.now = self.turn.run, timezone.now()
        self.policy = Policy.read(run.document)
        self.others = keeping.policies(run.registry)
        run.parts.all().delete()  # of somebody who began with it and died
        reach, moment = preview.Reach(self.registry, self.actor), facts.moment(self.registry, self.now)
        for stand, decision in preview.decided(reach, self.policy, self.others, moment):
            self.turn.keep()
            self.take(stand, decision)
        self.write()

    def take(self, stand: Stand, decision: Decision) -> None:
        """Count what was decided of one repository, and note what it loses."""
        self.repositories += 1
        self.tags += len(stand.tags)
        self.counts.update(decision.counts)
        if stand.wary:
            self.note(Part(repository=stand.name, tags=0, done=True, reason=stand.wary))
            return
        reasons = {
            tag.name: decision.reason(place)
            for place, (tag, verdict) in enumerate(zip(stand.tags, decision.verdicts, strict=True))
            if not verdict.keep
        }
        self.drops += len(reasons)
        if not reasons and not self.policy.untagged:
            return
        self.emptied += bool(reasons) and len(reasons) == len(stand.tags)
        self.note_plan(stand, reasons)

    def note_plan(self, stand: Stand, reasons: dict[str, str]) -> None:
        """Note what the plan for a repository takes away."""
        repository = Repository.objects.select_related("registry").get(pk=stand.key)
        plan = retain.look(repository, self.policy, self.others, self.now, run=self.turn.run.pk, max_age=None)
        on = {tag.name: tag.digest for tag in plan.tags}
        # Facts come in whatever order the database has them.
        names = sorted(reasons.keys() & on, key=lambda name: (name_key(name), name), reverse=True)
        dropped = [[name, on[name], reasons[name]] for name in names]
        loose = list(plan.asked.get("digests", ()))
        if not dropped and not loose:
            return
        self.manifests += len(deleted(plan))
        self.untagged += len(loose)
        self.bared += not stand.tags and set(loose) >= set(many.loose(repository).values())
        self.note(Part(repository=stand.name, tags=len(stand.tags), dropped=dropped, untagged=loose))

    def note(self, part: Part) -> None:
        part.run = self.turn.run
        self.parts.append(part)
        if len(self.parts) >= BATCH:
            self.write()

    def write(self) -> None:
        Part.objects.bulk_create(self.parts)
        self.parts = []

    def concluded(self) -> Run:
        """The run with what was found, and what follows."""
        self.turn.hold(LONG)
        freed = freeing.freed(self.registry, self.policy, self.actor, self.now)
        found = {
            "decided_at": self.now,
            "repositories": self.repositories,
            "tags": self.tags,
            "keeps": self.tags - self.drops,
            "drops": self.drops,
            "manifests": self.manifests,
            "untagged": self.untagged,
            "frees": freed.frees,
            "counts": [[*verdict, count] for verdict, count in self.counts.most_common()],
        }
        run = self.turn.run
        with transaction.atomic():
            self.turn.hold()
            self.turn.write(**found)
            if run.stop:
                return self.turn.end(State.CANCELLED, run.reason)
            if run.dry:
                return self.turn.end(State.DRY)
            if asks := self.asks():
                return self.turn.end(State.ASKING, " ".join(asks))
            self.turn.write(state=State.RUNNING)
        return run

    def asks(self) -> Sequence[str]:
        """What a person has to be asked, in sentences; names of repositories are for those who may see them,
        so there are none."""
        found = [] if self.is_approved() else [NEVER]
        drops = f"It would drop {self.drops:,} of {self.tags:,} tags"
        if self.drops * 100 > self.policy.limit * self.tags:
            share = deciding.percent(self.drops, self.tags)
            found.append(f"{drops} ({share} %), more than {self.policy.limit} %.")
        elif found:
            found.append(f"{drops}.")
        if self.emptied:
            found.append(f"It would leave {repositories(self.emptied)} without a tag.")
        if self.bared:
            found.append(f"It would delete all that is left of {repositories(self.bared)} without tags.")
        return found

    def is_approved(self) -> bool:
        """Whether somebody has let the policy go ahead as it runs."""
        rows = PolicyRow.objects.filter(registry=self.registry.name, name=self.policy.name)
        return any(row.approved == self.policy.fingerprint for row in rows)


def repositories(count: int) -> str:
    return "1 repository" if count == 1 else f"{count:,} repositories"


def deleted(plan: Plan) -> list[str]:
    """The digests that a plan deletes."""
    return [step.digest for step in plan.steps if step.do == plans.DELETE_DIGEST]
