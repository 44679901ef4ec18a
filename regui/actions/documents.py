"""Plans and actions for other programs: as JSON, the same object from a page, the command line and a file;
as rows of a table; and what somebody agrees to, read back from a file.

A file is nobody's word: what it says to touch is made again from the registry before anything runs. Reading
it only sees to it that it is a plan, and the one whose fingerprint it bears.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from regui import oci
from regui.actions import journal, kinds, plans, retain
from regui.actions.models import Action, Item
from regui.actions.plans import Agreed, Facts, Plan
from regui.retention.reading import Invalid

VERSION = 1
COMING = frozenset({plans.PUT, plans.COPY})
# What all that a plan touches is told by.
FACTS = tuple(Plan("", "", "").facts)
# What a plan of each kind says was asked, without which it can't be made again.
ASKED: dict[str, tuple[str, ...]] = {
    plans.UNTAG: ("tags",),
    plans.DELETE_TAGS: ("tags",),
    plans.RETAG: ("reference", "tags"),
    plans.RETAIN: ("policy", "rules"),
    plans.COPY: ("source", "reference", "tags"),
    plans.RESTORE: ("digest",),
    plans.UNDO: ("action",),
    plans.PUT_BACK: ("action", "tag", "digest"),
}


class Unusable(ValueError):
    """A text that isn't a plan, or not the one it says it is; in one sentence."""


def of_plan(plan: Plan) -> dict[str, Any]:
    """The plan, before anything was done of it."""
    whole = {"version": VERSION, "id": None, "state": Action.State.PLANNED.value, "dry_run": True}
    return whole | plan.as_json() | {"steps": [step(item) for item in journal.items(Action(), plan)]}


def of_action(action: Action) -> dict[str, Any]:
    """The action with its plan, and what became of each step."""
    whole = summary(action)
    touched: dict[str, Any] = action.plan
    # Its own facts come first, and hold where the plan's differ.
    return whole | touched | whole | {"steps": [step(item) for item in action.items.all()]}


def summary(action: Action) -> dict[str, Any]:
    """The action without what it touches, which may be much."""
    return {
        "version": VERSION,
        "id": action.pk,
        "state": action.state,
        "dry_run": False,
        "kind": action.kind,
        "registry": action.registry,
        "repository": action.repository,
        "digest": action.digest,
        "reason": action.reason,
        "hint": action.hint,
        "error_code": action.error_code,
        "actor": action.actor,
        "address": action.address,
        "started_at": action.started_at.isoformat(),
        "finished_at": action.finished_at.isoformat() if action.finished_at else None,
        "undoes": action.undoes,
    }


def step(item: Item) -> dict[str, Any]:
    """One thing that is to be done, or goes along, and how that ended."""
    return {
        "do": item.do,
        "repository": item.repository,
        "tag": item.tag,
        "digest": item.digest,
        "before": item.before,
        "source": item.source,
        "result": item.result,
        "reason": item.reason,
    }


class Row(NamedTuple):
    """One thing that a plan touches: its fate, what it is, and what else there is to say of it."""

    fate: str
    what: str
    tag: str
    digest: str
    about: str


def rows(plan: Plan) -> Iterator[Row]:
    """All that the plan touches, as a table."""
    for said in plan.lost:
        yield Row("impossible", "", "", "", said)
    for copied in plan.copied:
        yield Row("copied", copied.role, copied.tag, copied.digest, copied.platform)
    coming = [step for step in plan.steps if step.do in COMING and (step.tag or not plan.copied)]
    for step in coming:
        before = f"now on {step.before}" if step.before else ""
        source = f"from {step.source}" if step.source else ""
        yield Row("comes", kind(step.tag), step.tag, step.digest, before or source)
    moving = {step.tag for step in coming}
    for tag in plan.tags:
        if tag.name not in moving:
            yield Row("goes", "tag", tag.name, tag.digest, tag.role)
    for step in plan.steps:
        if step.do == plans.DELETE_DIGEST:
            yield Row("goes", "manifest", "", step.digest, "")
    for tag in plan.stay:
        yield Row("stays", "tag", tag.name, tag.digest, tag.role)
    for held in plan.protected:
        yield Row("protected", kind(held.tag), held.tag, held.digest, held.reason)
    for parent in plan.parents:
        fate = "breaks" if parent in plan.breaks else "lacks it"
        yield Row(fate, parent.role or "index", ", ".join(parent.tags), parent.digest, parent.platform)
    for one in plan.referrers:
        yield Row("refers", one.role, one.tag, one.digest, one.artifact_type)
    for child in plan.left_behind:
        yield Row("left", "manifest", "", child.digest, child.platform)


def kind(tag: str) -> str:
    return "tag" if tag else "manifest"


def text(document: Mapping[str, Any]) -> str:
    """The document for a file or another program, with a final newline."""
    return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n"


def read(body: str | bytes) -> Agreed:
    """What somebody agrees to who gives this file. Raises `Unusable`."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"This is not JSON: {error}.") from error
    if not isinstance(document, dict) or "fingerprint" not in document:
        raise Unusable("This is JSON, but no plan.")
    if document.get("version") != VERSION:
        written = repr(document.get("version"))[:20]
        raise Unusable(f"This is a plan of version {written}, and regui reads version {VERSION}.")
    if document.get("state") != Action.State.PLANNED:
        raise Unusable("This tells what became of a plan; only one that wasn't carried out can be applied.")
    return agreed(document)


def agreed(document: Facts) -> Agreed:
    """The same from the object in a file. Raises `Unusable`."""
    facts = facts_of(document)
    if plans.fingerprint(facts) != document["fingerprint"]:
        raise Unusable("This plan was changed since it was made: its fingerprint is another plan's.")
    kind, digest = facts["kind"], facts["digest"]
    if kind not in kinds.LOOK:
        raise Unusable(f"There is no kind of change called {kind!r:.40}.")
    try:
        oci.check_repository(facts["repository"])
        if digest:
            oci.Digest.parse(digest)
        check_asked(kind, facts["asked"])
    except oci.InvalidName as error:
        raise Unusable(f"This plan names what can't be. {error}") from error
    return Agreed(
        kind,
        facts["registry"],
        facts["repository"],
        document["fingerprint"],
        digest,
        facts["asked"],
        facts,
    )


def facts_of(document: Facts) -> Facts:
    """What the object says would be touched, as `Plan.facts`. Raises `Unusable`."""
    if missing := [key for key in FACTS if key not in document]:
        raise Unusable(f"This plan lacks {', '.join(missing)}.")
    facts = plans.facts_of(document)
    if facts is None:
        raise Unusable("This plan can't be read: something in it isn't what it must be.")
    return facts


def check_asked(kind: str, asked: object) -> None:
    """Nothing, when a plan of this kind can be made again by what was asked. Raises `Unusable`, and
    `oci.InvalidName` for a tag that can't be one."""
    if not isinstance(asked, dict) or not all(asked.get(key) for key in ASKED.get(kind, ())):
        raise Unusable(f"This plan doesn't say what was asked: {', '.join(ASKED.get(kind, ()))}.")
    tags = asked.get("tags", [])
    texts = [asked.get(key, "") for key in ("reference", "digest", "action", "tag", "override")]
    if not isinstance(tags, list) or not all(isinstance(one, str) for one in (*tags, *texts)):
        raise Unusable("What was asked is not told by texts.")
    for tag in tags:
        oci.check_tag(tag)
    if kind == plans.RETAIN:
        try:
            retain.Asked.read(asked)
        except Invalid as error:
            raise Unusable(f"The policy that this plan carries out can't be meant: {error}") from error
