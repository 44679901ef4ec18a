"""Groups that the settings make administrators."""

import pytest
from django.contrib.auth.models import Group
from pytest_django import Settings

from regui.accounts import groups, people
from regui.accounts.access import Right, Role
from regui.accounts.models import AuditEntry, Grant
from tests.people import grant, person


@pytest.mark.django_db
def test_groups_that_are_named_administer_everything(settings: Settings) -> None:
    settings.ADMIN_GROUPS = ("admins", "owners")
    groups.appoint()
    groups.appoint()
    alice = person("alice")
    alice.groups.add(Group.objects.get(name="owners"))
    assert people.actor_of(alice).may(Right.ADMIN)
    assert Grant.objects.count() == 2
    noted = AuditEntry.objects.filter(what=AuditEntry.What.GRANT_ADDED)
    assert set(noted.values_list("who", "about")) == {
        ("settings", "group admins"),
        ("settings", "group owners"),
    }


@pytest.mark.django_db
def test_groups_that_are_named_no_more_do_not_but_what_people_granted_stays(settings: Settings) -> None:
    settings.ADMIN_GROUPS = ("admins",)
    groups.appoint()
    given = grant(Role.ADMIN, group=Group.objects.create(name="by hand"))
    settings.ADMIN_GROUPS = ()
    groups.appoint()
    assert list(Grant.objects.all()) == [given]
    assert Group.objects.filter(name="admins").exists()
    assert AuditEntry.objects.filter(what=AuditEntry.What.GRANT_REMOVED).count() == 1
