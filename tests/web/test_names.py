"""Repositories named by hand: the form on a list that no catalog fills, and the page of those names."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from regui import oci
from regui.index.models import Registry, Repository
from regui.web import naming
from tests import factories, images
from tests.fake import Fake
from tests.memory import Out, error
from tests.web.conftest import Visitor, registered

PAGE = "/main/-/settings/names/"
ADD, REMOVE = f"{PAGE}add/", f"{PAGE}remove/"


@pytest.fixture
def fake(settings: Settings, db: None) -> Iterator[Fake]:
    """A registry with two repositories that it doesn't list."""
    with Fake() as running:
        registered(settings, running.url)
        running.on("GET", "/v2/_catalog", error(404, "NOT_FOUND"))
        with oci.Client(running.url) as client:
            for name in ("team/app", "team/web"):
                images.push(client, name, images.image(), ["1.0"])
        yield running


def words(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def rows(text: str) -> list[str]:
    return re.findall(r'data-repository="([^"]+)"', text)


@pytest.mark.usefixtures("fake")
def test_a_list_without_a_catalog_offers_to_name_repositories(alice: Visitor) -> None:
    page = alice.get("/main/").text
    assert "Add repositories by name" in page
    assert f'action="{ADD}"' in page


def test_what_is_named_is_read_and_on_the_list(fake: Fake, alice: Visitor) -> None:
    host = fake.url.removeprefix("http://")
    answer = alice.post(ADD, {"names": f" team/app \n\n{host}/team/web/\nteam/app"})
    assert (answer.status_code, answer["Location"]) == (303, "/main/")
    assert Registry.objects.get().names == "team/app\nteam/web"
    page = alice.get("/main/").text
    assert "2 repositories added." in page
    assert sorted(rows(page)) == ["team/app", "team/web"]
    assert set(Repository.objects.values_list("tag_count", flat=True)) == {1}


def test_each_wrong_line_is_told_with_its_number_and_nothing_is_kept(fake: Fake, alice: Visitor) -> None:
    text = "team/app\nTeam/App\nteam/typo\n<b>"
    answer = alice.post(ADD, {"names": text})
    assert answer.status_code == 422
    said = words(answer.text)
    assert "Nothing was added." in said
    assert "Line 2, Team/App : No repository can be called that." in said
    assert "Line 4, <b> : No repository can be called that." in said
    assert html.escape(text) in answer.text
    assert Registry.objects.get().names == ""

    answer = alice.post(ADD, {"names": "team/app\nteam/typo"})
    assert answer.status_code == 422
    assert "Line 2, team/typo : The registry knows no such repository." in words(answer.text)
    assert Repository.objects.count() == 0


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "There is no name to add."),
        (" \n/\n", "There is no name to add."),
        ("x" * (naming.LONGEST + 1), "characters are too many"),
        ("\n".join(f"a{n}" for n in range(naming.MOST + 1)), "at a time are too many"),
    ],
)
def test_none_and_too_many_are_told(alice: Visitor, text: str, why: str) -> None:
    answer = alice.post(ADD, {"names": text})
    assert answer.status_code == 422
    assert why in answer.text


@pytest.mark.usefixtures("fake")
def test_a_registry_keeps_no_more_than_so_many(alice: Visitor) -> None:
    Registry.objects.update(names="\n".join(f"a{n}" for n in range(naming.KEPT)))
    answer = alice.post(ADD, {"names": "team/app"})
    assert answer.status_code == 422
    assert "too many to keep" in answer.text


def test_what_cannot_be_read_now_is_kept_and_told(fake: Fake, alice: Visitor) -> None:
    fake.on("GET", "/v2/team/web/tags/list", error(403, "DENIED"))
    page = alice.post(ADD, {"names": "team/app\nteam/web"}, follow=True)
    assert "team/web could not be read yet: The registry denied this" in page.text
    assert sorted(rows(page.text)) == ["team/app", "team/web"]


