"""What a page says of a change: before it, while it goes on, and of what came of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from regui import oci
from regui.actions import plans
from regui.actions.models import Action
from regui.actions.plans import Plan, shortened

# How many tags a sentence names.
NAMED = 5


# Why nothing of a plan can be done.
STAY = "What this is about is protected, and stays as it is."
RUNS = "It is running somewhere, so it stays."
STAYS = {
    plans.UNTAG: "The tag is protected, and stays.",
    plans.DELETE_DIGEST: "A protected tag needs this digest, so it stays.",
    plans.DELETE_TAGS: "All of these tags are protected, and stay.",
    plans.RETAIN: "All that the policy would drop is protected or in use, and stays.",
    plans.DELETE_REPOSITORY: "It is deleted whole or not at all, and some of it is protected.",
    plans.RETAG: "The tag is protected, and stays where it is.",
}


@dataclass(frozen=True)
class Words:
    """A plan's title, its first sentence, and its button; `icon` is the kind's, `danger` says that it takes
    something away."""

    title: str
    lead: str
    button: str
    icon: str = "trash-2"
    danger: bool = True

    @property
    def done(self) -> str:
        """What would be done, after "nothing can be"."""
        return {"trash-2": "deleted", "copy": "copied"}.get(self.icon, "changed")


def of(plan: Plan) -> Words:
    """The words for a plan of any kind."""
    found = KINDS[plan.kind](plan)
    if plan.refused and all(one.in_use for one in plan.protected):
        return replace(found, lead=RUNS)
    return replace(found, lead=STAYS.get(plan.kind, STAY)) if plan.refused else found


def counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def steps(plan: Plan, do: str) -> int:
    return sum(step.do == do for step in plan.steps)


def untag(plan: Plan) -> Words:
    tag = plan.named[0]
    if plan.stay:
        lead = f"Only this tag goes: its manifest and {counted(len(plan.stay), 'other tag')} on it stay."
    elif plan.left_behind:
        lead = "Only this tag goes. It is the last on its manifest, which stays untagged and takes space."
    else:
        lead = "Only this tag goes: an index needs its manifest, which stays."
    return Words(f"Delete the tag {tag}?", lead, "Delete tag")


def delete_digest(plan: Plan) -> Words:
    count = len(plan.tags)
    if count > 2:
        lead = f"{count:,} tags share this digest: all of them go."
    elif count == 2:
        lead = "2 tags share this digest: both go."
    elif count:
        lead = f"The tag {plan.tags[0].name} goes with it."
    else:
        lead = "No tag points at it; only the manifest goes."
    button = "Delete digest" if not count else "Delete digest and tag"
    return Words(f"Delete {plan.short}…?", lead, f"Delete digest and {count:,} tags" if count > 1 else button)


def delete_tags(plan: Plan) -> Words:
    whole, alone = steps(plan, plans.DELETE_DIGEST), steps(plan, plans.UNTAG)
    said = []
    if whole:
        lose, go = ("loses", "goes") if whole == 1 else ("lose", "go")
        said.append(f"{counted(whole, 'manifest')} {lose} every tag and {go} too")
    if alone:
        said.append(
            f"{counted(alone, 'tag')} {'is' if alone == 1 else 'are'} taken off what others still need"
        )
    stay = sum(bool(one.tag) for one in plan.protected)
    if stay:
        used = {one.in_use for one in plan.protected if one.tag}
        why = " or ".join([*(["protected"] if False in used else []), *(["in use"] if True in used else [])])
        said.append(f"{stay:,} {'is' if stay == 1 else 'are'} {why} and stay{'s' if stay == 1 else ''}")
    none = "None of these tags is there any more." if plan.named else "There is no such tag."
    lead = f"{'; '.join(said)}." if said else none
    title = counted(len(plan.tags) or stay, "tag")
    return Words(f"Delete {title}?", lead[:1].upper() + lead[1:], f"Delete {title}")


def retain(plan: Plan) -> Words:
    policy = plan.asked["policy"]
    found = delete_tags(plan)
    lead = found.lead if plan.steps else f"The policy {policy} drops nothing here."
    untagged = len(plan.asked["digests"])
    if plan.steps and untagged:
        lead += f" {counted(untagged, 'manifest')} had no tag for long."
    return Words(f"Clean up {plan.repository} by the policy {policy}?", lead, "Clean up")


def delete_repository(plan: Plan) -> Words:
    lead = (
        f"All of it goes: {counted(len(plan.tags), 'tag')} and {counted(len(plan.steps), 'manifest')}. "
        "The registry goes on listing its name; only removing its folder on the registry's disk ends that."
    )
    return Words(f"Delete everything in {plan.repository}?", lead, "Delete repository")


def delete_untagged(plan: Plan) -> Words:
    count = counted(len(plan.steps), "untagged manifest")
    lead = "No tag leads to these, through an index neither. No registry lists them: regui has seen these."
    return Words(f"Delete {count}?", lead, f"Delete {count}")


def retag(plan: Plan) -> Words:
    tag = plan.named[0]
    if plan.tags:
        lead = f"{tag} is on {shortened(plan.tags[0].digest)} now and moves to {plan.short}."
    elif plan.steps:
        lead = f"{tag} is new here, and will be on {plan.short}."
    else:
        lead = f"{tag} is on {plan.short} already."
    button = "Move tag" if plan.tags else "Set tag"
    return Words(f"Set the tag {tag}?", lead, button, icon="tag", danger=bool(plan.tags))


def copy(plan: Plan) -> Words:
    tag, reference = plan.named[0], str(plan.asked["reference"])
    what = shortened(reference) if oci.is_digest(reference) else reference
    if not plan.steps:
        lead = "It can't be copied as it is."
    elif plan.tags:
        lead = f"{tag} is on {shortened(plan.tags[0].digest)} there now and moves to {plan.short}."
    else:
        lead = f"{tag} is new there, and will be on {plan.short}."
    if plan.asked["platforms"] and plan.is_index:
        lead += " That is a new index of the platforms you chose, with a digest of its own."
    elif plan.steps:
        lead += " The digest stays the same."
    title = f"Copy {what} to {plan.repository}:{tag}?"
    return Words(title, lead, "Copy", icon="copy", danger=bool(plan.tags))


def back(plan: Plan) -> Words:
    coming = sum(step.do == plans.PUT for step in plan.steps)
    if plan.steps:
        lead = f"{counted(len(plan.steps), 'thing')} will be as before."
    else:
        lead = "There is nothing that could be brought back."
    title = "Undo this?" if plan.kind == plans.UNDO else f"Restore {plan.short}?"
    button = "Undo" if plan.kind == plans.UNDO else "Restore"
    return Words(title, lead, button, icon="undo-2", danger=coming < len(plan.steps))


KINDS: dict[str, Callable[[Plan], Words]] = {
    plans.UNTAG: untag,
    plans.DELETE_DIGEST: delete_digest,
    plans.DELETE_TAGS: delete_tags,
    plans.DELETE_REPOSITORY: delete_repository,
    plans.DELETE_UNTAGGED: delete_untagged,
    plans.RETAIN: retain,
    plans.RETAG: retag,
    plans.COPY: copy,
    plans.RESTORE: back,
    plans.UNDO: back,
    plans.PUT_BACK: back,
}


def nothing(kind: str) -> str:
    """That a change of this kind was not made."""
    if kind == plans.COPY:
        return "Nothing was copied"
    changed = kind in {plans.RETAG, plans.RESTORE, plans.UNDO}
    return "Nothing was changed" if changed else "Nothing was deleted"


def names(tags: Sequence[str]) -> str:
    """Some tags for a sentence."""
    more = f" and {len(tags) - NAMED:,} more" if len(tags) > NAMED else ""
    return f"{', '.join(tags[:NAMED])}{more}"


# What an action of each kind is called while it isn't over, when it failed, and when it is done.
VERBS = {
    plans.UNTAG: ("Deleting the tag", "Tried to delete the tag", "Deleted the tag"),
    plans.DELETE_DIGEST: ("Deleting", "Tried to delete", "Deleted"),
    plans.DELETE_TAGS: ("Deleting tags", "Tried to delete tags", "Deleted tags"),
    plans.DELETE_REPOSITORY: ("Deleting everything", "Tried to delete everything", "Deleted everything"),
    plans.DELETE_UNTAGGED: (
        "Deleting untagged manifests",
        "Tried to delete untagged manifests",
        "Deleted untagged manifests",
    ),
    plans.RETAIN: ("Cleaning up", "Tried to clean up", "Cleaned up"),
    plans.RETAG: ("Setting the tag", "Tried to set the tag", "Set the tag"),
    plans.COPY: ("Copying", "Tried to copy", "Copied"),
    plans.RESTORE: ("Restoring", "Tried to restore", "Restored"),
    plans.UNDO: ("Undoing", "Tried to undo", "Undid"),
    plans.PUT_BACK: ("Putting back", "Tried to put back", "Put back"),
}


def verb(action: Action) -> str:
    """What an action does, did, or would have done."""
    doing, tried, did = VERBS.get(action.kind, (action.kind,) * 3)
    if action.is_open:
        return doing
    return tried if action.state in {Action.State.FAILED, Action.State.CANCELLED} else did


def policy(action: Action) -> str:
    """The name of the policy that an action carried out; empty where it was none, or the plan isn't read."""
    if action.kind != plans.RETAIN or "plan" in action.get_deferred_fields():
        return ""
    return str(action.plan.get("asked", {}).get("policy", ""))


