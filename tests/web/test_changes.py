"""Every kind of change, from the page that asks to the registry; and the time in which Undo stops it."""

import csv
import io
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui import oci
from regui.accounts.access import Actor, Role
from regui.actions import journal, plans, run
from regui.actions.models import Action
from regui.actions.plans import Plan, Step, TagOn
from regui.index.models import Repository
from regui.web.leaving import leaving
from tests import factories, images
from tests.people import SignedIn
from tests.registry import RunningRegistry
from tests.web.acting import Page, Visitor, registered, row, text

pytestmark = pytest.mark.django_db
State = Action.State


@pytest.fixture
def alice(registry: RunningRegistry, settings: Settings) -> Visitor:
    """Alice, who may delete."""
    settings.REGISTRIES, settings.ANONYMOUS_ROLE = registered(registry.url), "admin"
    settings.STALE_AFTER = timedelta()
    row()
    return Visitor(Client())


@pytest.fixture
def name(registry: RunningRegistry) -> str:
    return registry.unique()


def ask(alice: Visitor, view: str, *where: str, **query: str) -> Page:
    """The page that asks, at that address of the registry."""
    address = reverse(view, args=["main", *where])
    return Page(alice.browser.get(address, query), address)


def work() -> None:
    """What a worker does until nothing is due."""
    while action := run.next_due(timezone.now()):
        run.carry_out(action)


def pass_grace() -> None:
    """Time goes by."""
    Action.objects.filter(state=State.WAITING).update(not_before=timezone.now())


def on(client: oci.Client, name: str) -> dict[str, str]:
    """What the registry itself says its tags are on."""
    try:
        return {tag: client.head_manifest(name, tag).digest for tag in client.tags(name)}
    except oci.NotFound:
        return {}


# One tag


def test_deleting_a_tag_names_its_siblings_and_leaves_them(
    alice: Visitor, registry: RunningRegistry, client: oci.Client, name: str
) -> None:
    digest = registry.push(name, tags=["1.0", "latest"])
    page = ask(alice, "tag-delete", name, "1.0")
    assert page.going == ["1.0"]
    assert 'data-tag="latest"' in page.text.partition('id="staying"')[2].partition("</section>")[0]
    assert "its manifest and 1 other tag on it stay" in page.text
    assert alice.submit(page).status_code == 303
    assert on(client, name) == {"latest": digest}


def test_a_last_tag_is_said_to_leave_its_manifest_behind(
    alice: Visitor, registry: RunningRegistry, name: str
) -> None:
    digest = registry.push(name, tags=["1.0"])
    page = ask(alice, "tag-delete", name, "1.0")
    assert page.rows("left-behind") == [digest]
    assert "It is the last on its manifest" in page.text


def test_a_tag_that_isnt_there_is_gone(alice: Visitor, registry: RunningRegistry, name: str) -> None:
    registry.push(name, tags=["1.0"])
    page = ask(alice, "tag-delete", name, "2.0")
    assert page.status == 404
    assert "Gone meanwhile" in page.text


def test_a_tag_that_moved_stays(
    alice: Visitor, registry: RunningRegistry, client: oci.Client, name: str
) -> None:
    registry.push(name, tags=["1.0"])
    page = ask(alice, "tag-delete", name, "1.0")
    newer = registry.push(name, tags=["1.0"])
    answer = alice.submit(page)
    assert answer.status_code == 409
    assert "Nothing was deleted" in text(answer)
    assert on(client, name) == {"1.0": newer}


# The grace


@pytest.fixture
def grace(settings: Settings) -> None:
    settings.DELETE_GRACE = timedelta(seconds=10)


@pytest.mark.usefixtures("grace")
def test_a_deleted_tag_is_marked_and_goes_when_the_grace_is_over(
    alice: Visitor, registry: RunningRegistry, client: oci.Client, name: str
) -> None:
    digest = registry.push(name, tags=["1.0", "latest"])
    answer = alice.submit(ask(alice, "tag-delete", name, "1.0"))
    assert (answer.status_code, answer["Location"]) == (303, reverse("repository", args=["main", name]))
    page = text(alice.browser.get(answer["Location"]))
    action = Action.objects.get()
    assert f"Deleting 1.0 from {name} in 10 s." in page
    assert f'action="{reverse("action-stop", args=[action.pk])}"' in page
    marked = page.partition('data-tag="1.0"')[2].partition("</tr>")[0]
    assert "data-going" in marked
    assert "deleting" in marked
    assert "data-going" not in page.partition('data-tag="latest"')[2].partition("</tr>")[0]
    assert 'hx-trigger="load delay:1' in page
    assert 'http-equiv="refresh"' in page
    work()
    assert on(client, name) == {"1.0": digest, "latest": digest}, "its time has not come"
    pass_grace()
    work()
    assert on(client, name) == {"latest": digest}
    assert "data-going" not in text(alice.browser.get(answer["Location"]))


