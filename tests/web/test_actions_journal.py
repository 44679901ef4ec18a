"""The activity page: what was done through regui, by whom, and how it ended."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui.accounts.access import Actor, Role
from regui.actions import journal, plans
from regui.actions.models import Action
from regui.actions.plans import Plan, Step, TagOn
from tests import factories
from tests.people import SignedIn
from tests.web.acting import text

pytestmark = pytest.mark.django_db

ALICE = Actor("alice", Role.ADMIN, "192.0.2.1")


@pytest.fixture
def visitor(settings: Settings) -> Client:
    settings.ANONYMOUS_ROLE = "reader"
    factories.registry()
    return Client()


def acted(
    name: str = "app",
    *tags: str,
    repository: str = "team/app",
    state: str = Action.State.DONE,
    result: str = "done",
    reason: str = "",
    actor: Actor = ALICE,
    days_ago: int = 0,
) -> Action:
    """An action of the journal, as if it had been run."""
    digest = factories.digest(name)
    plan = Plan(
        kind=plans.DELETE_DIGEST,
        registry="main",
        repository=repository,
        digest=digest,
        steps=(Step(plans.DELETE_DIGEST, repository, digest),),
        tags=tuple(TagOn(tag, digest) for tag in tags),
    )
    then = timezone.now() - timedelta(days=days_ago)
    action = journal.begin(plan, actor, [], then)
    for item in action.items.exclude(do=plans.GOES_ALONG):
        journal.note_ended(item, result, reason)
    return journal.finish(action, journal.Ending(state, reason), then)


def shown(visitor: Client, **query: str) -> str:
    return text(visitor.get(reverse("activity"), query))


def test_an_empty_journal_says_what_will_stand_there(visitor: Client) -> None:
    assert "Every delete made through regui will stand here" in shown(visitor)


def test_a_row_says_who_from_where_what_and_how_it_ended(visitor: Client) -> None:
    action = acted("app", "1.0", "latest")
    page = shown(visitor)
    for words in (
        'data-repository="team/app"',
        f'data-digest="{action.digest}"',
        "alice",
        "192.0.2.1",
        'data-tag="1.0"',
        'data-tag="latest"',
        "done",
        "team/",
    ):
        assert words in page


def test_the_newest_comes_first(visitor: Client) -> None:
    acted("old", days_ago=3)
    acted("new")
    page = shown(visitor)
    assert page.index(factories.digest("new")) < page.index(factories.digest("old"))


def test_a_failure_is_told_with_its_reason_as_plain_text(visitor: Client) -> None:
    acted(state=Action.State.FAILED, result="failed", reason="The registry said <b>no</b>.")
    page = shown(visitor)
    assert "Tried to delete" in page
    assert "The registry said &lt;b&gt;no&lt;/b&gt;." in page


@pytest.mark.parametrize(
    "words", ["team/other", "1.0-odd", "bob", "203.0.113.9", "failed", "quota", "OTHER bob", "sha256:"]
)
def test_the_filter_looks_into_everything_a_row_says(visitor: Client, words: str) -> None:
    acted("app", "1.0")
    bob = Actor("bob", Role.ADMIN, "203.0.113.9")
    odd = acted(
        "odd",
        "1.0-odd",
        repository="team/other",
        state=Action.State.FAILED,
        result="failed",
        reason="Over quota.",
        actor=bob,
    )
    page = shown(visitor, q=words)
    assert odd.digest in page
    assert (factories.digest("app") in page) == (words == "sha256:")


def test_a_filter_that_nothing_matches_can_be_cleared(visitor: Client) -> None:
    acted()
    page = shown(visitor, q="nowhere")
    assert "Nothing matches “nowhere”" in page
    assert "Clear filter" in page


def test_every_word_must_match(visitor: Client) -> None:
    acted("app", "1.0")
    assert "Nothing matches" in shown(visitor, q="team/app bob")


def test_it_is_paged_with_as_many_queries_however_long(
    visitor: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        acted(f"image {number}", f"{number}.0", "latest", days_ago=number)
    with django_assert_num_queries(5):
        first = shown(visitor, per_page="25")
    assert first.count("data-action=") == 25
    assert "30 actions" in first
    assert shown(visitor, per_page="25", page="2").count("data-action=") == 5


def test_htmx_gets_the_results_alone(visitor: Client) -> None:
    acted()
    answer = visitor.get(reverse("activity"), headers={"HX-Request": "true", "HX-Target": "div#results"})
    assert text(answer).strip().startswith('<div id="results"')
    assert "HX-Request" in answer["Vary"]


def test_many_tags_are_counted_past_the_first_dozen(visitor: Client) -> None:
    acted("app", *(f"1.{number}" for number in range(400)))
    assert "+388" in shown(visitor)


def test_charlie_may_not_read_it(visitor: Client, settings: Settings) -> None:
    acted()
    assert SignedIn("charlie").get(reverse("activity")).status_code == 403
    settings.ANONYMOUS_ROLE = "none"
    there = visitor.get(reverse("activity"))
    assert there["Location"] == f"{reverse('account_login')}?next={quote(reverse('activity'), safe='')}"


def test_it_survives_the_index_and_the_registry_it_speaks_of(visitor: Client) -> None:
    action = acted("app", "1.0")
    action_registry = factories.registry()
    action_registry.delete()
    assert action.digest in shown(visitor)


def test_what_someone_else_finished_stays_as_they_wrote_it() -> None:
    action = acted("app", "1.0", state=Action.State.DONE)
    late = journal.finish(action, journal.Ending(Action.State.FAILED, "late"), timezone.now())
    assert (late.state, late.reason) == ("done", "")
    assert {item.result for item in late.items.all()} == {"done"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tag:1.*", True),
        ("tag:app", False),
        ("repo:team/*", True),
        ("app:1.0", True),
        ("app:2.0", False),
        (f"digest:{factories.digest('app')[7:15]}", True),
        ("-tag:1.0", False),
        ("-tag:2.0 -repo:other", True),
        ('"1.*"', False),
    ],
)
def test_the_filter_speaks_the_language_of_lists(visitor: Client, text: str, found: bool) -> None:
    acted("app", "1.0", "latest")
    assert (factories.digest("app") in shown(visitor, q=text)) is found


def test_a_filter_that_the_journal_cannot_answer_explains_itself(visitor: Client) -> None:
    acted("app", "1.0")
    page = shown(visitor, q="size:>1GB")
    assert "Nothing here has an answer to “size:”" in page
    assert factories.digest("app") in page
