"""Taking one tag away: its manifest and every other tag on it stay."""

import contextlib
import time
from datetime import timedelta

from django.utils import timezone

from regui import oci
from regui.actions import guard, overriding, plans, touched
from regui.actions.plans import Bytes, Check, Child, Plan, Step, TagOn
from regui.index import fetch, graph
from regui.index.models import Manifest, Repository

# Seconds for reading tags that were never read: one of them may be a sibling, to be named as one that stays.
SIBLINGS = 5.0


def look(
    repository: Repository,
    tag: str,
    *,
    max_age: timedelta = fetch.MAX_AGE,
    budget: float = fetch.CHECK_BUDGET,
    override: str = "",
) -> Plan:
    """The plan after asking the registry what the tag is on, and reading what else may be on that, for a
    while: siblings stay in any case. Raises `oci.NotFound` when the tag isn't there."""
    deadline = time.monotonic() + budget
    with contextlib.suppress(oci.Error):
        fetch.repository(repository, first=[tag], budget=min(budget, SIBLINGS), max_age=max_age)
    left = max(deadline - time.monotonic(), 0)
    manifest, reading = fetch.manifest(repository, tag, budget=left, max_age=max_age)
    stay = tuple(one for one in touched.tags_on(repository, oci.Digest(manifest.digest)) if one.name != tag)
    found = Plan(
        kind=plans.UNTAG,
        registry=repository.registry.name,
        repository=repository.name,
        digest=manifest.digest,
        asked={"tags": [tag], **overriding.asked(plans.UNTAG, override)},
        media_type=manifest.media_type,
        what=manifest.kind or "manifest",
        steps=(Step(plans.UNTAG, repository.name, manifest.digest, tag, before=manifest.digest),),
        tags=(TagOn(tag, manifest.digest, touched.role_of_tag(tag), reading.as_of),),
        stay=stay,
        left_behind=() if stay else left_behind(repository, manifest),
        bytes=Bytes(frees=0, stays=manifest.size),
        check=Check(
            checked=0 if reading.problem else 1,
            total=1,
            as_of=reading.as_of or timezone.now(),
            complete=not reading.problem,
            problem=reading.problem,
            hint=reading.hint,
            code=reading.error_code,
        ),
    )
    return guard.guarded(repository, found)


def left_behind(repository: Repository, manifest: Manifest) -> tuple[Child, ...]:
    """The manifest itself, when its last tag goes and no index has it: it stays where no list shows it."""
    if graph.parents(repository, manifest.digest):
        return ()
    return (Child(manifest.digest, manifest.platform, manifest.size),)