@pytest.mark.usefixtures("grace")
def test_undo_within_the_grace_asks_nothing_of_the_registry(
    alice: Visitor, registry: RunningRegistry, client: oci.Client, name: str
) -> None:
    digest = registry.push(name, tags=["1.0", "latest"])
    alice.delete(name, digest)
    action = Action.objects.get()
    there = reverse("repository", args=["main", name])
    assert text(alice.browser.get(there)).count(" data-going") == 2
    answer = alice.browser.post(reverse("action-stop", args=[action.pk]))
    assert (answer.status_code, answer["Location"]) == (303, there)
    page = text(alice.browser.get(there))
    assert "Stopped: nothing was deleted." in page
    assert "data-going" not in page
    pass_grace()
    work()
    assert on(client, name) == {"1.0": digest, "latest": digest}
    assert Action.objects.get().state == State.CANCELLED


@pytest.mark.usefixtures("grace")
def test_bob_stops_nothing(alice: Visitor, registry: RunningRegistry, name: str, settings: Settings) -> None:
    alice.delete(name, registry.push(name, tags=["1.0"]))
    address = reverse("action-stop", args=[Action.objects.get().pk])
    bob = SignedIn("bob", (Role.READER, "**"))
    assert bob.post(address).status_code == 403
    assert bob.get(address).status_code == 405
    settings.ANONYMOUS_ROLE = "reader"
    assert alice.browser.post(address).status_code == 302, "a visitor is asked to sign in"
    assert Action.objects.get().state == State.WAITING


def test_what_leaves_costs_one_query_however_much_it_is(
    alice: Visitor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    repository = factories.repository("team/app", of=row())
    names = [f"v{number}" for number in range(60)]
    for some in (names[:30], names[30:]):
        waiting(repository, some)
    with django_assert_num_queries(1):
        found = leaving(repository, names)
        assert set(found.tags) == set(names)
        assert found.ask_again > 0


def waiting(repository: Repository, tags: list[str]) -> Action:
    digest = factories.digest(tags[0])
    plan = Plan(
        kind=plans.DELETE_DIGEST,
        registry=repository.registry.name,
        repository=repository.name,
        digest=digest,
        steps=(Step(plans.DELETE_DIGEST, repository.name, digest),),
        tags=tuple(TagOn(tag, digest) for tag in tags),
    )
    return journal.begin(plan, Actor("alice", Role.ADMIN), [], timezone.now(), held=False)


# A digest with what speaks about it


def test_what_speaks_about_a_digest_can_be_taken_along(
    alice: Visitor, registry: RunningRegistry, client: oci.Client, name: str
) -> None:
    digest = registry.push(name, tags=["1.0"])
    signature = registry.push(name, tags=[f"{oci.referrers_tag(digest)}.sig"])
    page = alice.confirm(name, digest)
    assert page.rows("referrers") == [signature]
    assert "?along=1" in page.text
    along = ask(alice, "manifest-delete", name, digest, along="1")
    assert along.form["along"] == "1"
    assert set(along.going) == {"1.0", f"{oci.referrers_tag(digest)}.sig"}
    assert alice.submit(along).status_code == 303
    assert on(client, name) == {}


# Many


def test_ticked_tags_are_deleted_by_a_worker(
    alice: Visitor, registry: RunningRegistry, client: oci.Client, name: str
) -> None:
    kept = registry.push(name, tags=["1.0", "stable"])
    registry.push(name, tags=["1.1"])
    listing = text(alice.browser.get(reverse("repository", args=["main", name])))
    assert listing.count('form="bulk" data-tick') == 3
    address = reverse("bulk", args=["main", name])
    page = Page(alice.browser.post(address, {"ticked": "1", "tag": ["1.0", "1.1"]}), address)
    assert page.going == ["1.0", "1.1"]
    assert "Delete 2 tags?" in page.text
    assert page.form["tags"] == "1.0 1.1"
    answer = alice.submit(page)
    action = Action.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, reverse("action", args=[action.pk]))
    detail = text(alice.browser.get(answer["Location"]))
    assert "0 of 2 done" in detail
    assert 'hx-trigger="load delay:2s"' in detail
    assert 'http-equiv="refresh"' in detail
    assert on(client, name).keys() == {"1.0", "1.1", "stable"}
    work()
    assert on(client, name) == {"stable": kept}
    detail = text(alice.browser.get(answer["Location"]))
    assert "load delay" not in detail
    assert detail.count('data-result="done"') == 3
    assert reverse("action-undo", args=[action.pk]) in detail


