"""Changes on registries that delete in their own way, or refuse to: what was asked for happens, or nothing
does and the reason is told."""

from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.actions import delete, many, retag, run, untag, ways
from regui.actions.models import Action
from regui.actions.plans import Plan
from regui.index import connect
from regui.index.connect import ensure_registries
from regui.index.models import Registry, Repository
from regui.registries import RegistrySettings
from tests import images
from tests.actions.stand import ALICE
from tests.fake import Fake
from tests.memory import Ask, Out, error, out

pytestmark = pytest.mark.django_db

NAME = "team/app"
BY_TAG, BY_DIGEST = r"/v2/.+/manifests/[^:]+", r"/v2/.+/manifests/sha256:.+"
ONE, TWO, BOTH = images.image(), images.image(), images.index()
TAGS = {"1.0": ONE.digest, "latest": ONE.digest, "2.0": TWO.digest, "multi": BOTH.digest}


@pytest.fixture
def fake(settings: Settings) -> Iterator[Fake]:
    """A registry that deletes by digest alone."""
    ways._known.clear()
    with Fake() as one:
        one.on("DELETE", BY_TAG, error(400, "UNSUPPORTED"))
        settings.REGISTRIES = {"main": RegistrySettings("main", one.url)}
        ensure_registries()
        with oci.Client(one.url) as client:
            for built in (ONE, TWO, BOTH):
                images.push(client, NAME, built)
        one.memory.repositories[NAME].tags = dict(TAGS)
        yield one
    connect.close()


def zot(fake: Fake) -> None:
    """It says so."""
    fake.on("GET", "/v2/_oci/ext/discover", out(200, {"extensions": [{"name": "_zot"}]}))
    fake.on("DELETE", BY_TAG, fake.memory.answer)


def repository() -> Repository:
    registry = Registry.objects.get()
    found = registry.repositories.filter(name=NAME).select_related("registry").first()
    return found or Repository(registry=registry, name=NAME, first_seen_at=timezone.now())


def carried_out(plan: Plan) -> Action:
    return run.run(plan, ALICE)


def tags(fake: Fake) -> dict[str, str]:
    return fake.memory.repositories[NAME].tags


def puts(fake: Fake) -> list[str]:
    return [ask.path for ask in fake.seen if ask.method == "PUT"]


def without(*names: str) -> dict[str, str]:
    return {tag: digest for tag, digest in TAGS.items() if tag not in names}


def test_zot_takes_a_tag_away_by_its_name(fake: Fake) -> None:
    zot(fake)
    before = len(puts(fake))
    assert carried_out(untag.look(repository(), "1.0")).state == "done"
    assert tags(fake) == without("1.0")
    assert len(puts(fake)) == before


def test_an_indexs_child_that_zot_keeps_is_said_to_be_kept(fake: Fake) -> None:
    zot(fake)
    child = BOTH.children[0].digest
    fake.on(
        "DELETE", rf"/v2/.+/manifests/{child}", error(405, "DENIED", "manifest is referenced by an index")
    )
    plan = delete.look(repository(), child)
    assert [parent.digest for parent in plan.breaks] == [BOTH.digest]
    action = carried_out(plan)
    assert action.state == "failed"
    assert action.reason
    assert tags(fake) == TAGS
    assert child in fake.memory.repositories[NAME].manifests


@pytest.mark.parametrize(
    ("status", "code"),
    [(412, "PRECONDITION"), (409, "CONFLICT"), (400, "MANIFEST_INVALID")],
    ids=["harbor", "zot", "another"],
)
def test_a_digest_that_something_needs_stays_and_the_registrys_words_are_told(
    fake: Fake, status: int, code: str
) -> None:
    refusal = {"errors": [{"code": code, "message": "it is referenced by an index"}]}
    fake.on("DELETE", rf"/v2/.+/manifests/{ONE.digest}", out(status, refusal))
    action = carried_out(delete.look(repository(), ONE.digest))
    assert action.state == "failed"
    assert "it is referenced by an index" in action.reason
    assert tags(fake) == TAGS
    assert set(repository().tags.listed().values_list("name", flat=True)) == TAGS.keys()


def test_harbor_has_an_index_deleted_before_what_it_contains(fake: Fake) -> None:
    """It refuses what an index needs as long as that is there."""

    def needed(ask: Ask) -> Out | None:
        there = fake.memory.repositories[NAME].manifests
        child = ask.path.rpartition("/")[2] in {one.digest for one in BOTH.children}
        return error(412, "PRECONDITION") if child and BOTH.digest in there else None

    fake.on("DELETE", BY_DIGEST, needed)
    assert carried_out(delete.look(repository(), BOTH.digest, along=True)).state == "done"
    assert set(fake.memory.repositories[NAME].manifests) == {ONE.digest, TWO.digest}


@pytest.mark.parametrize("status", [405, 400], ids=["ghcr", "old ecr"])
def test_where_deletes_are_off_nothing_is_put_on_a_tag(fake: Fake, status: int) -> None:
    fake.on("DELETE", r"/v2/.+", error(status, "UNSUPPORTED"))
    before = len(puts(fake))
    action = carried_out(untag.look(repository(), "1.0"))
    assert action.state == "failed"
    assert (action.error_code, bool(action.hint)) == ("unsupported", True)
    assert len(puts(fake)) == before
    assert tags(fake) == TAGS


