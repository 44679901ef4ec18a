"""Plans and actions by a program: what it is shown is what a person is, and runs only while that holds."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui.actions import plans, protection, run
from regui.actions.models import Action
from regui.actions.protection import Rule
from regui.index.models import Registry
from tests import images
from tests.actions.conftest import stand  # noqa: F401 — a fixture
from tests.actions.stand import Stand
from tests.api.calling import Caller
from tests.index.conftest import registered
from tests.registry import open_registry
from tests.web.acting import Page, Visitor
from tests.web.conftest import Visitor as Browser

# fixtures are called like the arguments that ask for them
# ruff: noqa: F811
State = Action.State


def work() -> None:
    """What a worker does until nothing is due."""
    while action := run.next_due(timezone.now()):
        run.carry_out(action)


def wish(stand: Stand, kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "registry": "main", "repository": stand.name, **more}


def plan(caller: Caller, stand: Stand, kind: str, **more: Any) -> dict[str, Any]:
    answer = caller.post("/plans", wish(stand, kind, **more))
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def act(caller: Caller, planned: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The action once it has ended, as it is told at the address that the answer leads to."""
    answer = caller.post("/actions", {**planned, **more})
    assert answer.status_code == 202, answer.content
    assert answer.json()["state"] == "waiting"
    work()
    ended = caller.get(answer["Location"])
    assert ended.status_code == 200
    return dict(ended.json())


def shown(stand: Stand, view: str, *where: str, **query: str) -> dict[str, Any]:
    """What the page that asks before a change shows: as its form brings it back."""
    address = reverse(view, args=["main", stand.name, *where])
    form = Page(Browser("admin").get(address, query), address).form
    return dict(signing.loads(form["agreed"], salt="regui.plan")) | {"fingerprint": form["fingerprint"]}


def test_a_plan_is_what_the_confirm_page_shows(alice: Caller, stand: Stand) -> None:
    digest = stand.registry.push_index(stand.name, tags=["1.0", "latest"], attested=True)
    stand.registry.push(stand.name, tags=["2.0"])
    pages = [
        (shown(stand, "tag-delete", "1.0"), plan(alice, stand, "untag", tags=["1.0"])),
        (shown(stand, "manifest-delete", digest), plan(alice, stand, "delete-digest", digest=digest)),
        (
            shown(stand, "manifest-delete", digest, along="1"),
            plan(alice, stand, "delete-digest", digest=digest, along=True),
        ),
        (shown(stand, "bulk", tag="1.0"), plan(alice, stand, "delete-tags", tags=["1.0"])),
        (shown(stand, "repository-delete"), plan(alice, stand, "delete-repository")),
        (shown(stand, "untagged-delete"), plan(alice, stand, "delete-untagged")),
        (
            shown(stand, "manifest-tag", digest, to="2.0"),
            plan(alice, stand, "retag", reference=digest, tags=["2.0"]),
        ),
    ]
    for page, told in pages:
        assert told["fingerprint"] == page["fingerprint"], told["kind"]
        for name in ("kind", "registry", "repository", "digest", "asked", "tags", "lost"):
            assert told[name] == page[name], (told["kind"], name)
        assert plans.facts_of(told) == {name: page[name] for name in page if name != "fingerprint"}
        assert told["check"]["complete"]
        assert told["check"]["as_of"]
    assert not Action.objects.exists(), "nothing was changed"


def test_a_tag_goes_once_its_plan_is_sent_back(alice: Caller, stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["1.0", "latest"])
    planned = plan(alice, stand, "untag", tags=["1.0"])
    assert planned["siblings"] == ["latest"]
    done = act(alice, planned)
    assert (done["state"], done["steps"], done["ended"]) == ("done", 1, 1)
    assert stand.tags() == {"latest": digest}
    items = alice.get(f"/actions/{done['id']}/items").json()["items"]
    assert [(one["do"], one["tag"], one["result"]) for one in items] == [("untag", "1.0", "done")]
    kept = alice.get(f"/actions/{done['id']}/plan").json()
    assert kept["fingerprint"] == planned["fingerprint"]


def test_of_a_plan_its_fingerprint_and_what_was_asked_are_enough(alice: Caller, stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["1.0", "latest"])
    planned = plan(alice, stand, "untag", tags=["1.0"])
    needed = ("kind", "registry", "repository", "digest", "asked", "fingerprint")
    assert act(alice, {name: planned[name] for name in needed})["state"] == "done"
    assert set(stand.tags()) == {"latest"}