def test_all_that_a_filter_finds_are_chosen_across_pages(
    alice: Visitor, registry: RunningRegistry, name: str
) -> None:
    registry.push(name, tags=[f"pr-{number}" for number in range(60)])
    registry.push(name, tags=["1.0"])
    where = reverse("repository", args=["main", name])
    listing = text(alice.browser.get(where, {"q": "pr-*"}))
    assert "Delete all 60 matching…" in listing
    address = reverse("bulk", args=["main", name])
    page = Page(alice.browser.post(address, {"ticked": "1", "q": "pr-*", "tag": ["pr-1"]}), address)
    assert len(page.form["tags"].split()) == 60
    assert "1.0" not in page.form["tags"].split()


def test_all_releases_are_chosen_and_no_other_tag(
    alice: Visitor, registry: RunningRegistry, name: str
) -> None:
    registry.push(name, tags=["1.0", "1.1", "latest", "main-1"])
    listing = text(alice.browser.get(reverse("repository", args=["main", name]), {"show": "releases"}))
    assert "Delete all 2 releases…" in listing
    assert '<input type="hidden" name="show" value="releases">' in listing
    address = reverse("bulk", args=["main", name])
    page = Page(alice.browser.post(address, {"ticked": "1", "show": "releases", "q": ""}), address)
    assert page.form["tags"] == "1.0 1.1"


def test_a_thousand_names_travel_in_one_field(alice: Visitor, registry: RunningRegistry, name: str) -> None:
    registry.push(name, tags=["1.0"])
    text(alice.browser.get(reverse("repository", args=["main", name])))
    names = " ".join(f"v{number}" for number in range(1200))
    page = alice.browser.post(reverse("bulk", args=["main", name]), {"ticked": "1", "tags": names})
    assert page.status_code == 200
    assert "The tag v0 is not there" in text(page)
    assert not Page(page, "").can_submit


def test_without_a_tag_chosen_one_is_sent_back(alice: Visitor, registry: RunningRegistry, name: str) -> None:
    registry.push(name, tags=["1.0"])
    where = reverse("repository", args=["main", name])
    alice.browser.get(where)
    answer = alice.browser.post(reverse("bulk", args=["main", name]), {"ticked": "1"}, follow=True)
    assert "No tag was chosen." in text(answer)


def test_a_bulk_that_went_stale_can_be_looked_at_again(
    alice: Visitor, registry: RunningRegistry, name: str
) -> None:
    registry.push(name, tags=["1.0", "1.1"])
    alice.browser.get(reverse("repository", args=["main", name]))
    address = reverse("bulk", args=["main", name])
    page = Page(alice.browser.post(address, {"ticked": "1", "tag": ["1.0", "1.1"]}), address)
    registry.push(name, tags=["1.1"])
    answer = alice.submit(page)
    assert answer.status_code == 409
    assert 'name="tags" value="1.0 1.1"' in text(answer)
    assert 'name="ticked"' in text(answer)


def test_a_repository_goes_once_its_name_was_typed(
    alice: Visitor, registry: RunningRegistry, client: oci.Client, name: str
) -> None:
    registry.push(name, tags=["1.0"])
    registry.push(name, tags=["2.0"])
    where = reverse("repository", args=["main", name])
    assert reverse("repository-delete", args=["main", name]) in text(alice.browser.get(where))
    page = ask(alice, "repository-delete", name)
    assert page.going == ["1.0", "2.0"]
    assert "goes on listing its name" in page.text
    wrong = alice.submit(page, name="something")
    assert wrong.status_code == 422
    assert "what was typed is not its name" in text(wrong)
    assert alice.submit(page, name=name).status_code == 303
    work()
    assert on(client, name) == {}