@pytest.mark.usefixtures("fake")
def test_names_given_by_hand_are_listed_and_removed_one_by_one(alice: Visitor) -> None:
    alice.post(ADD, {"names": "team/app\nteam/web"})
    assert sorted(rows(alice.get("/main/").text)) == ["team/app", "team/web"]
    page = alice.get(PAGE).text
    assert re.findall(r'data-name="([^"]+)"', page) == ["team/app", "team/web"]
    assert "Names by hand: 2, no catalog." in words(page)

    answer = alice.post(REMOVE, {"name": "team/app"})
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    assert re.findall(r'data-name="([^"]+)"', alice.get(PAGE).text) == ["team/web"]
    assert rows(alice.get("/main/").text) == ["team/web"]
    assert alice.post(REMOVE, {"name": "no/such"}).status_code == 303


def test_names_of_the_settings_are_shown_and_not_removed_here(
    fake: Fake, alice: Visitor, settings: Settings
) -> None:
    record = replace(settings.REGISTRIES["main"], names=("team/app",), under=("team", "other"))
    settings.REGISTRIES = {"main": record}
    page = alice.get("/main/").text
    assert rows(page) == ["team/app"]
    page = alice.get(PAGE).text
    said = words(page)
    assert "Given by REGUI_REGISTRY_NAMES , and changed there" in said
    assert "only what begins with team/ or other/" in said
    assert "As it lists nothing" in said
    assert "Remove" not in re.findall(r"<main.*</main>", page, re.DOTALL)[0].partition("names-list")[2]
    settings_page = words(alice.get("/-/settings/").text)
    assert "So far 0 named here and 1 by REGUI_REGISTRY_NAMES" in settings_page


@pytest.mark.usefixtures("fake")
def test_only_who_administers_may_name(bob: Visitor, charlie: Visitor) -> None:
    assert bob.get(PAGE).status_code == bob.post(ADD, {"names": "team/app"}).status_code == 403
    assert bob.post(REMOVE, {"name": "team/app"}).status_code == 403
    assert charlie.get(PAGE).status_code == charlie.post(ADD, {"names": "team/app"}).status_code == 404
    assert Registry.objects.get().names == ""
    assert PAGE not in bob.get("/main/").text


@pytest.mark.usefixtures("fake")
def test_names_change_by_post_only(alice: Visitor) -> None:
    assert alice.get(ADD).status_code == alice.get(REMOVE).status_code == 405
    assert alice.post(PAGE).status_code == 405


@pytest.mark.usefixtures("fake")
def test_the_jobs_page_says_how_names_come(alice: Visitor, bob: Visitor) -> None:
    alice.post(ADD, {"names": "team/app\nteam/web"}, follow=True)
    for number in range(12):
        factories.repository(f"told-{number}", of=Registry.objects.get(), source=Repository.Source.EVENT)
    said = words(bob.get("/-/jobs/").text)
    assert "Names by hand: 2, learnt from notifications: 12, no catalog." in said
    assert "This registry doesn't list its repositories." in said


@pytest.mark.usefixtures("fake")
def test_the_page_costs_the_same_however_many_there_are(
    alice: Visitor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Registry.objects.update(names="\n".join(f"a{n}" for n in range(500)))
    with django_assert_num_queries(3):
        alice.get(PAGE)


def test_rows_that_are_known_are_shown_while_the_list_is_on_its_way(fake: Fake, bob: Visitor) -> None:
    """The first is read within a visit's two seconds, though the list doesn't come in them."""
    fake.on("GET", "/v2/_catalog", Out(stall=30))
    factories.repository(
        "team/app", of=Registry.objects.get(), source=Repository.Source.EVENT, listed_at=None
    )
    page = bob.get("/main/")
    assert page.status_code == 200
    assert rows(page.text) == ["team/app"]
    assert Repository.objects.get().tag_count == 1
    assert "takes its time to list its repositories" in page.text
    assert "cloud-off" not in page.text.partition('id="results"')[2]

    bob.cookies["scripts"] = "1"
    asked = len(fake.seen)
    assert rows(bob.get("/main/").text) == ["team/app"]
    assert len(fake.seen) == asked, "a browser is shown what is known, and asks afterwards"
