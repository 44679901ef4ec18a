"""Ways around what somebody may: others' plans, others' keys, names that mean something else, rights that are
gone by now, answers kept for the next who asks."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from regui.accounts.access import Role
from regui.accounts.models import Grant
from regui.actions import retag, run
from regui.actions.models import Action, Protection
from regui.index.models import Repository
from tests.matrix import ALL_ADMIN, EVERYBODY, FOREIGN, GHOST, OWN, Verdict, Who, outcomes, rows
from tests.people import SignedIn, grant
from tests.web import test_matrix
from tests.world import ROOT, World, hidden_fields, told, world  # noqa: F401 — one is a fixture

pytestmark = pytest.mark.django_db
# fixtures are called like the arguments that ask for them
# ruff: noqa: F811

PEOPLE = {str(who): who for who in EVERYBODY}
MINE, THEIRS, NOBODYS = (
    OWN["repository"].repository,
    FOREIGN["repository"].repository,
    GHOST["repository"].repository,
)


def somebody(world: World, role: str) -> Client:
    """Who has that role over the team's repositories."""
    return world.browser(PEOPLE[f"team-{role}"])


def row(name: str) -> Repository:
    return Repository.objects.select_related("registry").get(registry__name="main", name=name)


# Others' plans


@pytest.mark.parametrize("view", ["tag-delete", "bulk"])
def test_a_plan_for_another_repository_counts_for_nothing(world: World, view: str) -> None:
    more = {"tag-delete": ["1.0"], "bulk": []}[view]
    form = {"tag": "1.0"} if view == "bulk" else {}
    admin = world.browser(ALL_ADMIN)
    agreed = hidden_fields(admin.get(reverse(view, args=["main", THEIRS, *more]), form))
    assert agreed["fingerprint"]
    before = world.state()["Action"]
    answer = somebody(world, "maintainer").post(reverse(view, args=["main", MINE, *more]), agreed | form)
    assert answer.status_code == 409
    assert world.state()["Action"] == before
    assert THEIRS not in answer.text
    assert world.digests[THEIRS] not in answer.text


def test_a_plan_that_somebody_else_was_shown_is_carried_out_in_the_name_of_who_sends_it(world: World) -> None:
    address = reverse("manifest-tag", args=["main", MINE, world.digests[MINE]])
    agreed = hidden_fields(world.browser(ALL_ADMIN).get(address, {"to": "1.0"}))
    assert somebody(world, "reader").post(address, agreed | {"to": "1.0"}).status_code == 403
    assert somebody(world, "developer").post(address, agreed | {"to": "1.0"}).status_code == 303
    assert Action.objects.filter(actor="team-developer").count() == 1


# Others' places


@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_is_copied_to_where_somebody_may_not_look(world: World, method: str) -> None:
    developer, address = somebody(world, "developer"), reverse("tag-copy", args=["main", MINE, "1.0"])
    answers = []
    with world.untouched("copying"):
        for registry, name in (("main", THEIRS), ("main", NOBODYS), ("beyond", MINE), ("absent", MINE)):
            form = {"registry": registry, "to": name, "tag": "1.0"}
            answers.append(getattr(developer, method)(address, form))
    assert [answer.status_code for answer in answers] == [404] * 4
    assert told(answers[0], THEIRS) == told(answers[1], NOBODYS)
    assert told(answers[2], "beyond") == told(answers[3], "absent")


def test_nothing_is_copied_to_where_somebody_may_only_look(world: World) -> None:
    developer = SignedIn("dora", (Role.DEVELOPER, "team/**"), (Role.READER, "secret/**"))
    form = {"registry": "main", "to": THEIRS, "tag": "2.0"}
    with world.untouched("copying"):
        answer = developer.get(reverse("tag-copy", args=["main", MINE, "1.0"]), form)
    assert answer.status_code == 403
    assert "may not set tags of main/secret/app" in answer.text


def test_a_rule_of_another_registry_is_not_let_go(world: World) -> None:
    theirs = Protection.objects.create(
        registry="beyond", repositories="**", tags="v*", created_at=timezone.now()
    )
    with world.untouched("a rule"):
        answer = world.browser(PEOPLE["main-admin"]).post(
            reverse("protection-remove", args=["main"]), {"rule": str(theirs.pk)}
        )
    assert answer.status_code == 303
    assert Protection.objects.filter(pk=theirs.pk).exists()


def test_who_may_set_tags_may_stop_that_and_nothing_else(world: World) -> None:
    plan = retag.look(row(MINE), "1.0", "2.0")
    waiting = run.start(plan, ROOT, held=False).pk
    developer = somebody(world, "developer")
    assert developer.post(reverse("action-stop", args=[waiting])).status_code == 303
    assert Action.objects.get(pk=waiting).state == Action.State.CANCELLED
    assert developer.post(reverse("action-stop", args=[world.waiting[MINE]])).status_code == 403
    assert Action.objects.get(pk=world.waiting[MINE]).state == Action.State.WAITING


