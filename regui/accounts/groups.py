"""Groups that follow what another place says of somebody."""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from regui.accounts import audit
from regui.accounts.access import ANY, Role
from regui.accounts.models import Grant, Identity
from regui.mapping import Mapping
from regui.patterns import ANYWHERE

# Who wrote down the grants that the settings name.
SETTINGS = "settings"


def meant(theirs: Iterable[str], mapping: Mapping) -> set[Group]:
    """The groups here that these stand for.

    Those the mapping names are made when they are missing. Without one only groups that are there count: a
    directory has thousands, of which few were ever granted anything.
    """
    names = mapping.ours(theirs)
    # All of ours are few; theirs may be many, or none of our business.
    found = {group for group in Group.objects.all() if group.name in names}
    if mapping:
        missing = names - {group.name for group in found}
        found |= {Group.objects.get_or_create(name=name)[0] for name in missing}
    return found


def follow(identity: Identity, theirs: Iterable[str], mapping: Mapping, address: str) -> None:
    """Have the person in the groups these stand for, and in none any more that they were in for what was said
    earlier. Groups that somebody here put them in stay. A change is written down."""
    user, wanted = identity.user, meant(theirs, mapping)
    given, current = set(identity.groups.all()), set(user.groups.all())
    joined, left = wanted - current, (given - wanted) & current
    if wanted == given and not joined:
        return
    with transaction.atomic():
        user.groups.add(*joined)
        user.groups.remove(*left)
        identity.groups.set(wanted)
        if words := "; ".join(told("joined", joined) + told("left", left)):
            audit.note(audit.What.GROUPS_CHANGED, f"from:{identity.source}", address, user.username, words)


def told(what: str, groups: set[Group]) -> list[str]:
    return [f"{what} {', '.join(sorted(group.name for group in groups))}"] if groups else []


def appoint() -> None:
    """Bring grants in step with `REGUI_ADMIN_GROUPS`: these groups are there and administer everything; those
    that were named earlier and aren't any more don't."""
    named = set(settings.ADMIN_GROUPS)
    ours = Grant.objects.filter(created_by=SETTINGS, role=Role.ADMIN.value, registry=ANY, group__isnull=False)
    for grant in ours.exclude(group__name__in=named).select_related("group"):
        grant.delete()
        audit.note(audit.What.GRANT_REMOVED, SETTINGS, about=grant.holder, detail="admin of everything")
    for name in sorted(named):
        group = Group.objects.get_or_create(name=name)[0]
        grant, made = Grant.objects.get_or_create(
            user=None,
            group=group,
            registry=ANY,
            pattern=ANYWHERE,
            role=Role.ADMIN.value,
            defaults={"created_at": timezone.now(), "created_by": SETTINGS},
        )
        if made:
            audit.note(audit.What.GRANT_ADDED, SETTINGS, about=grant.holder, detail="admin of everything")