def sentence(action: Action) -> str:
    """What was done, short enough for a toast."""
    tags = action.tags
    if action.kind == plans.DELETE_DIGEST:
        said = f"Deleted {shortened(action.digest)} from {action.repository}"
        if not tags:
            return f"{said}."
        return f"{said}, and with it the tag{'s' if len(tags) > 1 else ''} {names(tags)}."
    if action.kind == plans.RETAG:
        return f"{names(tags)} is on {shortened(action.digest)} now."
    if action.kind == plans.COPY:
        return f"Copied {shortened(action.digest)} to {action.repository}."
    if action.kind == plans.UNDO:
        return f"Undone: {action.repository} is as before."
    if action.kind == plans.PUT_BACK:
        return f"Put back {names(tags)}: its push had been lost to a change at the same moment."
    if action.kind == plans.RESTORE:
        under = f" under {names(tags)}" if tags else ""
        return f"Restored {shortened(action.digest)}{under}."
    if action.kind == plans.RETAIN:
        return f"Cleaned up {action.repository} by the policy {policy(action)}."
    if tags:
        return f"{verb(action)} {names(tags)} from {action.repository}."
    return f"{verb(action)} in {action.repository}."


def soon(action: Action, seconds: int) -> str:
    """What will be done unless somebody stops it."""
    what = names(action.tags) or shortened(action.digest)
    return f"Deleting {what} from {action.repository} in {seconds} s."