@pytest.mark.parametrize("answer", [out(404, b"no such route"), out(202)], ids=["denies all", "says yes"])
def test_a_registry_that_deletes_nothing_leaves_the_tag_as_it_was(fake: Fake, answer: Out) -> None:
    fake.on("DELETE", r"/v2/.+", answer)
    action = carried_out(untag.look(repository(), "1.0"))
    assert action.state == "failed"
    assert action.reason
    assert tags(fake) == TAGS


def test_azures_way_is_never_taken_for_untagging(fake: Fake) -> None:
    """Asked to delete a tag, it deletes the image with all of its tags."""

    def azure(ask: Ask) -> Out:
        there = fake.memory.repositories[NAME]
        digest = there.tags.get(ask.path.rpartition("/")[2], "")
        there.tags = {tag: on for tag, on in there.tags.items() if on != digest}
        there.manifests.pop(digest, None)
        return out(202)

    fake.on("DELETE", BY_TAG, azure)
    assert carried_out(untag.look(repository(), "1.0")).state == "done"
    assert tags(fake) == without("1.0")


def test_what_deletes_more_than_it_was_asked_for_is_put_right(fake: Fake) -> None:
    zot(fake)

    def all_of_it(ask: Ask) -> Out | None:
        there = fake.memory.repositories[NAME]
        digest = there.tags.get(ask.path.rpartition("/")[2], "")
        if not digest:
            return None
        there.tags = {tag: on for tag, on in there.tags.items() if on != digest}
        del there.manifests[digest]
        return out(202)

    fake.on("DELETE", BY_TAG, all_of_it)
    action = carried_out(untag.look(repository(), "2.0"))
    assert action.state == "failed"
    assert "put back" in action.reason
    assert tags(fake)["2.0"] == TWO.digest


def test_a_registry_that_takes_no_empty_index_gets_an_image_for_a_moment(fake: Fake) -> None:
    def indexes(ask: Ask) -> Out | None:
        empty = ask.headers["Content-Type"] == oci.OCI_INDEX and b'"manifests": []' in ask.body
        return error(400, "MANIFEST_INVALID") if empty else None

    fake.on("PUT", BY_TAG, indexes)
    assert carried_out(untag.look(repository(), "1.0")).state == "done"
    assert tags(fake) == without("1.0")
    assert len(fake.memory.repositories[NAME].manifests) == 5


def test_a_registry_that_takes_neither_keeps_its_tag(fake: Fake) -> None:
    fake.on("PUT", BY_TAG, error(400, "MANIFEST_INVALID"))
    action = carried_out(untag.look(repository(), "1.0"))
    assert action.state == "failed"
    assert tags(fake) == TAGS


def test_immutable_tags_are_told_in_the_registrys_words(fake: Fake) -> None:
    words = {"errors": [{"code": "TAG_IMMUTABLE", "message": "the tag 2.0 is immutable"}]}
    fake.on("PUT", r"/v2/.+/manifests/2\.0", out(409, words))
    plans: list[Callable[[], Plan]] = [
        lambda: retag.look(repository(), ONE.digest, "2.0"),
        lambda: untag.look(repository(), "2.0"),
    ]
    for plan in plans:
        action = carried_out(plan())
        assert action.state == "failed"
        assert "the tag 2.0 is immutable" in action.reason
        assert tags(fake) == TAGS


def test_one_refusal_among_many_leaves_the_others_done(fake: Fake) -> None:
    fake.on("DELETE", rf"/v2/.+/manifests/{TWO.digest}", error(403, "DENIED"))
    fake.on("DELETE", rf"/v2/.+/manifests/{BOTH.digest}", error(409, "CONFLICT"))
    action = carried_out(many.tags(repository(), ["1.0", "latest", "multi"]))
    assert action.state == "partial"
    results = dict(action.items.values_list("digest", "result"))
    assert (results[ONE.digest], results[BOTH.digest]) == ("done", "failed")
    assert tags(fake) == {"2.0": TWO.digest, "multi": BOTH.digest}
    assert set(repository().tags.listed().values_list("name", flat=True)) == {"2.0", "multi"}


def test_quay_has_no_manifest_without_a_tag(fake: Fake) -> None:
    """Its manifest goes with the last tag: a step that finds it gone is as good as done."""

    def swept(ask: Ask) -> Out | None:
        there = fake.memory.repositories[NAME]
        answered = fake.memory.answer(ask)
        tagged = set(there.tags.values()) | {one.digest for one in BOTH.children}
        there.manifests = {digest: one for digest, one in there.manifests.items() if digest in tagged}
        return answered

    fake.on("DELETE", BY_DIGEST, swept)
    assert carried_out(many.tags(repository(), ["1.0", "latest", "2.0"])).state == "done"
    assert tags(fake) == {"multi": BOTH.digest}
