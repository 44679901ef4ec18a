"""A page says how old it is, is there at once, and comes up to date by asking for itself again."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.index.models import Registry, Repository, Tag
from tests import images
from tests.fake import Fake
from tests.memory import Out
from tests.web.conftest import Visitor, registered

NAME = "team/app"
LIST, PAGE = "/main/", f"/main/{NAME}/"
ASKS = re.compile(r'id="fresh" hx-get="([^"]*)"')


@pytest.fixture
def lab(settings: Settings, db: None) -> Iterator[Fake]:
    with Fake() as fake:
        registered(settings, fake.url)
        push(fake, "1.0")
        yield fake


def push(fake: Fake, *tags: str) -> oci.Digest:
    with oci.Client(fake.url) as client:
        return images.push(client, NAME, images.image(), tags)


def age(hours: int = 1) -> None:
    """Everything was read that long ago."""
    then = timezone.now() - timedelta(hours=hours)
    Registry.objects.update(listed_at=then)
    Repository.objects.update(listed_at=then)
    Tag.objects.update(seen_at=then)


def asks(text: str) -> str:
    """The query with which a page asks again by itself; empty when it doesn't."""
    found = ASKS.search(text)
    return unescape(found[1]) if found else ""


def htmx(target: str = "results", kind: str = "partial") -> dict[str, str]:
    return {"HX-Request": "true", "HX-Request-Type": kind, "HX-Target": f"div#{target}"}


def names(text: str) -> list[str]:
    return re.findall(r'<tr [^>]*data-tag="([^"]*)"', text)


def known(bob: Visitor, fake: Fake) -> None:
    """All was read, an hour ago; Bob's browser has run our script meanwhile."""
    bob.cookies["scripts"] = "1"
    for address in (LIST, PAGE, f"{PAGE}-/tags/1.0/"):
        assert bob.get(address).status_code == 200
    age()
    fake.seen.clear()


@pytest.mark.parametrize("address", [LIST, PAGE, f"{PAGE}-/tags/1.0/"])
def test_what_is_remembered_is_shown_without_asking_and_dated(lab: Fake, bob: Visitor, address: str) -> None:
    known(bob, lab)
    page = bob.get(address).text
    assert lab.seen == []
    assert "UTC (1 h ago)" in page
    assert asks(page)


@pytest.mark.parametrize("address", [LIST, PAGE, f"{PAGE}-/tags/1.0/"])
def test_what_is_fresh_asks_nobody(lab: Fake, bob: Visitor, address: str) -> None:
    known(bob, lab)
    bob.get(f"{address}?refresh=1")
    lab.seen.clear()
    page = bob.get(address).text
    assert lab.seen == []
    assert asks(page) == ""
    assert "(just now)" in page


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
@pytest.mark.parametrize("address", [LIST, PAGE, f"{PAGE}-/tags/1.0/"])
def test_a_person_who_asks_for_it_gets_the_registrys_own_word(
    lab: Fake, bob: Visitor, address: str, scripts: bool
) -> None:
    known(bob, lab)
    if not scripts:
        del bob.cookies["scripts"]
    for _ in range(2):
        lab.seen.clear()
        assert bob.get(f"{address}?refresh=1").status_code == 200
        assert lab.seen


def test_a_page_that_asks_by_itself_bothers_nobody_about_what_is_young(lab: Fake, bob: Visitor) -> None:
    known(bob, lab)
    query = asks(bob.get(PAGE).text)
    bob.get(PAGE + query, headers=htmx())
    lab.seen.clear()
    bob.get(PAGE + query, headers=htmx())
    assert lab.seen == []


def test_look_again_finds_what_was_pushed_a_moment_ago(settings: Settings, bob: Visitor) -> None:
    with Fake() as fake:
        registered(settings, fake.url)
        assert "Nothing here yet" in bob.get(LIST).text
        push(fake, "1.0")
        assert "Nothing here yet" in bob.get(LIST).text
        assert NAME in bob.get(f"{LIST}?refresh=1").text
        push(fake, "2.0")
        assert sorted(names(bob.get(f"{PAGE}?refresh=1").text)) == ["1.0", "2.0"]


def test_rows_that_changed_are_swapped_in_and_said_to_have(lab: Fake, bob: Visitor) -> None:
    known(bob, lab)
    page = bob.get(PAGE).text
    push(lab, "2.0")
    answer = bob.get(PAGE + asks(page), headers=htmx())
    assert names(answer.text) == ["1.0", "2.0"] or names(answer.text) == ["2.0", "1.0"]
    assert "Changed just now" in answer.text
    assert "HX-Retarget" not in answer
    assert "refresh=" not in "".join(re.findall(r'id="sort-[^>]*', answer.text))
    assert asks(answer.text) == ""


@pytest.mark.parametrize("address", [LIST, PAGE, f"{PAGE}-/tags/1.0/"])
def test_where_nothing_changed_only_the_line_about_its_age_does(
    lab: Fake, bob: Visitor, address: str
) -> None:
    known(bob, lab)
    page = bob.get(address).text
    answer = bob.get(address + asks(page), headers=htmx("main", "full"))
    assert answer["HX-Retarget"] == answer["HX-Reselect"] == "#fresh"
    assert "<tr" not in answer.text
    assert "(just now)" in answer.text
    assert asks(answer.text) == ""


def test_a_tag_that_moved_is_shown_where_it_is_now(lab: Fake, bob: Visitor) -> None:
    known(bob, lab)
    page = bob.get(f"{PAGE}-/tags/1.0/").text
    moved = push(lab, "1.0")
    answer = bob.get(f"{PAGE}-/tags/1.0/{asks(page)}", headers=htmx("main", "full"))
    assert f'data-digest="{moved}"' in answer.text
    assert '<main id="main"' in answer.text


@pytest.mark.parametrize("address", [LIST, PAGE, f"{PAGE}-/tags/1.0/"])
def test_who_runs_no_script_waits_for_what_is_old(lab: Fake, bob: Visitor, address: str) -> None:
    known(bob, lab)
    del bob.cookies["scripts"]
    page = bob.get(address).text
    assert lab.seen
    assert "(just now)" in page
    assert asks(page) == ""
    lab.seen.clear()
    bob.get(address)
    assert lab.seen == []


def test_who_runs_no_script_sees_what_was_pushed_since(lab: Fake, bob: Visitor) -> None:
    known(bob, lab)
    del bob.cookies["scripts"]
    push(lab, "1.0.1")
    assert names(bob.get(f"{PAGE}?q=1.0&sort=name").text) == ["1.0", "1.0.1"]


def test_what_was_never_read_is_waited_for(lab: Fake, bob: Visitor) -> None:
    page = bob.get(PAGE).text
    assert names(page) == ["1.0"]
    assert asks(page) == ""


def test_a_registry_that_hangs_holds_up_no_page(lab: Fake, bob: Visitor) -> None:
    known(bob, lab)
    lab.on("GET", "/v2/.*", Out(200, b"{}", stall=5.0))
    began = time.monotonic()
    page = bob.get(PAGE).text
    assert time.monotonic() - began < 1
    assert names(page) == ["1.0"]
    answer = bob.get(PAGE + asks(page), headers=htmx())
    assert names(answer.text) == ["1.0"]
    assert 'class="notice bad"' in answer.text
    assert "1 h ago" in answer.text


def test_how_old_is_old_is_a_setting(lab: Fake, bob: Visitor, settings: Settings) -> None:
    known(bob, lab)
    settings.STALE_AFTER = timedelta(hours=2)
    assert asks(bob.get(PAGE).text) == ""