def test_each_kind_of_change_is_carried_out(alice: Caller, stand: Stand) -> None:
    old = stand.registry.push(stand.name, tags=["1.0", "1.1"])
    new = stand.registry.push(stand.name, tags=["2.0"])
    assert act(alice, plan(alice, stand, "retag", reference="2.0", tags=["stable"]))["state"] == "done"
    assert stand.tags()["stable"] == new
    gone = act(alice, plan(alice, stand, "delete-digest", digest=old))
    assert gone["state"] == "done"
    assert set(stand.tags()) == {"2.0", "stable"}
    back = act(alice, plan(alice, stand, "undo", action=gone["id"]))
    assert (back["state"], back["undoes"]) == ("done", gone["id"])
    assert stand.tags()["1.1"] == old
    assert alice.get(f"/actions/{gone['id']}").json()["state"] == "undone"
    assert act(alice, plan(alice, stand, "delete-tags", tags=["1.0", "1.1"]))["state"] == "done"
    assert set(stand.tags()) == {"2.0", "stable"}
    assert act(alice, plan(alice, stand, "restore", digest=old, tags=["1.0"]))["state"] == "done"
    assert stand.tags()["1.0"] == old
    assert act(alice, plan(alice, stand, "untag", tags=["1.0"]))["state"] == "done"
    loose = plan(alice, stand, "delete-untagged")
    assert [step["digest"] for step in loose["steps"]] == [old]
    assert act(alice, loose)["state"] == "done"
    assert stand.on(old) == ""


def test_tags_that_a_filter_finds_are_named_in_the_plan(alice: Caller, stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["ci-1", "ci-2", "main"])
    alice.get(f"/registries/main/repositories/{stand.name}/-/tags")
    planned = plan(alice, stand, "delete-tags", q="ci-*")
    assert planned["asked"] == {"tags": ["ci-1", "ci-2"]}
    none = alice.post("/plans", wish(stand, "delete-tags", q="v*"))
    assert (none.status_code, none.json()["error"]["code"]) == (422, "no-tags")


def test_a_repository_goes_only_by_its_name(alice: Caller, stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["1.0"])
    alice.get(f"/registries/main/repositories/{stand.name}/-/tags")
    planned = plan(alice, stand, "delete-repository")
    for more in ({}, {"confirm": "another"}):
        answer = alice.post("/actions", {**planned, **more})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unconfirmed")
    assert act(alice, planned, confirm=stand.name)["state"] == "done"
    assert stand.on(digest) == ""


def test_what_differs_by_then_is_named_and_nothing_is_done(alice: Caller, stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["1.0"])
    planned = plan(alice, stand, "delete-digest", digest=digest)
    with stand.registry.connect() as client:
        content = client.manifest(stand.name, digest)
        assert content is not None
        client.put_manifest(stand.name, "late", content.body, content.media_type)
    error = alice.post("/actions", planned).json()["error"]
    assert error["code"] == "stale"
    assert error["details"]["changed"] == ["The tag late now points at this digest too: it would go as well."]
    assert error["details"]["plan"]["fingerprint"] != planned["fingerprint"]
    assert set(stand.tags()) == {"1.0", "late"}
    bare = {name: planned[name] for name in ("kind", "registry", "repository", "digest", "fingerprint")}
    answer = alice.post("/actions", bare)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "stale")
    assert act(alice, error["details"]["plan"])["state"] == "done"
    assert stand.tags() == {}
    answer = alice.post("/actions", planned)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "stale"), "it is gone by now"


def test_facts_that_are_not_the_fingerprint_s_are_not_believed(alice: Caller, stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["1.0", "latest"])
    planned = plan(alice, stand, "delete-digest", digest=digest)
    stand.registry.push(stand.name, tags=["1.0"])
    error = alice.post("/actions", {**planned, "tags": []}).json()["error"]
    assert error["details"]["changed"] == ["What this would touch is no longer what you were shown."]


def test_an_index_that_breaks_has_to_be_known_of(alice: Caller, stand: Stand) -> None:
    index = stand.registry.push_index(stand.name, tags=["1.0"])
    place = f"/registries/main/repositories/{stand.name}"
    child = alice.get(f"{place}/-/manifests/{index}").json()["children"][0]["digest"]
    alice.get(f"{place}/-/tags")
    planned = plan(alice, stand, "delete-digest", digest=child)
    answer = alice.post("/actions", planned)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "breaks")
    assert answer.json()["error"]["details"]["breaks"] == [{"digest": index, "tags": ["1.0"]}]
    assert stand.on(child) == child
    assert act(alice, planned, understood=True)["state"] == "done"
    assert stand.on(child) == ""


def test_what_is_protected_stays_and_says_so(alice: Caller, stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["v1"])
    protection.add(Registry.objects.get(), Rule(stand.name, "v*"), "alice", "", timezone.now())
    planned = plan(alice, stand, "untag", tags=["v1"])
    assert planned["steps"] == []
    assert [one["tag"] for one in planned["protected"]] == ["v1"]
    answer = alice.post("/actions", planned)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "protected")
    assert answer.json()["error"]["details"]["protected"] == planned["protected"]
    assert stand.tags() == {"v1": digest}


