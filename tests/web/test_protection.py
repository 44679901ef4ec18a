"""The page of rules, and where what they protect shows."""

import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui import oci
from regui.actions import protection
from regui.actions.models import Action, Protection
from regui.actions.protection import Rule
from regui.index.models import Registry
from regui.web.protecting import Covers, Protecting
from tests import factories, images
from tests.registry import RunningRegistry
from tests.web import acting
from tests.web.conftest import Visitor

PAGE = "/main/-/settings/protection/"
ADD, REMOVE = f"{PAGE}add/", f"{PAGE}remove/"


@pytest.fixture
def main(db: None) -> Registry:
    return factories.registry()


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def rules(page: Any) -> list[str]:
    return re.findall(r'data-rule="([^"]+)"', page.text)


def rule(registry: Registry, tags: str, repositories: str = "**") -> None:
    protection.add(registry, Rule(repositories, tags), "alice", "", timezone.now())


# The page


def test_a_rule_is_made_listed_with_what_it_covers_and_removed(alice: Visitor, main: Registry) -> None:
    for name in ("team/app", "team/web", "other"):
        repository = factories.repository(name, of=main)
        on = factories.manifest(repository)
        for tag in ("v1", "v2", "edge"):
            factories.tag(repository, tag, on)
    answer = alice.post(ADD, {"repositories": "team/**", "tags": "v*", "note": "customers run these"})
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    made = Protection.objects.get()
    assert (made.registry, str(made), made.created_by) == ("main", "main/team/**:v*", "anonymous")
    page = alice.get(PAGE)
    assert rules(page) == ["team/**:v*"]
    assert "customers run these 4 tags in 2 repositories now · by anonymous, just now" in words(page.text)
    answer = alice.post(REMOVE, {"rule": str(made.pk)})
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    assert not Protection.objects.exists()
    assert "Nothing is protected yet." in alice.get(PAGE).text


def test_the_same_rule_twice_is_one(alice: Visitor, main: Registry) -> None:
    for _ in range(2):
        assert alice.post(ADD, {"tags": "latest"}).status_code == 303
    assert rules(alice.get(PAGE)) == ["**:latest"]
    assert "were protected already" in alice.post(ADD, {"tags": "latest"}, follow=True).text


def test_the_settings_rules_are_shown_and_cannot_be_removed(
    alice: Visitor, main: Registry, settings: Settings
) -> None:
    settings.PROTECTED_TAGS = (("**", "latest"),)
    page = alice.get(PAGE)
    assert rules(page) == ["**:latest"]
    assert "given by REGUI_PROTECTED_TAGS , for every registry" in words(page.text)
    assert 'name="rule"' not in page.text


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"tags": "v[12]"}, "This must be a tag, or a pattern of tags such as v* or prod-?."),
        ({"tags": ""}, "This must be a tag"),
        ({"tags": "v1", "repositories": "te**am"}, "This must be a repository, or a pattern of"),
        ({"tags": "<b>"}, 'value="&lt;b&gt;"'),
    ],
)
def test_what_means_nothing_is_told_beside_its_field(
    alice: Visitor, main: Registry, form: dict[str, str], why: str
) -> None:
    answer = alice.post(ADD, form)
    assert answer.status_code == 422
    assert why in answer.text
    assert not Protection.objects.exists()


@pytest.mark.parametrize("text", ["", "x", "-1", "99", "9" * 40])
def test_to_remove_what_is_not_there_changes_nothing(alice: Visitor, main: Registry, text: str) -> None:
    rule(main, "v*")
    assert alice.post(REMOVE, {"rule": text}).status_code == 303
    assert Protection.objects.count() == 1


def test_a_rule_of_another_registry_is_not_removed_here(alice: Visitor, main: Registry) -> None:
    rule(factories.registry("other"), "v*")
    alice.post(REMOVE, {"rule": str(Protection.objects.get().pk)})
    assert Protection.objects.count() == 1


def test_only_who_administers_may_see_or_change_it(bob: Visitor, charlie: Visitor, main: Registry) -> None:
    for path in (ADD, REMOVE):
        assert bob.post(path, {"tags": "v*"}).status_code == 403
        assert charlie.post(path, {"tags": "v*"}).status_code == 404
        assert bob.get(path).status_code in {403, 405}
    assert (bob.get(PAGE).status_code, charlie.get(PAGE).status_code) == (403, 404)
    assert not Protection.objects.exists()


