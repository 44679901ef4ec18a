"""What somebody may know of what runs: uses of repositories that they may see, and sources that told one, or
that they tell themselves."""

from django.db.models import Count, Q, QuerySet

from regui.accounts import access, matching
from regui.accounts.access import Actor
from regui.actions.models import InUse, Source
from regui.actions.models.running import InUseQuerySet
from regui.index.models import Registry


def uses(actor: Actor) -> InUseQuerySet:
    """What is told, be it expired, of repositories that they may see."""
    access.renew(actor)
    there = access.registries(actor).values("name")
    seen = access.seen(actor, names="repository", registries="registry")
    return matching.those(InUse.objects.filter(registry__in=there), seen)


def uses_in(actor: Actor, registry: Registry) -> InUseQuerySet:
    """The same of one registry."""
    seen = access.seen_in(actor, registry, "repository")
    return matching.those(InUse.objects.filter(registry=registry.name), seen)


def sources(actor: Actor) -> QuerySet[Source]:
    """The sources they may know of, by name, with how much of it they may see as `held`."""
    return counted(actor, uses(actor), own=True)


def sources_in(actor: Actor, registry: Registry) -> QuerySet[Source]:
    """Those that told anything of one registry that they may see."""
    return counted(actor, uses_in(actor, registry), own=False)


def counted(actor: Actor, rows: InUseQuerySet, *, own: bool) -> QuerySet[Source]:
    held = Count("uses", filter=Q(uses__in=rows.order_by().values("pk")))
    known = Q(held__gt=0)
    if own:
        known = Q() if access.sees_everything(actor) else known | Q(actor=actor.name)
    return Source.objects.annotate(held=held).filter(known).order_by("name")


def knows_all(actor: Actor, source: Source) -> bool:
    """Whether they may know what else it told: it is their own, or nothing is hidden from them."""
    return source.actor == actor.name or access.sees_everything(actor)