# Names


NAMES = [
    "team/../secret/app",
    "team/./app",
    "team//app",
    "team/app/",
    "/team/app",
    "team%2Fapp",
    "team/..%2fsecret/app",
    "team/app\x00",
    "team/äpp",
    "team/APP",
    "\u202eteam/app",
    "team/app?x=/secret/app",
]


@pytest.mark.parametrize("name", NAMES)
def test_no_name_means_another_repository(world: World, name: str) -> None:
    """Believing takes a name from a form, so that no address has seen to what it is."""
    form = {"repository": name}
    for role in ("maintainer", "admin"):
        with world.untouched(name):
            answer = somebody(world, role).post(reverse("jobs-believe", args=["main"]), form)
        assert answer.status_code == 404


@pytest.mark.parametrize("name", [*NAMES, "team%2F..%2Fsecret/app", "team%252Fapp", "team/%2e%2e/secret/app"])
def test_an_address_that_is_spelt_otherwise_leads_nowhere(world: World, name: str) -> None:
    for path in (f"/main/{name}/-/tags/1.0/", f"/main/{name}/-/tags/1.0/delete/", f"//main/{name}/"):
        with world.untouched(path):
            written = path.encode().decode("latin-1")  # as servers hand it on
            seen = somebody(world, "admin").generic("GET", "/", PATH_INFO=written)
            asked = world.browser(PEOPLE["visitor"]).generic("GET", "/", PATH_INFO=written)
        assert (seen.status_code, asked.status_code) == (404, 302), path
        assert asked["Location"].startswith(f"{reverse('account_login')}?next=%2F"), path
        assert not asked["Location"].startswith(f"{reverse('account_login')}?next=%2F%2F"), path


def test_a_missing_slash_tells_nothing_of_what_is_there(world: World) -> None:
    for who in ("stranger", "team-reader", "visitor"):
        there, none = (world.browser(PEOPLE[who]).get(f"/main/{name}") for name in (THEIRS, NOBODYS))
        assert told(there, THEIRS) == told(none, NOBODYS), who


def test_other_tags_named_in_bulk_are_of_this_repository_or_none(world: World) -> None:
    form = {"tag": ["1.0", "../../secret/app/manifests/1.0"]}
    asked = world.asked()
    page = somebody(world, "maintainer").get(reverse("bulk", args=["main", MINE]), form)
    assert page.status_code == 200
    assert world.digests[THEIRS] not in page.text
    world.asked()
    paths = [one.path for one in world.registry.requests()[asked:]]
    assert paths
    assert not [path for path in paths if "secret" in path]


# Rights that are gone


@pytest.fixture
def mia(world: World) -> SignedIn:
    """Mia maintains the team's repositories, and looks at what deleting a tag comes to."""
    return SignedIn("mia", (Role.MAINTAINER, "team/**"))


def lose_grant(mia: SignedIn) -> None:
    Grant.objects.filter(user=mia.person).delete()


def read_only(mia: SignedIn) -> None:
    grant(Role.READER, "team/app", user=mia.person)


def leave(mia: SignedIn) -> None:
    mia.person.is_active = False
    mia.person.save()


@pytest.mark.parametrize(("happens", "status"), [(lose_grant, 404), (read_only, 403), (leave, 302)])
def test_a_right_that_is_gone_between_looking_and_doing_is_gone(
    world: World, mia: SignedIn, happens: Any, status: int
) -> None:
    address = reverse("tag-delete", args=["main", MINE, "1.0"])
    agreed = hidden_fields(mia.get(address))
    assert agreed["fingerprint"]
    happens(mia)
    with world.untouched("too late"):
        assert mia.post(address, agreed).status_code == status


# What is kept on the way


def asked(row: Any, world: World) -> Iterator[tuple[Who, Any]]:
    """What each is answered who may, and one of those who may not."""
    for who, place, said in outcomes(row):
        if said is Verdict.WORKS or who.name in {"", "stranger"}:
            yield who, test_matrix.send(world.browser(who), row, place, world, {})


@pytest.mark.parametrize("row", [row for row in rows(test_matrix.TABLE) if row.method == "GET"], ids=str)
def test_no_answer_is_kept_for_somebody_else(world: World, row: Any) -> None:
    for who, answer in asked(row, world):
        kept = {word.strip() for word in answer["Cache-Control"].split(",")}
        assert kept & {"private", "no-store"}, f"{row} by {who}"
        assert "public" not in kept, f"{row} by {who}"
        assert "Cookie" in answer["Vary"], f"{row} by {who}"
        assert "ETag" not in answer, f"{row} by {who}"
