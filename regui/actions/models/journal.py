"""The journal: every change regui made or tried to make, and the bytes that would take it back."""

import secrets
import zlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Count, OuterRef, Prefetch, Q
from django.db.models.functions import Coalesce

from regui.index import search

# How long whoever carries an action out has it to themselves before someone else may go on with it: longer
# than any request's time limit. It is renewed at every step.
LEASE = timedelta(minutes=2)


NAMES = search.Names(
    tags=("items__tag",),
    repositories=("repository",),
    digests=("digest", "items__digest"),
    others=("registry", "repository", "digest", "actor", "address", "state", "reason"),
)


def new_id() -> str:
    """16 hex characters, short enough to type after `regui undo`."""
    return secrets.token_hex(8)


class ActionQuerySet(models.QuerySet["Action"]):
    def matching(self, query: search.Query, *, reasons: bool = True) -> Self:
        """Actions that the query lets through: a word stands in who, where, what, or why it failed; not in
        the reasons where these may name what somebody may not see."""
        names = NAMES if reasons else replace(NAMES, others=[one for one in NAMES.others if one != "reason"])
        return search.named(self, query, names)

    def due(self, now: datetime) -> Self:
        """Actions that someone has to carry out: those whose time has come, and those whose runner has died
        or was told to come back later."""
        free = Q(leased_until=None) | Q(leased_until__lt=now)
        ready = Q(not_before=None) | Q(not_before__lte=now)
        return self.filter(free, ready, state__in=[Action.State.WAITING, Action.State.RUNNING])

    def with_first_items(self, most: int) -> Self:
        """Actions whose `items` are their first ones, and which count their tags as `tag_count`: a list of
        actions on thousands of tags each reads no more than it shows."""
        tagged = Item.objects.filter(action=OuterRef("pk")).exclude(tag="").order_by().values("action")
        count = tagged.annotate(count=Count("tag", distinct=True)).values("count")
        first = Prefetch("items", Item.objects.filter(position__lt=most))
        return self.prefetch_related(None).prefetch_related(first).annotate(tag_count=Coalesce(count, 0))

    def open(self) -> Self:
        """Actions that haven't ended."""
        return self.filter(state__in=[Action.State.WAITING, Action.State.RUNNING])


class Action(models.Model):
    """One change: who asked for it, from where, what it was to touch, and how it ended."""

    class State(models.TextChoices):
        PLANNED = "planned"
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        PARTIAL = "partial"
        FAILED = "failed"
        CANCELLED = "cancelled"
        UNDONE = "undone"

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    registry = models.CharField(max_length=32)
    repository = models.CharField(max_length=255)
    kind = models.CharField(max_length=32)
    digest = models.CharField(max_length=140, blank=True, help_text="what it is about; empty when many")
    actor = models.CharField(max_length=150)
    address = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.PLANNED)
    reason = models.TextField(blank=True, help_text="why it is not simply done")
    hint = models.TextField(blank=True, help_text="what a person can do about the reason")
    error_code = models.CharField(
        max_length=32, blank=True, help_text="the slug of the error behind the reason"
    )
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True, help_text="when to begin, or to try again; null means now")
    leased_until = models.DateTimeField(null=True, help_text="until when one runner has it to itself")
    tries = models.PositiveIntegerField(default=0, help_text="how often the registry fell silent over it")
    stop = models.BooleanField(default=False, help_text="a person wants it to end before its next step")
    look_at = models.DateTimeField(
        null=True, help_text="when to see in the registry's notifications whether it cost anybody a push"
    )
    undoes = models.CharField(max_length=16, blank=True, help_text="the action this one takes back")
    bytes_total = models.PositiveBigIntegerField(
        default=0, help_text="bytes of blobs that must be at the target in the end; 0 when none move"
    )
    bytes_done = models.PositiveBigIntegerField(default=0, help_text="how many of them are there by now")
    credentials = models.TextField(
        blank=True, help_text="sealed, until it ends: those that registries want from whoever asked for it"
    )
    plan = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64)

    objects = ActionQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-id"]
        indexes = [
            models.Index(fields=["-started_at", "-id"], name="action_newest"),
            models.Index(
                fields=["started_at"], name="action_open", condition=Q(state__in=["waiting", "running"])
            ),
            models.Index(fields=["look_at"], name="action_look", condition=Q(look_at__isnull=False)),
            models.Index(fields=["undoes"], name="action_undoes", condition=~Q(undoes="")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.repository}{f'@{self.digest}' if self.digest else ''}"

    @property
    def tags(self) -> list[str]:
        """The tags it is about, by name."""
        return [item.tag for item in self.items.all() if item.tag]

    @property
    def is_open(self) -> bool:
        """Whether it hasn't ended."""
        return self.state in {self.State.WAITING, self.State.RUNNING}


class Item(models.Model):
    """One thing an action was to do or to take along, and its `result`: empty while unknown."""

    class Result(models.TextChoices):
        DONE = "done"
        GONE = "already gone"
        SKIPPED = "skipped"
        FAILED = "failed"
        CANCELLED = "cancelled"

    action = models.ForeignKey(Action, models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    repository = models.CharField(max_length=255)
    tag = models.CharField(max_length=128, blank=True)
    digest = models.CharField(max_length=140)
    do = models.CharField(max_length=32)
    before = models.CharField(  # noqa: DJ001 — empty says that there must be none, null that it doesn't matter
        max_length=140,
        null=True,
        help_text="the digest the tag has to be on, or to have been on, before",
    )
    source = models.CharField(max_length=300, blank=True, help_text="registry/repository to copy from")
    passing = models.CharField(
        max_length=140, blank=True, help_text="what lies on the tag for a moment, to take it away"
    )
    begun_at = models.DateTimeField(null=True, help_text="set before its first request that changes anything")
    result = models.CharField(max_length=16, choices=Result, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["action", "position"], name="item_position")]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.do} {self.repository}{':' if self.tag else '@'}{self.tag or self.digest}"


