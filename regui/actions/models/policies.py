"""Policies that clean up, and their runs."""

import hashlib
import json
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from regui.actions.models.journal import new_id
from regui.retention.policy import Policy


class PolicyQuerySet(models.QuerySet["PolicyRow"]):
    def due(self, now: datetime) -> Self:
        """Those whose time has come, and that nobody paused."""
        return self.filter(paused=False, next_at__lte=now)


class PolicyRow(models.Model):
    """A policy as it was saved. It acts with the rights that its `owner`, who saved or last approved it, has
    when it runs."""

    registry = models.CharField(max_length=32)
    name = models.CharField(max_length=48)
    document = models.JSONField(help_text="`retention.policy.Policy.plain`")
    owner = models.CharField(max_length=150, help_text="an actor's name")
    owned_at = models.DateTimeField(
        default=timezone.now, help_text="since when: a name may be somebody else's later"
    )
    approved = models.CharField(
        max_length=64,
        blank=True,
        help_text="the fingerprint of the policy that a person has seen a dry run of and let go ahead",
    )
    allowed = models.JSONField(null=True, help_text="the policy as it was when somebody last let it go ahead")
    paused = models.BooleanField(default=False)
    next_at = models.DateTimeField(null=True, help_text="when it runs next by its schedule")
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField()

    objects = PolicyQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registry", "name"], name="policy_once")]
        indexes = [models.Index(fields=["next_at"], name="policy_due", condition=Q(paused=False))]
        ordering = ["registry", "name"]
        verbose_name = "policy"
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return f"{self.registry}/{self.name}"

    @property
    def policy(self) -> Policy:
        """The policy itself. What was saved once can be read."""
        return Policy.read(self.document)

    @property
    def keeping(self) -> list[Policy]:
        """The forms of it by whose keep rules others have to go: as it is, and until that is approved also as
        it last was. An edit that nobody has looked at lets no other policy go further."""
        if self.is_approved or self.allowed in (None, self.document):
            return [self.policy]
        return [self.policy, Policy.read(self.allowed)]

    @property
    def is_approved(self) -> bool:
        """Whether a person has let it go ahead as it is now."""
        return self.approved == self.policy.fingerprint

    @property
    def was_approved(self) -> bool:
        """Whether a person had let it go ahead as it is now, which doesn't hold any more."""
        if self.is_approved or self.allowed is None:
            return False
        return Policy.read(self.allowed).fingerprint == self.policy.fingerprint

    @property
    def mark(self) -> str:
        """64 hex characters that are others once anything of it is, notes and when it runs as well."""
        return hashlib.sha256(json.dumps(self.document, sort_keys=True).encode()).hexdigest()


class RunQuerySet(models.QuerySet["Run"]):
    def due(self, now: datetime) -> Self:
        """Runs that a worker has to go on with, or to take back."""
        free = Q(leased_until=None) | Q(leased_until__lt=now) | Q(pausing=True, stop=True)
        back = Q(undo_at__isnull=False, undone_at=None)
        return self.filter(free, back | Q(state__in=Run.OPEN))

    def ended(self) -> Self:
        """Runs that are over: nothing is done any more but to take them back."""
        return self.exclude(state__in=[*Run.OPEN, Run.State.ASKING])