def test_an_action_that_waits_can_be_stopped(alice: Caller, bob: Caller, stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["1.0", "latest"])
    started = alice.post("/actions", plan(alice, stand, "untag", tags=["1.0"])).json()
    assert bob.post(f"/actions/{started['id']}/stop").status_code == 403
    stopped = alice.post(f"/actions/{started['id']}/stop")
    assert (stopped.status_code, stopped.json()["state"]) == (202, "cancelled")
    work()
    assert set(stand.tags()) == {"1.0", "latest"}
    again = alice.post(f"/actions/{started['id']}/stop")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "ended")
    undo = alice.post("/plans", {"kind": "undo", "action": started["id"]})
    assert (undo.status_code, undo.json()["error"]["code"]) == (409, "not-undoable")


def test_an_action_is_taken_back_where_it_was_carried_out(alice: Caller, stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["1.0", "latest"])
    done = act(alice, plan(alice, stand, "untag", tags=["1.0"]))
    planned = alice.post("/plans", {"kind": "undo", "action": done["id"]}).json()
    assert (planned["registry"], planned["repository"]) == ("main", stand.name)
    back = act(alice, {**planned, "registry": "other", "repository": "somewhere/else"})
    assert (back["state"], back["repository"]) == ("done", stand.name)
    assert stand.tags() == {"1.0": digest, "latest": digest}


def test_a_change_by_a_program_waits_for_no_grace(alice: Caller, stand: Stand, settings: Settings) -> None:
    settings.DELETE_GRACE = timedelta(minutes=5)
    stand.registry.push(stand.name, tags=["1.0", "latest"])
    assert act(alice, plan(alice, stand, "untag", tags=["1.0"]))["state"] == "done"


def test_the_journal_is_the_pages(alice: Caller, bob: Caller, stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["1.0"])
    Visitor(Browser("admin")).delete(stand.name, digest)
    work_after_grace()
    one = bob.get("/actions", {"q": f"digest:{digest}"}).json()["items"][0]
    assert (one["kind"], one["state"], one["actor"]) == ("delete-digest", "done", "anonymous")
    assert bob.get("/actions", {"state": "failed"}).json()["items"] == []
    assert bob.get("/actions", {"kind": "undo"}).json()["items"] == []
    assert len(bob.get("/actions", {"kind": "delete-digest", "state": "done"}).json()["items"]) == 1
    assert bob.get("/actions", {"kind": "explode"}).status_code == 422


def work_after_grace() -> None:
    """The same once the grace is over."""
    Action.objects.filter(state=State.WAITING).update(not_before=timezone.now())
    work()


def test_a_registry_that_deletes_nothing_says_so(
    alice: Caller, stand: Stand, settings: Settings, tmp_path: Any
) -> None:
    closed = open_registry(tmp_path / "closed", delete=False)
    try:
        registered(settings, closed.url)
        digest = closed.push(stand.name, tags=["1.0"])
        done = act(alice, plan(alice, stand, "delete-digest", digest=digest))
        assert (done["state"], done["error_code"]) == ("failed", "unsupported")
        assert "REGISTRY_STORAGE_DELETE_ENABLED" in done["hint"]
    finally:
        closed.stop()


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"kind": "untag", "tags": []}, "one tag"),
        ({"kind": "untag", "tags": ["a", "b"]}, "one tag"),
        ({"kind": "untag", "tags": ["a b"]}, "can't be a tag"),
        ({"kind": "delete-digest"}, "is not a digest"),
        ({"kind": "delete-tags"}, "one tag at least"),
        ({"kind": "retag", "tags": ["a"]}, "can't be a tag"),
        ({"kind": "restore"}, "is not a digest"),
        ({"kind": "explode"}, "body.kind"),
        ({"kind": "untag", "tags": "1.0"}, "body.tags"),
        ({"kind": "untag", "tags": ["1.0"], "repository": "../x"}, "repository"),
    ],
)
def test_what_cannot_be_asked_for_is_said(
    alice: Caller, stand: Stand, given: dict[str, Any], where: str
) -> None:
    stand.registry.push(stand.name, tags=["a"])
    alice.get(f"/registries/main/repositories/{stand.name}/-/tags")
    answer = alice.post("/plans", {"registry": "main", "repository": stand.name, **given})
    assert answer.status_code == 422, answer.content
    assert where in answer.json()["error"]["message"]


def test_the_journal_costs_the_same_however_long(
    alice: Caller, stand: Stand, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with stand.registry.connect() as client:
        images.push(client, stand.name, images.image(), ["1.0", *(f"t{number}" for number in range(9))])
    for number in range(9):
        act(alice, plan(alice, stand, "untag", tags=[f"t{number}"]))
    with django_assert_num_queries(2):
        assert len(alice.get("/actions").json()["items"]) == 9