def test_the_page_costs_the_same_however_many_rules_and_tags(
    alice: Visitor, main: Registry, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    repository = factories.repository("team/app", of=main)
    on = factories.manifest(repository)
    rule(main, "v*")
    with django_assert_num_queries(4):
        alice.get(PAGE)
    for number in range(20):
        rule(main, f"v{number}*")
        factories.tag(repository, f"v{number}", on)
    with django_assert_num_queries(4):
        assert len(rules(alice.get(PAGE))) == 21


def test_what_is_counted_is_bounded(main: Registry) -> None:
    repository = factories.repository("team/app", of=main)
    on = factories.manifest(repository)
    for number in range(5):
        factories.tag(repository, f"v{number}", on)
    rule(main, "v*")
    some, every = Protecting(main, most=3), Protecting(main, most=5)
    assert (some.partly, [row.covers for row in some.rows]) == (True, [Covers(tags=3, repositories=1)])
    assert (every.partly, [row.covers for row in every.rows]) == (False, [Covers(tags=5, repositories=1)])


# Lists and manifests


def test_a_list_shows_a_lock_with_its_reason(alice: Visitor, main: Registry) -> None:
    repository = factories.repository("team/app", of=main, tag_count=2)
    on = factories.manifest(repository)
    for tag in ("v1", "edge"):
        factories.tag(repository, tag, on, seen_at=timezone.now())
    rule(main, "v*", "team/*")
    alice.cookies["scripts"] = "1"
    page = alice.get("/main/team/app/").text
    locked = page.partition('data-tag="v1"')[2].partition("</tr>")[0]
    assert 'class="lock" title="Protected by v* in team/*"' in locked
    assert "Why the tag v1 can" in locked
    free = page.partition('data-tag="edge"')[2].partition("</tr>")[0]
    assert "lock" not in free
    assert "Delete the tag edge…" in free


# From the page that asks, on a real registry


@pytest.fixture
def asking(index_registry: Registry, alice: Visitor) -> acting.Visitor:
    return acting.Visitor(alice)


def test_the_page_that_asks_names_what_is_protected_and_posting_it_is_refused(
    asking: acting.Visitor, registry: RunningRegistry, client: oci.Client
) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["v1", "v2", "edge"])
    open_page = asking.confirm(name, digest)
    assert open_page.can_submit
    rule(Registry.objects.get(), "v*", name)
    page = asking.confirm(name, digest)
    assert not page.can_submit
    assert page.going == []
    assert f"v1 protected by v* in {name}" in words(page.text)
    assert f"v2 protected by v* in {name}" in words(page.text)
    for stubborn in (page, open_page):
        answer = asking.submit(stubborn)
        assert answer.status_code == 409
        assert "A protected tag needs this digest, so it stays." in answer.text
    assert set(client.tags(name)) == {"v1", "v2", "edge"}
    assert not Action.objects.exists()


def test_a_manifests_page_says_what_needs_it(asking: acting.Visitor, registry: RunningRegistry) -> None:
    name = registry.unique()
    built = images.index()
    registry.push_built(name, built, ["v1"])
    child = built.children[0].digest
    rule(Registry.objects.get(), "v1")
    browser = asking.browser
    browser.get(reverse("tag", args=["main", name, "v1"]))
    page = browser.get(reverse("manifest", args=["main", name, child])).content.decode()
    assert "It is needed by v1, which is protected by v1: it can" in words(page)
    page = browser.get(reverse("manifest", args=["main", name, built.digest])).content.decode()
    assert "v1 on this digest is protected by v1: the digest can" in words(page)
    page = browser.get(reverse("tag", args=["main", name, "v1"])).content.decode()
    assert "The tag is protected by v1: it can" in words(page)


def test_of_chosen_tags_the_protected_stay_and_that_is_said_first(
    asking: acting.Visitor, registry: RunningRegistry
) -> None:
    name = registry.unique()
    registry.push(name, tags=["v1", "v2"])
    registry.push(name, tags=["edge"])
    asking.browser.get(reverse("repository", args=["main", name]))
    rule(Registry.objects.get(), "v*")
    page = acting.text(
        asking.browser.get(reverse("bulk", args=["main", name]), {"tag": ["v1", "v2", "edge"]})
    )
    assert "Delete 1 tag?" in page
    assert "1 manifest loses every tag and goes too; 2 are protected and stay." in words(page)
    page = acting.text(asking.browser.get(reverse("bulk", args=["main", name]), {"tag": ["v1", "v2"]}))
    assert "Delete 2 tags?" in page
    assert "All of these tags are protected, and stay." in page
    assert '<button class="btn danger primary" disabled aria-describedby="protected">' in page


def test_a_protected_tag_is_not_moved_from_the_page_that_sets_tags(
    asking: acting.Visitor, registry: RunningRegistry
) -> None:
    name = registry.unique()
    registry.push(name, tags=["latest"])
    new = registry.push(name, tags=["2.0"])
    rule(Registry.objects.get(), "latest")
    address = reverse("manifest-tag", args=["main", name, new])
    page = acting.text(asking.browser.get(address, {"to": "latest"}))
    assert "The tag is protected, and stays where it is." in page
    assert "latest protected by latest" in words(page)
    assert "will be on" in acting.text(asking.browser.get(address, {"to": "newer"}))