def test_untagged_manifests_go_together(
    alice: Visitor, registry: RunningRegistry, client: oci.Client, name: str
) -> None:
    old = registry.push(name, tags=["1.0"])
    where = reverse("repository", args=["main", name])
    alice.browser.get(where)
    new = registry.push(name, tags=["1.0"])
    alice.browser.get(where, {"refresh": "1"})
    untagged = reverse("untagged-delete", args=["main", name])
    assert untagged in text(alice.browser.get(where, {"show": "untagged"}))
    page = ask(alice, "untagged-delete", name)
    assert page.rows("going") == [old]
    assert alice.submit(page).status_code == 303
    work()
    with pytest.raises(oci.NotFound):
        client.head_manifest(name, old)
    assert on(client, name) == {"1.0": new}


# Setting a tag


def test_a_tag_is_set_and_moved(
    alice: Visitor, registry: RunningRegistry, client: oci.Client, name: str
) -> None:
    old, new = registry.push(name, tags=["1.0"]), registry.push(name, tags=["latest"])
    form = ask(alice, "manifest-tag", name, old)
    assert 'name="to"' in form.text
    wrong = ask(alice, "manifest-tag", name, old, to="not a tag")
    assert wrong.status == 422
    assert 'role="alert"' in wrong.text
    page = ask(alice, "manifest-tag", name, old, to="latest")
    assert f"latest is on {plans.shortened(new)} now and moves to {plans.shortened(old)}" in page.text
    assert page.rows("coming") == [old]
    assert page.rows("left-behind") == [new]
    assert page.going == []
    assert alice.submit(page).status_code == 303
    assert on(client, name) == {"1.0": old, "latest": old}


def test_history_offers_the_way_back(
    alice: Visitor, registry: RunningRegistry, name: str, settings: Settings
) -> None:
    old = registry.push(name, tags=["latest"])
    where = reverse("repository", args=["main", name])
    alice.browser.get(where)
    registry.push(name, tags=["latest"])
    alice.browser.get(reverse("tag", args=["main", name, "latest"]), {"refresh": "1"})
    back = f"{reverse('manifest-tag', args=['main', name, old])}?to=latest"
    history = reverse("history", args=["main", name])
    assert back in text(alice.browser.get(history))
    settings.ANONYMOUS_ROLE = "reader"
    assert back not in text(alice.browser.get(history))


# Back again


def test_undoing_a_delete_brings_it_back(
    alice: Visitor, registry: RunningRegistry, client: oci.Client, name: str
) -> None:
    built = images.index()
    registry.push_built(name, built, ["1.0", "latest"])
    alice.delete(name, built.digest)
    action = Action.objects.get()
    address = reverse("action-undo", args=[action.pk])
    page = Page(alice.browser.get(address), address)
    assert page.status == 200
    assert set(page.rows("coming")) == {built.digest}
    assert alice.submit(page).status_code == 303
    work()
    assert on(client, name) == {"1.0": built.digest, "latest": built.digest}
    detail = text(alice.browser.get(reverse("action", args=[action.pk])))
    assert 'data-state="undone"' in detail
    assert "How it was undone" in detail
    assert alice.browser.get(address).status_code == 303, "it can't be undone twice"


def test_undo_knows_its_registry_among_several(
    alice: Visitor, registry: RunningRegistry, name: str, settings: Settings
) -> None:
    alice.delete(name, registry.push(name, tags=["1.0"]))
    settings.REGISTRIES = registered(registry.url) | registered(registry.url, "other")
    row("other")
    page = alice.browser.get(reverse("action-undo", args=[Action.objects.get().pk]))
    assert page.status_code == 200
    assert reverse("repository", args=["main", name]) in text(page)