class Run(models.Model):
    """One time that a policy was carried out, or tried dry: what it found, and what became of it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DECIDING = "deciding"
        ASKING = "asking", "waits for a person"
        RUNNING = "running"
        DONE = "done"
        PARTIAL = "partial"
        FAILED = "failed"
        CANCELLED = "cancelled"
        DRY = "dry", "dry run"

    class Trigger(models.TextChoices):
        SCHEDULE = "schedule"
        FIRST = "first", "saved"
        PERSON = "person"
        COMMAND = "command"

    # What a worker goes on with; one that asks waits for a person.
    OPEN = (State.WAITING, State.DECIDING, State.RUNNING)

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    registry = models.CharField(max_length=32)
    policy = models.CharField(max_length=48, help_text="its name")
    document = models.JSONField(help_text="the policy as it was")
    dry = models.BooleanField(default=False, help_text="nothing is changed, whatever it finds")
    trigger = models.CharField(max_length=8, choices=Trigger)
    begun_by = models.CharField(
        max_length=150, blank=True, help_text="who began it; empty where that isn't known any more"
    )
    actor = models.CharField(max_length=150, help_text="with whose rights: of who approved it, by then")
    address = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    reason = models.TextField(blank=True, help_text="why it isn't simply done, or what it asks")
    started_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, help_text="as of when it decided")
    finished_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True, help_text="until when one worker has it to itself")
    pausing = models.BooleanField(
        default=False, help_text="nobody is at it until then: it only waits for its next try"
    )
    tries = models.PositiveIntegerField(default=0, help_text="how often in a row the registry fell silent")
    stop = models.BooleanField(default=False, help_text="a person wants it to end before its next repository")
    approved_by = models.CharField(max_length=150, blank=True)
    approved_at = models.DateTimeField(null=True)
    undo_by = models.CharField(max_length=150, blank=True, help_text="who wants it taken back")
    undo_address = models.CharField(max_length=64, blank=True)
    undo_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True, help_text="when all that can be taken back was asked for")
    told_at = models.DateTimeField(null=True, help_text="when its summary was sent; null while it is to be")
    told_state = models.CharField(
        max_length=16, blank=True, help_text="the state that was told of last, or given up on telling of"
    )
    tell_at = models.DateTimeField(null=True, help_text="when to try to tell again")
    tell_tries = models.PositiveSmallIntegerField(default=0, help_text="how often that failed, of this state")
    told_by = models.JSONField(default=list, help_text="the states and ways that were told: 'done e-mail'")
    untold = models.TextField(blank=True, help_text="why it couldn't be told, the last time it was tried")
    # What it decided.
    repositories = models.PositiveIntegerField(default=0, help_text="how many it looked at")
    tags = models.PositiveIntegerField(default=0, help_text="tags in these")
    keeps = models.PositiveIntegerField(default=0)
    drops = models.PositiveIntegerField(default=0)
    manifests = models.PositiveIntegerField(default=0, help_text="digests that go")
    untagged = models.PositiveIntegerField(default=0, help_text="of these, without a tag before")
    frees = models.PositiveBigIntegerField(null=True, help_text="bytes; null while that isn't known")
    counts = models.JSONField(
        default=list, help_text="[[keep, how, rule, policy, tags], …]: `deciding.Verdict`s with their counts"
    )
    # What it did; null until it has ended, and for those that did nothing.
    went = models.PositiveIntegerField(null=True, help_text="tags that it dropped")
    deleted = models.PositiveIntegerField(null=True, help_text="digests that it deleted")
    bare = models.PositiveIntegerField(null=True, help_text="of these, without a tag before")
    freed = models.PositiveBigIntegerField(null=True, help_text="bytes that nothing needs since")

    objects = RunQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["registry", "policy", "-started_at"], name="run_of_policy"),
            models.Index(
                fields=["started_at"],
                name="run_open",
                condition=Q(state__in=["waiting", "deciding", "running"]),
            ),
            models.Index(fields=["finished_at"], name="run_finished"),
        ]
        ordering = ["-started_at", "-id"]
        get_latest_by = "started_at"

    def __str__(self) -> str:
        return f"{self.registry}/{self.policy} {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def is_open(self) -> bool:
        """Whether a worker goes on with it."""
        return self.state in self.OPEN

    @property
    def left(self) -> int:
        """How many tags stayed, or weren't there, that it had found to go; 0 until that is known."""
        return 0 if self.went is None else self.drops - self.went

    @property
    def fingerprint(self) -> str:
        """That of the policy as it was."""
        return Policy.read(self.document).fingerprint

    def is_of(self, document: dict[str, Any] | None) -> bool:
        """Whether a policy, as it is kept, does what it did when the run began; None is for one that isn't
        there any more."""
        return document is not None and Policy.read(document).fingerprint == self.fingerprint


class Part(models.Model):
    """What a run found, and did, in one repository: only those in which it drops anything have one.
    Tags stand there as versions do, newest first."""

    run = models.ForeignKey(Run, models.CASCADE, db_index=False, related_name="parts")
    repository = models.CharField(max_length=255)
    tags = models.PositiveIntegerField(help_text="tags it looked at")
    dropped = models.JSONField(default=list, help_text="[[tag, digest, reason], …]")
    untagged = models.JSONField(default=list, help_text="digests without a tag")
    action = models.CharField(max_length=16, blank=True, help_text="the action that carried it out")
    done = models.BooleanField(default=False, help_text="nothing is left to do in it")
    reason = models.TextField(blank=True, help_text="why it was skipped, or not all of it was done")
    left = models.JSONField(
        default=list,
        help_text="[[tag or untagged digest, reason], …]: what of it didn't go when it was carried out",
    )
    went = models.PositiveIntegerField(null=True, help_text="tags that went; null until its action has ended")
    deleted = models.PositiveIntegerField(null=True, help_text="digests that were deleted")
    bare = models.PositiveIntegerField(null=True, help_text="of these, without a tag before")
    freed = models.PositiveBigIntegerField(null=True, help_text="bytes that nothing needs since")
    undo = models.CharField(max_length=16, blank=True, help_text="the action that takes it back")
    lost = models.TextField(blank=True, help_text="what of it can't be taken back, and why")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "repository"], name="part_once")]
        indexes = [models.Index(fields=["action"], name="part_action", condition=~Q(action=""))]
        ordering = ["repository"]

    def __str__(self) -> str:
        return f"{self.run}: {self.repository}"
