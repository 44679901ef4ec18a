"""Putting a tag on a manifest that the repository has: a new tag, a move, a roll back. No blob is sent."""

import time
from datetime import timedelta

from django.utils import timezone

from regui import oci
from regui.actions import guard, plans, touched, untag
from regui.actions.plans import Bytes, Check, Plan, Step, TagOn
from regui.index import fetch, graph
from regui.index.models import Manifest, Repository


def look(
    repository: Repository,
    reference: str,
    tag: str,
    *,
    max_age: timedelta = fetch.MAX_AGE,
    budget: float = fetch.CHECK_BUDGET,
) -> Plan:
    """The plan to have `tag` lead where `reference`, a tag or a digest, leads; after asking the registry for
    both. Raises `oci.NotFound` when what it is to lead to isn't there, `oci.InvalidName` for no tag."""
    oci.check_tag(tag)
    deadline = time.monotonic() + budget
    manifest, reading = fetch.manifest(repository, reference, budget=budget, max_age=max_age)
    before, problem = now_on(repository, tag, max(deadline - time.monotonic(), 0), max_age)
    problem = problem or reading.problem
    overwritten = before.digest if before and before.pk != manifest.pk else ""
    moves = overwritten or before is None
    stay = touched.tags_of(repository, {manifest.digest})
    found = Plan(
        kind=plans.RETAG,
        registry=repository.registry.name,
        repository=repository.name,
        digest=manifest.digest,
        asked={"reference": reference, "tags": [tag]},
        media_type=manifest.media_type,
        what=manifest.kind or "manifest",
        steps=(Step(plans.PUT, repository.name, manifest.digest, tag, before=overwritten),) if moves else (),
        tags=(TagOn(tag, overwritten),) if overwritten else (),
        stay=tuple(one for one in stay if one.name != tag),
        left_behind=loses(repository, tag, before) if overwritten and before else (),
        bytes=Bytes(frees=0, stays=manifest.size),
        check=Check(
            checked=0 if problem else 2,
            total=2,
            as_of=reading.as_of or timezone.now(),
            complete=not problem,
            problem=problem,
            hint=reading.hint,
        ),
    )
    return guard.guarded(repository, found)


def now_on(
    repository: Repository, tag: str, budget: float, max_age: timedelta
) -> tuple[Manifest | None, str]:
    """What the tag is on, None when it isn't there; and why that couldn't be told."""
    try:
        manifest, reading = fetch.manifest(repository, tag, budget=budget, max_age=max_age)
    except oci.NotFound:
        return None, ""
    except oci.Error as error:
        return None, str(error)
    return manifest, reading.problem


def loses(repository: Repository, tag: str, before: Manifest) -> tuple[plans.Child, ...]:
    """What the tag was on, when nothing else leads there: it stays where no list shows it."""
    others = graph.tags_on(repository, before.digest).exclude(name=tag)
    return () if others.exists() else untag.left_behind(repository, before)
