"""Pages for who sees a part of a registry, and may do things to a part of that: what they say instead of sums
over all, which buttons they have, and that it costs the same however much there is."""

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui import oci
from regui.accounts.access import Role
from regui.actions import plans
from regui.actions.models import Action, Item, Kept
from regui.index import usage
from regui.index.models import Registry, Repository, Sync
from regui.registries import RegistrySettings
from tests import bulk, factories
from tests.people import ASKING, SignedIn

pytestmark = pytest.mark.django_db

# Queries of pages for who sees a part: the list of repositories, their storage; and one more on the list, for
# runs that wait, of who may delete something.
LIST, STORAGE, WAITING = 10, 5, 1


@pytest.fixture
def shelf(settings: Settings) -> Registry:
    """Two repositories of a team and one of others, on one base, in a registry that doesn't answer."""
    settings.REGISTRIES = {"main": RegistrySettings(name="main", url="http://127.0.0.1:9")}
    now = timezone.now()
    row = factories.registry(listed_at=now, tried_at=now)
    for name, own in (("team/app", 500), ("team/web", 300), ("otherteam/vault", 40_000)):
        repository = factories.repository(name, listed_at=now, tried_at=now)
        layers = {f"own of {name}": own, "base": 2000}
        factories.tag(repository, "1.0", factories.manifest(repository, layers=layers), seen_at=now)
        usage.total(repository)
    usage.settle_now(row)
    return row


@pytest.fixture
def bob(shelf: Registry) -> SignedIn:
    """Bob reads what is the team's, and may delete from one repository of it."""
    bob = SignedIn("bob", (Role.READER, "team/**"), (Role.MAINTAINER, "team/app"))
    bob.cookies["scripts"] = "1"
    return bob


def test_sums_are_of_what_one_may_see_and_say_so(bob: SignedIn) -> None:
    page = bob.get("/main/").text
    assert "4.8 kB" in page
    assert "Images" not in page
    assert page.count("of what you may see") == 3
    page = bob.get("/main/-/storage/").text
    assert "4.8 kB" in page
    assert "Only here" not in page
    assert "Saved by sharing" not in page
    assert "you see a part of it" in page
    assert "the 2 largest of 2 that you may see" in page
    assert 'data-namespace="team"' in page


def test_the_list_of_registries_says_so_too(bob: SignedIn, settings: Settings) -> None:
    factories.registry("other", listed_at=timezone.now(), tried_at=timezone.now())
    settings.REGISTRIES |= {"other": RegistrySettings(name="other", url="http://127.0.0.1:9")}
    row = bob.get("/").text.partition('data-registry="main"')[2].partition("</tr>")[0]
    assert "Numbers are of what you may see" in row
    assert '<td class="num c-hide">2</td>' in row
    assert "4.8 kB" in row


def test_what_is_left_out_is_not_a_zero(bob: SignedIn) -> None:
    assert "% shared" not in bob.get("/main/team/app/").text
    page = bob.get("/main/-/garbage/").text
    assert "Waits for collection" not in page
    assert "summed up over the whole registry" in page


def test_a_part_with_nothing_in_it_is_not_called_an_empty_registry(shelf: Registry) -> None:
    nobody = SignedIn("nora", (Role.READER, "nothing/**"))
    nobody.cookies["scripts"] = "1"
    page = nobody.get("/main/").text
    assert "Nothing here that you may see" in page
    assert "docker push" not in page


def deleted(name: str) -> None:
    """That a manifest was deleted from the repository, and its bytes are at hand."""
    now = timezone.now()
    action = Action.objects.create(
        registry="main",
        repository=name,
        kind=plans.DELETE_DIGEST,
        actor="root",
        started_at=now,
        finished_at=now,
    )
    Item.objects.create(
        action=action,
        position=0,
        repository=name,
        do=plans.DELETE_DIGEST,
        digest=factories.digest(name),
        result=Item.Result.DONE,
    )
    Kept.objects.create(
        action=action,
        position=0,
        repository=name,
        digest=factories.digest(name),
        media_type=oci.OCI_MANIFEST,
        deflated=b"",
    )


def test_the_trash_holds_what_one_may_see_and_restores_what_one_may_restore(
    bob: SignedIn, shelf: Registry
) -> None:
    for row in Repository.objects.all():
        deleted(row.name)
    page = bob.get("/main/-/trash/").text
    app = page.partition('<tr data-repository="team/app"')[2].partition("</tr>")[0]
    web = page.partition('<tr data-repository="team/web"')[2].partition("</tr>")[0]
    assert "Restore…" in app
    assert "Restore…" not in web
    assert "Can be restored" in web
    assert "otherteam" not in page
    assert "2 deleted things" in page
    assert "Check again" not in page, "that is for who may delete from all of it"


def test_jobs_offer_what_one_may_have_done(bob: SignedIn, shelf: Registry) -> None:
    now = timezone.now()
    Sync.objects.create(registry=shelf, started_at=now, finished_at=now, repositories=777, requests=888)
    Registry.objects.update(doubt="The registry no longer lists 12 of 17 repositories; they are kept here.")
    Repository.objects.update(doubt="The registry no longer lists 2 of 3 tags; they are kept here.")
    page = bob.get("/-/jobs/").text
    assert "Read now" not in page
    assert "777" not in page
    assert "888" not in page
    assert "12 of 17" not in page
    app = page.partition('data-doubt="team/app"')[2].partition("data-doubt")[0]
    web = page.partition('data-doubt="team/web"')[2].partition("data-doubt")[0]
    assert "It is right" in app
    assert "It is right" not in web
    assert 'data-doubt="otherteam/vault"' not in page
    whole = SignedIn("alice", (Role.ADMIN, "**")).get("/-/jobs/").text
    assert "Read now" in whole
    assert "777" in whole
    assert "12 of 17" in whole


def test_a_part_costs_the_same_however_much_there_is(
    bob: SignedIn, shelf: Registry, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def costs() -> None:
        with django_assert_num_queries(LIST + WAITING + ASKING):
            assert bob.get("/main/").status_code == 200
        with django_assert_num_queries(STORAGE + ASKING):
            assert bob.get("/main/-/storage/").status_code == 200

    costs()
    bulk.repositories(shelf, 300)
    bulk.repositories(Registry.objects.get(), 10, first=300)
    Repository.objects.filter(name__startswith="team1/").update(source=Repository.Source.CATALOG)
    costs()
    sixty = [(Role.READER, f"team{number}/**") for number in range(60)]
    many = SignedIn("mary", *sixty, (Role.READER, "team/**"), (Role.NONE, "**/app1*"))
    many.cookies["scripts"] = "1"
    with django_assert_num_queries(LIST + ASKING):
        many.get("/main/")
