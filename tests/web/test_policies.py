"""The pages to list, write and try policies."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from regui.accounts.access import Role
from regui.actions.models import PolicyRow, Run
from regui.index.models import Registry
from regui.retention import rules
from regui.retention.policy import Policy
from regui.web.drafts import Draft
from regui.web.ruling import KINDS
from regui.web.starting import STARTS
from tests import factories
from tests.people import SignedIn
from tests.web.conftest import Visitor

PAGE = "/main/-/cleanup/policies/"
ADD, PREVIEW = f"{PAGE}add/", f"{PAGE}preview/"
BASE = {"name": "old", "repositories": "**", "otherwise": "keep", "limit": "30"}
# What each kind of rule asks for, filled in.
FILLED: dict[str, dict[str, str]] = {
    "keep newest": {"count": "3", "by": "version", "per": "image", "unknown": "drop"},
    "keep younger": {"than": "12h", "by": "pushed", "unknown": "drop"},
    "keep pulled": {"within": "30d", "unknown": "drop"},
    "keep matching": {"tags": "v*, latest"},
    "keep versions": {"range": ">=1.2 <2"},
    "keep label": {"label": "keep=yes"},
    "keep protected": {},
    "keep in-use": {},
    "drop older": {"than": "30d", "by": "first-seen", "unknown": "drop"},
    "drop not-pulled": {"for": "90d"},
    "drop pre-releases": {},
    "drop superseded": {},
    "drop matching": {"tags": "pr-*"},
}
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#preview"}


@pytest.fixture
def main(db: None) -> Registry:
    row = factories.registry()
    for name in ("team/app", "other/app"):
        repository = factories.repository(name, of=row)
        for number in range(1, 5):
            at = timezone.now() - timedelta(days=20 * number)
            on = factories.manifest(repository, f"{name} {number}", created_at=at)
            factories.tag(repository, f"v{number}", on)
            factories.tag(repository, f"pr-{number}", on)
    return row


def rule(key: str, kind: str, **typed: str) -> dict[str, Any]:
    return {f"{key}-kind": kind} | {f"{key}-{name}": one for name, one in typed.items()}


def form(*rules: dict[str, Any], **more: str) -> dict[str, Any]:
    keys = [next(iter(one)).partition("-")[0] for one in rules]
    found: dict[str, Any] = BASE | {"rule": keys}
    for one in rules:
        found |= one
    return found | more


PULL_REQUESTS = rule("1", "drop matching", tags="pr-*")


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def figure(page: Any, name: str) -> str:
    found = re.search(rf'data-figure="{name}">([^<]*)<', page.text)
    assert found, page.text
    return found[1]


def lines(page: Any) -> list[tuple[str, str]]:
    return re.findall(r'data-line="([^"]+)" data-verdict="([^"]+)"', page.text)


def keys(page: Any) -> list[str]:
    return re.findall(r'name="rule" value="(\d+)"', page.text)


def typed_in(page: str, name: str) -> str:
    """What stands in a field of the form, or is chosen in it."""
    field = re.search(
        rf'<(?:input|select)[^>]* name="{name}"(?: value="([^"]*)"|>(.*?)</select>)', page, re.DOTALL
    )
    assert field, name
    chosen = re.search(r'<option value="([^"]*)" selected>', field[2] or "")
    return unescape(chosen[1] if chosen else field[1])


# Writing


def test_the_form_has_every_kind_of_rule_that_there_is() -> None:
    assert set(KINDS) == {f"{verb} {kind}" for verb, kind in rules.KINDS} == set(FILLED)


@pytest.mark.parametrize("kind", sorted(FILLED))
def test_every_kind_of_rule_goes_through_the_form_and_back(alice: Visitor, main: Registry, kind: str) -> None:
    typed = {"regex": "v[0-9]+"} | FILLED[kind]
    answer = alice.post(ADD, form(rule("1", kind, **typed), otherwise="drop", untagged="7d"))
    assert (answer.status_code, answer["Location"]) == (303, f"{PAGE}old/")
    policy = PolicyRow.objects.get().policy
    plain = policy.rules[0].plain()
    verb, _, what = kind.partition(" ")
    shown = {name: ", ".join(one) if isinstance(one, list) else str(one) for name, one in plain.items()}
    assert shown == {verb: what} | typed
    assert (policy.untagged, policy.otherwise, policy.limit) == (7 * 86_400, "drop", 30)
    page = alice.get(f"{PAGE}old/edit/").text
    assert {name: typed_in(page, f"1-{name}") for name in typed} == typed
    assert Draft.of(policy).read("main") == (policy, {})


@pytest.mark.parametrize("key", sorted(STARTS))
def test_a_starting_point_opens_filled_in_and_can_be_saved(alice: Visitor, main: Registry, key: str) -> None:
    assert f"from={key}" in alice.get(PAGE).text
    policy, faults = STARTS[key].draft.read("main")
    assert policy
    assert faults == {}
    page = alice.get(ADD, {"from": key})
    assert f'value="{policy.name}"' in page.text
    assert len(keys(page)) == len(policy.rules)


def test_a_saved_policy_runs_dry_first_and_stands_in_the_list(alice: Visitor, main: Registry) -> None:
    alice.post(ADD, form(PULL_REQUESTS, schedule="0 3 * * *", note="<b>builds</b>"))
    run = Run.objects.get()
    assert (run.policy, run.trigger) == ("old", Run.Trigger.FIRST)
    page = alice.get(PAGE)
    said = words(page.text)
    assert "drop matches pr-*" in said
    assert "At 03:00 every day" in said
    assert "&lt;b&gt;builds&lt;/b&gt;" in page.text


def test_all_that_is_wrong_is_told_beside_its_field_and_nothing_typed_is_lost(
    alice: Visitor, main: Registry
) -> None:
    sent = form(
        rule("4", "keep newest", count="many"),
        rule("2", "drop older", than="soon"),
        name="Not a name",
        otherwise="",
        schedule="never",
        limit="300",
    )
    answer = alice.post(ADD, sent)
    assert answer.status_code == 422
    for field in ("name", "schedule", "limit", "otherwise", "4-count", "2-than"):
        assert f'id="f-{field}-fault"' in answer.text
    for typed in ("many", "soon", "Not a name", "never", "300"):
        assert f'value="{typed}"' in answer.text
    assert keys(answer) == ["4", "2"]
    assert not PolicyRow.objects.exists()


def test_a_name_that_is_taken_is_told_beside_it(alice: Visitor, main: Registry) -> None:
    alice.post(ADD, form(PULL_REQUESTS))
    answer = alice.post(ADD, form(PULL_REQUESTS))
    assert answer.status_code == 422
    assert "main has a policy old already." in answer.text
    assert PolicyRow.objects.count() == 1


# The buttons of the form, as a browser without scripts presses them


@pytest.mark.parametrize(
    ("does", "left"),
    [
        ("up:2", ["2", "1", "3"]),
        ("down:2", ["1", "3", "2"]),
        ("remove:2", ["1", "3"]),
        ("up:1", ["1", "2", "3"]),
        ("down:3", ["1", "2", "3"]),
        ("add", ["1", "2", "3", "4"]),
        ("nonsense:1", ["1", "2", "3"]),
        ("up:99", ["1", "2", "3"]),
    ],
)
def test_rules_are_moved_added_and_taken_out_with_everything_typed_kept(
    alice: Visitor, main: Registry, does: str, left: list[str]
) -> None:
    three = [rule(key, "keep matching", tags=f"tag-{key}") for key in "123"]
    page = alice.post(PREVIEW, form(*three, do=does, kind="drop older", note="half wr"))
    assert page.status_code == 200
    assert keys(page) == left
    for key in left[:3]:
        assert f'name="{key}-tags" value="tag-{key}"' in page.text
    assert 'value="half wr"' in page.text
    assert not PolicyRow.objects.exists()


def test_a_schedule_is_chosen_by_a_button_and_said_in_words(alice: Visitor, main: Registry) -> None:
    page = alice.post(PREVIEW, form(PULL_REQUESTS, do="schedule:0 3 * * 0"))
    assert 'name="schedule" value="0 3 * * 0"' in page.text
    assert "At 03:00 on Sunday" in page.text
    assert len(re.findall(r"Sun \d+ \w+( \d+)?, 03:00", page.text)) == 3


# The preview


def test_the_preview_counts_and_says_why_of_each_tag(alice: Visitor, main: Registry) -> None:
    page = alice.post(PREVIEW, form(PULL_REQUESTS), headers=HTMX)
    assert "<html" not in page.text
    assert (figure(page, "drops"), figure(page, "keeps")) == ("8", "8")
    assert ("team/app:pr-1", "dropped") in lines(page)
    assert ("team/app:v1", "kept") in lines(page)
    assert "dropped rule 1, matches pr-*" in words(page.text)
    assert "it would drop 50% of the tags, and its limit is 30%" in page.text
    assert not Run.objects.exists()


def test_the_list_is_filtered_by_verdict_rule_text_and_repository(alice: Visitor, main: Registry) -> None:
    def found(**more: str) -> list[tuple[str, str]]:
        return lines(alice.post(PREVIEW, form(PULL_REQUESTS, **more), headers=HTMX))

    assert {verdict for _, verdict in found(show="kept")} == {"kept"}
    assert {verdict for _, verdict in found(show="dropped")} == {"dropped"}
    assert len(found(**{"by-rule": "1"})) == len(found(**{"by-rule": "0"})) == 8
    assert found(q="app:pr-3", **{"in": "team/app"}) == [("team/app:pr-3", "dropped")]
    assert found(q="no such tag") == []


def test_a_form_that_is_none_yet_shows_quietly_what_is_missing(alice: Visitor, main: Registry) -> None:
    page = alice.post(PREVIEW, form(rule("1", "drop older", than="x")), headers=HTMX)
    assert page.status_code == 200
    assert "Rule 1, older than" in words(page.text)
    assert 'data-figure="drops"' not in page.text
    assert alice.post(PREVIEW, form(rule("1", "drop older", than="x"))).status_code == 422


@pytest.mark.parametrize("page", [0, 1, 99, "x"])
def test_a_page_past_the_end_is_the_last_one(alice: Visitor, main: Registry, page: object) -> None:
    assert len(lines(alice.post(PREVIEW, form(PULL_REQUESTS, page=str(page)), headers=HTMX))) == 16


def test_all_tags_with_reasons_come_as_files(alice: Visitor, main: Registry) -> None:
    alice.post(ADD, form(PULL_REQUESTS))
    for answer in (
        alice.post(PREVIEW, form(PULL_REQUESTS, format="json", show="dropped")),
        alice.get(f"{PAGE}old/tags/", {"format": "json", "show": "dropped"}),
    ):
        rows = json.loads(b"".join(answer))
        assert len(rows) == 8
        assert {row["reason"] for row in rows} == {"dropped: rule 1, matches `pr-*`"}
    answer = alice.get(f"{PAGE}old/tags/", {"format": "csv"})
    assert answer["Content-Disposition"] == 'attachment; filename="main-old-tags.csv"'
    assert len(b"".join(answer).splitlines()) == 17


def test_the_tags_of_a_saved_policy_are_listed_with_reasons(alice: Visitor, main: Registry) -> None:
    alice.post(ADD, form(PULL_REQUESTS))
    page = alice.get(f"{PAGE}old/tags/", {"show": "dropped", "q": "team/"})
    assert lines(page) == [(f"team/app:pr-{number}", "dropped") for number in (4, 3, 2, 1)]


def test_the_list_and_the_preview_take_as_many_queries_for_many_as_for_one(
    alice: Visitor, main: Registry
) -> None:
    def queries(ask: Callable[[], Any]) -> int:
        ask()
        with CaptureQueriesContext(connection) as captured:
            assert ask().status_code == 200
        return len(captured)

    def listing() -> Any:
        return alice.get(PAGE)

    def preview() -> Any:
        return alice.post(PREVIEW, form(PULL_REQUESTS), headers=HTMX)

    alice.post(ADD, form(PULL_REQUESTS, name="first"))
    before = queries(listing), queries(preview)
    for name in ("second", "third"):
        alice.post(ADD, form(PULL_REQUESTS, name=name))
        repository = factories.repository(name, of=main)
        factories.tag(repository, "pr-9", factories.manifest(repository, name))
    assert queries(listing) == before[0] == 4
    # Facts are read a portion of the repositories at a time.
    assert queries(preview) <= before[1] + 2


# Who may


def test_who_only_reads_is_refused_and_strangers_find_nothing(
    bob: SignedIn, charlie: SignedIn, main: Registry
) -> None:
    for browser, status in ((bob, 403), (charlie, 404)):
        assert browser.get(PAGE).status_code == status
        assert browser.get(ADD).status_code == status
        assert browser.post(ADD, form(PULL_REQUESTS)).status_code == status
        assert browser.post(PREVIEW, form(PULL_REQUESTS)).status_code == status
    assert not PolicyRow.objects.exists()


def test_who_maintains_a_part_sees_only_that_and_their_own_policies(alice: Visitor, main: Registry) -> None:
    carol = SignedIn("carol", (Role.MAINTAINER, "team/**"))
    alice.post(ADD, form(PULL_REQUESTS, name="of-alice"))
    assert "of-alice" not in carol.get(PAGE).text
    assert carol.get(f"{PAGE}of-alice/edit/").status_code == 404
    page = carol.post(PREVIEW, form(PULL_REQUESTS), headers=HTMX)
    assert figure(page, "drops") == "4"
    assert "other/app" not in page.text
    carol.post(ADD, form(PULL_REQUESTS, name="of-carol"))
    assert "of-carol" in carol.get(PAGE).text


def test_who_has_no_policy_isnt_told_that_there_is_none(alice: Visitor, main: Registry) -> None:
    carol = SignedIn("carol", (Role.MAINTAINER, "team/**"))
    for page, none, theirs in (
        (PAGE, "No policy yet", "None of yours yet"),
        ("/main/-/cleanup/runs/", "No policy has run yet", "None of yours has run yet"),
    ):
        assert none in alice.get(page).text
        assert theirs not in alice.get(page).text
        assert none not in carol.get(page).text
        assert theirs in carol.get(page).text


def test_only_who_may_change_a_policy_is_led_to_its_form(alice: Visitor, main: Registry) -> None:
    alice.post(ADD, form(PULL_REQUESTS, name="of-alice"))
    otto = SignedIn("otto", (Role.AUDITOR, "**"), (Role.MAINTAINER, "team/**"))
    otto.post(ADD, form(PULL_REQUESTS, name="of-otto"))
    led = re.findall(r'href="[^"]*/policies/([^/"]+)/edit/"', otto.get(PAGE).text)
    assert led == ["of-otto"]
    assert otto.get(f"{PAGE}of-otto/edit/").status_code == 200
    assert otto.get(f"{PAGE}of-alice/edit/").status_code == 403
    assert len(re.findall(r'/edit/"', alice.get(PAGE).text)) == 2


def test_hostile_words_stay_words(alice: Visitor, main: Registry) -> None:
    bad = "<script>`\"'"
    page = alice.post(PREVIEW, form(rule("1", "keep label", label=bad), note=bad, q=bad))
    assert "<script>`" not in page.text
    assert "&lt;script&gt;" in page.text
    assert alice.post(PREVIEW, form(rule("1", "keep label", label="a\0b"), q="\0")).status_code == 200


def test_a_policy_reads_back_as_it_was_written(main: Registry) -> None:
    policy = Policy.read(
        {"name": "a", "registry": "main", "repositories": ["a/**", "b"], "rules": [], "otherwise": "drop"}
    )
    assert Draft.of(policy).read("main") == (policy, {})


def test_a_moment_in_another_year_says_which(alice: Visitor, main: Registry) -> None:
    page = alice.post(PREVIEW, form(PULL_REQUESTS, schedule="0 0 29 2 *")).text
    now = timezone.now()
    leap = next(year for year in range(now.year + 1, now.year + 9) if year % 4 == 0)
    assert f"29 Feb {leap}, 00:00" in page
    soon = now + timedelta(hours=1)
    page = alice.post(PREVIEW, form(PULL_REQUESTS, schedule=f"0 {soon.hour} * * *")).text
    assert (
        f"{soon.day} {soon:%b}{'' if soon.year == now.year else f' {soon.year}'}, {soon.hour:02}:00" in page
    )