class Kept(models.Model):
    """The bytes of a manifest that an action takes away or leaves without a name: PUT back as they are, under
    their media type, they give the same digest. For an index its children are kept too, each in a row."""

    action = models.ForeignKey(Action, models.CASCADE, related_name="kept")
    position = models.PositiveIntegerField(
        help_text="the order to put them back in: children before their index"
    )
    repository = models.CharField(max_length=255)
    digest = models.CharField(max_length=140)
    media_type = models.CharField(max_length=255)
    deflated = models.BinaryField()
    tags = models.JSONField(default=list, help_text="the tags it had, by name")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["action", "digest"], name="kept_once")]
        indexes = [models.Index(fields=["digest"], name="kept_digest")]
        ordering = ["position"]
        verbose_name_plural = "kept"

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}"

    @property
    def body(self) -> bytes:
        return zlib.decompress(self.deflated)


class Protection(models.Model):
    """Tags that nothing may take away or move, wherever they are in repositories of that pattern: by name, so
    that it holds for what comes, and stays whatever is crawled anew."""

    registry = models.CharField(max_length=32)
    repositories = models.CharField(max_length=255, help_text="a pattern such as team/**")
    tags = models.CharField(max_length=128, help_text="a pattern such as v*")
    note = models.CharField(max_length=200, blank=True, help_text="why, in whoever's words")
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registry", "repositories", "tags"], name="protection_once")
        ]
        ordering = ["registry", "repositories", "tags"]

    def __str__(self) -> str:
        return f"{self.registry}/{self.repositories}:{self.tags}"


class Remains(models.Model):
    """What the registry was last found to have of a manifest that an action deleted: whether it can come
    back, as far as anyone looked."""

    item = models.OneToOneField(Item, models.CASCADE, primary_key=True, related_name="remains")
    looked_at = models.DateTimeField(help_text="when its blobs were last asked for")
    there_at = models.DateTimeField(null=True, help_text="when all of them were last seen to be there")
    blobs = models.PositiveIntegerField(help_text="how many it needs, its children's among them")
    alone = models.PositiveIntegerField(help_text="of these, how many nothing else needs that is known")
    gone = models.JSONField(default=list, help_text="digests of those that can't be read any more")

    class Meta:
        verbose_name_plural = "remains"

    def __str__(self) -> str:
        return f"{len(self.gone)} of {self.blobs} gone"


class Collection(models.Model):
    """A garbage collection, noticed by what it took: that was there at one moment and gone at the other."""

    registry = models.CharField(max_length=32)
    after = models.DateTimeField()
    before = models.DateTimeField()
    blobs = models.PositiveIntegerField(help_text="how many were found to be gone when it was noticed")

    class Meta:
        indexes = [models.Index(fields=["registry", "-before"], name="collection_latest")]
        ordering = ["-before"]
        get_latest_by = "before"

    def __str__(self) -> str:
        return f"{self.registry} {self.after:%Y-%m-%d %H:%M} to {self.before:%Y-%m-%d %H:%M}"


class Garbage(models.Model):
    """What waits in a registry for its next collection, as last summed up; and how the last look for a
    collection went."""

    registry = models.CharField(max_length=32, primary_key=True)
    as_of = models.DateTimeField(help_text="when it was summed up")
    size = models.PositiveBigIntegerField(default=0, help_text="bytes that only deleted manifests need")
    manifests = models.PositiveIntegerField(default=0, help_text="how many those are")
    since = models.DateTimeField(null=True, help_text="since when the first of them waits")
    looked_at = models.DateTimeField(null=True, help_text="when a collection was last looked for")
    doubt = models.TextField(blank=True, help_text="why that look proves nothing; empty when it does")

    class Meta:
        verbose_name_plural = "garbage"

    def __str__(self) -> str:
        return f"{self.registry}: {self.size}"
