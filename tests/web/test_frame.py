"""What surrounds every page: who sees which registries named, where one is, and the chosen theme."""

import re
from typing import Any

import pytest
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import resolve

from regui.accounts.access import Actor, Role
from regui.index.models import Registry
from regui.web import context

SEES, STRANGER = Actor("bob", Role.READER), Actor("charlie", Role.NONE)


def asking(address: str = "/-/activity/", actor: Actor | None = SEES) -> HttpRequest:
    """A request for that address as it reaches a view."""
    request = RequestFactory().get(address)
    request.resolver_match = resolve(request.path_info)
    if actor:
        request.actor = actor  # type: ignore[attr-defined]
    return request


def registries(*names: str) -> None:
    for name in names:
        Registry.objects.create(name=name, url=f"https://{name}.example.com")


@pytest.mark.django_db
def test_the_current_registry_is_the_one_the_address_names() -> None:
    registries("main", "prod")
    found = context.page(asking("/prod/team/app/"))
    assert str(found["registry"]) == "prod"
    assert found["section"] == "repositories"


@pytest.mark.django_db
def test_the_only_registry_is_the_current_one_where_the_address_names_none() -> None:
    registries("main")
    assert str(context.page(asking())["registry"]) == "main"
    registries("prod")
    assert context.page(asking())["registry"] is None


@pytest.mark.django_db
def test_a_registry_that_is_not_there_is_not_replaced_by_another() -> None:
    registries("main")
    assert context.page(asking("/elsewhere/"))["registry"] is None


@pytest.mark.django_db
def test_a_stranger_is_told_of_no_registry() -> None:
    registries("main", "prod")
    for actor in (STRANGER, None):
        found = context.page(asking("/prod/", actor))
        assert (found["registries"], found["registry"]) == ([], None)


@pytest.mark.django_db
def test_the_header_switches_between_registries_only_where_there_are_several() -> None:
    registries("main")
    assert "menu-registries" not in render_to_string("base.html", request=asking("/main/"))
    registries("prod")
    page = render_to_string("base.html", request=asking("/main/"))
    menu = page.partition('id="menu-registries"')[2].partition("</nav>")[0]
    assert re.findall(r'<a href="([^"]*)" ?(?:aria-current="(true)")?', menu) == [
        ("/main/", "true"),
        ("/prod/", ""),
    ]


@pytest.mark.django_db
def test_the_navigation_marks_the_section_one_is_in() -> None:
    registries("main")
    page = " ".join(render_to_string("base.html", request=asking("/-/activity/")).split())
    assert page.count('<a href="/-/activity/" aria-current="true">') == 2, (
        "in the header and at a phone's foot"
    )
    assert '<a href="/main/" aria-current="true">' not in page


@pytest.mark.django_db
def test_a_theme_that_there_is_not_is_no_theme() -> None:
    request = asking()
    request.COOKIES["theme"] = "dark"
    assert '<html lang="en" data-theme="dark">' in render_to_string("base.html", request=request)
    request.COOKIES["theme"] = '"><script>'
    assert '<html lang="en" data-theme="system">' in render_to_string("base.html", request=request)


def choose(theme: str, back: str) -> Any:
    """The test client's answer to the form in the header."""
    return Client().post("/-/theme/", {"theme": theme, "next": back})


def test_a_chosen_theme_is_kept_and_leads_back() -> None:
    response = choose("dark", "/main/?q=a")
    assert (response.status_code, response["Location"]) == (303, "/main/?q=a")
    cookie = response.cookies["theme"]
    assert (cookie.value, cookie["samesite"], cookie["httponly"], cookie["path"]) == (
        "dark",
        "Lax",
        True,
        "/",
    )


@pytest.mark.parametrize(
    "back", ["https://evil.example.com/", "//evil.example.com/", "javascript:alert(1)", ""]
)
def test_choosing_a_theme_leads_nowhere_else(back: str) -> None:
    assert choose("light", back)["Location"] == "/"


def test_an_unknown_theme_is_not_kept() -> None:
    assert "theme" not in choose("pink", "/").cookies


@pytest.mark.django_db
def test_a_theme_is_not_chosen_from_another_site() -> None:
    assert Client(enforce_csrf_checks=True).post("/-/theme/", {"theme": "dark"}).status_code == 403
    assert Client().get("/-/theme/").status_code == 405