def test_the_trash_tells_what_was_deleted_and_leads_back(
    alice: Visitor, registry: RunningRegistry, client: oci.Client, name: str, settings: Settings
) -> None:
    digest = registry.push(name, tags=["1.0", "latest"])
    alice.delete(name, digest)
    trash = reverse("trash", args=["main"])
    shown = text(alice.browser.get(trash, {"q": name}))
    restore = reverse("manifest-restore", args=["main", name, digest])
    for words in ("1.0", "latest", "anonymous", restore):
        assert words in shown
    page = ask(alice, "manifest-restore", name, digest)
    assert alice.submit(page).status_code == 303
    assert on(client, name) == {"1.0": digest, "latest": digest}
    shown = text(alice.browser.get(trash, {"q": name}))
    assert "It is back" in shown
    assert restore not in shown
    assert "Nothing matches" in text(alice.browser.get(trash, {"q": "no-such-thing"}))
    assert SignedIn("charlie").get(trash).status_code == 404


def test_what_nobody_kept_cant_be_restored_and_bob_is_offered_nothing(
    alice: Visitor, registry: RunningRegistry, name: str, settings: Settings
) -> None:
    kept, lost = registry.push(name, tags=["1.0"]), registry.push(name, tags=["2.0"])
    for digest in (kept, lost):
        alice.delete(name, digest)
    Action.objects.get(digest=lost).kept.all().delete()
    settings.ANONYMOUS_ROLE = "reader"
    shown = text(alice.browser.get(reverse("trash", args=["main"]), {"q": name}))
    assert "Nobody has its bytes" in shown.partition(f'data-digest="{lost}"')[2].partition("</tr>")[0]
    assert "Can be restored" in shown.partition(f'data-digest="{kept}"')[2].partition("</tr>")[0]
    assert "/restore/" not in shown


def test_the_trash_costs_the_same_however_much_is_in_it(
    alice: Visitor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    repository = factories.repository("team/app", of=row())
    for number in range(30):
        deleted(repository, f"v{number}")
    with django_assert_num_queries(8):
        few = text(alice.browser.get(reverse("trash", args=["main"]), {"per_page": "1"}))
    with django_assert_num_queries(8):
        many = text(alice.browser.get(reverse("trash", args=["main"])))
    assert few.count("data-action=") == 1
    assert many.count("data-action=") == 30


def deleted(repository: Repository, tag: str) -> Action:
    action = waiting(repository, [tag])
    Action.objects.filter(pk=action.pk).update(state=State.RUNNING)
    for item in action.items.exclude(do=plans.GOES_ALONG):
        journal.note_ended(item, "done", "")
    return journal.finish(action, journal.Ending(State.DONE), timezone.now())


# The journal


def test_the_journal_is_filtered_and_comes_as_csv(alice: Visitor) -> None:
    repository = factories.repository("team/app", of=row())
    done, open_ = deleted(repository, "1.0"), waiting(repository, ["2.0", "=cmd"])
    address = reverse("activity")
    shown = text(alice.browser.get(address, {"state": "waiting"}))
    assert open_.pk in shown
    assert done.pk not in shown
    assert "1 of 2 actions" in shown
    assert "Nothing matches" in text(alice.browser.get(address, {"kind": "retag"}))
    answer = alice.browser.get(address, {"format": "csv"})
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(text(answer))))
    assert [(one["id"], one["state"], one["tags"]) for one in rows] == [
        (open_.pk, "waiting", "2.0 =cmd"),
        (done.pk, "done", "1.0"),
    ]


def test_a_cell_is_no_formula(alice: Visitor) -> None:
    waiting(factories.repository("team/app", of=row()), ["=cmd"])
    answer = alice.browser.get(reverse("activity"), {"format": "csv"})
    assert b"'=cmd" in answer.content


def test_the_failed_ones_of_many_are_tried_again(
    alice: Visitor, registry: RunningRegistry, client: oci.Client, name: str
) -> None:
    registry.push(name, tags=["1.0"])
    newer = registry.push(name, tags=["2.0"])
    alice.browser.get(reverse("repository", args=["main", name]))
    address = reverse("bulk", args=["main", name])
    page = Page(alice.browser.post(address, {"ticked": "1", "tag": ["1.0", "2.0"]}), address)
    alice.submit(page)
    action = Action.objects.get()
    registry.push_built(name, images.image(), ["other"])
    work()
    action.items.filter(digest=newer).update(result="failed", reason="The registry said no.")
    Action.objects.filter(pk=action.pk).update(state=State.PARTIAL, reason="1 of 2 were not done.")
    shown = text(alice.browser.get(reverse("action", args=[action.pk])))
    assert "Try the failed ones again" in shown
    assert 'name="tags" value="2.0"' in shown
    assert "The registry said no." in unescape(shown)
