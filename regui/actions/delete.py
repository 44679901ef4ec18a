"""Deleting a digest: what goes with it, what breaks, and what is left behind.

A registry deletes by digest, and takes every tag on that digest along without a word (OCI distribution
specification, "Deleting Manifests").
"""

import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from regui import oci
from regui.actions import guard, overriding, plans, touched
from regui.actions.freed import freed, together
from regui.actions.plans import Check, Plan, Step
from regui.index import fetch, graph
from regui.index.models import Manifest, Repository


def plan(
    repository: Repository,
    digest: oci.Digest,
    reading: fetch.Reading | None,
    now: datetime,
    *,
    along: bool = False,
    override: str = "",
) -> Plan:
    """What deleting the digest would touch, as the index has it, checked as far as the reading went. `along`:
    what refers to it goes too, and the children that nothing else leads to."""
    row = Manifest.objects.filter(registry=repository.registry, digest=digest).first()
    found = Plan(
        kind=plans.DELETE_DIGEST,
        registry=repository.registry.name,
        repository=repository.name,
        digest=digest,
        asked=asked(along, override),
        steps=(Step(plans.DELETE_DIGEST, repository.name, digest),),
        check=check_of(repository, reading, now),
    )
    if row is None or repository.pk is None:
        return found
    whole = replace(
        found,
        media_type=row.media_type,
        what=row.kind or found.what,
        tags=touched.tags_on(repository, digest),
        parents=touched.parents(repository, digest),
        referrers=touched.referrers(repository, digest),
        left_behind=touched.left_behind(repository, row),
        bytes=freed(repository, row),
    )
    return guard.guarded(repository, taken_along(repository, whole) if along else whole)


def taken_along(repository: Repository, plan: Plan) -> Plan:
    """The plan that takes what would speak about nothing, or be led to by nothing, with it: after the digest,
    which may need it as long as it is there."""
    more = [*(one.digest for one in plan.referrers), *(one.digest for one in plan.left_behind)]
    steps = [Step(plans.DELETE_DIGEST, repository.name, digest) for digest in dict.fromkeys(more)]
    rows = graph.held(repository).filter(digest__in={plan.digest, *more})
    tags = touched.tags_of(repository, more)
    return replace(
        plan,
        steps=(*plan.steps, *steps),
        tags=(*plan.tags, *tags),
        referrers=(),
        left_behind=(),
        bytes=together(repository, rows),
    )


def asked(along: bool, override: str = "") -> dict[str, Any]:
    return ({"along": True} if along else {}) | overriding.asked(plans.DELETE_DIGEST, override)


def check_of(repository: Repository, reading: fetch.Reading | None, now: datetime) -> Check:
    """A reading as the plan tells it; without one, or when it got nowhere, none of the tags is checked."""
    total = reading.total if reading else 0
    if not total and repository.pk is not None:
        total = repository.tags.listed().count()
    if reading is None:
        return Check(0, total, problem="Nothing was asked of the registry.")
    return Check(
        checked=reading.checked,
        total=total,
        as_of=reading.at or now,
        complete=reading.complete and not reading.problem,
        problem=reading.problem,
        hint=reading.hint,
        code=reading.error_code,
    )


def look(
    repository: Repository,
    digest: oci.Digest,
    *,
    max_age: timedelta = fetch.MAX_AGE,
    budget: float = fetch.CHECK_BUDGET,
    along: bool = False,
    override: str = "",
) -> Plan:
    """The plan after asking the registry, for at most `budget` seconds: what it lists, each tag confirmed no
    longer than `max_age` ago, and what refers to the digest. Its check says how far that went.

    Raises `oci.NotFound` when the registry no longer has the digest, or the repository.
    """
    deadline = time.monotonic() + budget
    if repository.pk is None:
        # 2.x doesn't know a repository in which nothing was ever tagged, yet gives out its manifests.
        fetch.manifest(repository, digest, budget=budget)
    reading = fetch.patiently(
        repository, first=lambda: names_on(repository, digest), budget=budget, max_age=max_age
    )
    if not reading.error_code:
        reading = about(repository, digest, reading, deadline, max_age)
    return plan(repository, digest, reading, timezone.now(), along=along, override=override)


def names_on(repository: Repository, digest: str) -> list[str]:
    """The tags that were last seen on the digest."""
    return list(graph.tags_on(repository, digest).values_list("name", flat=True))


def about(
    repository: Repository, digest: oci.Digest, reading: fetch.Reading, deadline: float, max_age: timedelta
) -> fetch.Reading:
    """The reading, after asking for the digest itself and all below it, what refers to it, and whether what
    has no tag is still there."""

    def left() -> float:
        return max(deadline - time.monotonic(), 0)

    try:
        # Asked for in any case: a registry that no longer has it may list no tag at all, and that is doubted.
        manifest, itself = fetch.manifest(repository, digest, budget=left(), max_age=timedelta())
        _, referrers = fetch.referrers(repository, manifest, budget=left(), max_age=max_age)
        others = fetch.verify(repository, untagged(repository, manifest), budget=left(), max_age=max_age)
    except oci.NotFound:
        raise
    except oci.Error as error:
        return replace(reading, **failure(str(error), error.code, error.hint))
    for one in (itself, referrers, others):
        if one.problem:
            return replace(reading, **failure(one.problem, one.error_code, one.hint))
    return reading


def failure(problem: str, code: str, hint: str) -> dict[str, Any]:
    """What a failure changes about a reading."""
    return {"complete": False, "problem": problem, "error_code": code, "hint": hint}


def untagged(repository: Repository, manifest: Manifest) -> list[str]:
    """The indexes that have the manifest and the children it leaves behind: no listing told of them."""
    parents = touched.parents(repository, oci.Digest(manifest.digest))
    children = touched.left_behind(repository, manifest)
    return [one.digest for one in parents if not one.tags] + [child.digest for child in children]
