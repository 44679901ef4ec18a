"""What was deleted through regui, and what is to be said of getting it back. Nothing asks the registry: which
blobs it still has is found out in the background, by the button for it, and on the page that restores."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from regui.accounts import access, matching
from regui.accounts.access import Actor
from regui.actions import kinds, plans
from regui.actions.models import Action, Garbage, Item, Kept, Remains
from regui.index.models import Registry, Revision, Tag

BACK = "It is back"
NO_BYTES = "Nobody has its bytes"


@dataclass(frozen=True)
class Row:
    """One thing that was deleted: a manifest with the tags it had, or a tag taken off its manifest. `why_not`
    says why there is nothing to restore, `remains` what the registry was last found to have of it; `may` is
    whether who looks may restore it."""

    item: Item
    tags: Sequence[str]
    why_not: str
    remains: Remains | None = None
    may: bool = False

    @property
    def action(self) -> Action:
        return self.item.action


def items(actor: Actor, registry: Registry, words: str) -> QuerySet[Item]:
    """What was deleted from the registry's repositories that this actor may see, latest first, where every
    one of the words stands in it."""
    done = Item.objects.filter(
        action__registry=registry.name,
        do__in=[plans.DELETE_DIGEST, plans.UNTAG],
        result=Item.Result.DONE,
    )
    done = matching.those(done, access.seen_in(actor, registry, "repository"))
    for word in words.split():
        along = Item.objects.filter(do=plans.GOES_ALONG, tag__icontains=word).values("action")
        done = done.filter(
            Q(repository__icontains=word)
            | Q(digest__icontains=word)
            | Q(tag__icontains=word)
            | Q(action__actor__icontains=word)
            | Q(action__in=along)
        )
    return done.select_related("action", "remains").order_by("-action__started_at", "-action", "position")


def rows(actor: Actor, registry: Registry, items: Sequence[Item]) -> list[Row]:
    """These items as the page shows them, by what the journal and the index know: four queries."""
    right = kinds.RIGHTS[plans.RESTORE]
    digests = {item.digest for item in items}
    actions = {item.action_id for item in items}
    kept = Kept.objects.filter(digest__in=digests, action__registry=registry.name)
    bytes_of = set(kept.values_list("repository", "digest"))
    held = Revision.objects.held().filter(repository__registry=registry, manifest__digest__in=digests)
    there = set(held.values_list("repository__name", "manifest__digest"))
    names = [item.tag for item in items if item.tag]
    listed = Tag.objects.listed().filter(repository__registry=registry, name__in=names)
    tagged = set(listed.values_list("repository__name", "name"))
    along: dict[tuple[str, str], list[str]] = {}
    for action, digest, tag in Item.objects.filter(
        action__in=actions, digest__in=digests, do=plans.GOES_ALONG
    ).values_list("action", "digest", "tag"):
        along.setdefault((action, digest), []).append(tag)
    found = []
    for item in items:
        key = (item.repository, item.digest)
        back = (item.repository, item.tag) in tagged if item.tag else key in there
        remains = item.remains if hasattr(item, "remains") else None
        tags = [item.tag] if item.tag else along.get((item.action_id, item.digest), [])
        if back:
            why_not, remains = BACK, None
        elif remains and remains.gone:
            why_not = f"{len(remains.gone)} of its {remains.blobs} blobs are gone from the registry"
        else:
            why_not = "" if key in bytes_of or key in there else NO_BYTES
        may = actor.may(right, registry.name, item.repository)
        found.append(Row(item, tags, why_not, remains, may))
    return found


def waiting(registry: Registry) -> Garbage | None:
    """What waits for the registry's garbage collection, as last summed up."""
    return Garbage.objects.filter(registry=registry.name).first()
