"""Only `run` changes a registry, and only what its plan names."""

import copy
import itertools
from collections.abc import Iterator

import pytest
from django.http import Http404
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from pytest_django import Settings

from regui import oci
from regui.accounts.access import Actor, Forbidden, Role
from regui.actions import delete, run
from regui.actions.models import Action
from regui.index.connect import ensure_registries
from regui.index.models import Registry, Repository
from regui.registries import RegistrySettings
from tests import images
from tests.fake import Fake

pytestmark = pytest.mark.django_db

ALICE = Actor("alice", Role.ADMIN, "192.0.2.1")
BUILT = [images.image(layers=[f"image {number}".encode()]) for number in range(4)]
# So many tags, on the last image, stay: a list that lacks most is doubted, and this is about others.
STAY = {f"stays-{number}": 3 for number in range(8)}
_numbers = itertools.count(1)

tags = st.sampled_from(["1.0", "1.1", "latest", "stable", "edge"])
listings = st.dictionaries(tags, st.integers(0, 2), min_size=1)
moves = st.lists(st.tuples(tags, st.none() | st.integers(0, 2)), max_size=3)


@pytest.fixture
def fake(settings: Settings) -> Iterator[Fake]:
    with Fake() as one:
        settings.REGISTRIES = {"main": RegistrySettings("main", one.url)}
        ensure_registries()
        yield one


def unsaved(name: str) -> Repository:
    return Repository(registry=Registry.objects.get(), name=name, first_seen_at=timezone.now())


def filled(fake: Fake, listing: dict[str, int]) -> str:
    """The name of a new repository with these tags on those images."""
    name, repositories = f"team/app-{next(_numbers)}", fake.memory.repositories
    if not repositories:
        with oci.Client(fake.url) as client:
            for built in BUILT:
                images.push(client, "pushed", built)
    there = repositories[name] = copy.deepcopy(repositories["pushed"])
    there.tags = {tag: BUILT[image].digest for tag, image in (listing | STAY).items()}
    return name


@how(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(listing=listings, doomed=st.integers(0, 2), pushes=moves)
def test_whatever_moves_meanwhile_what_goes_is_what_was_agreed_to_or_nothing(
    fake: Fake, listing: dict[str, int], doomed: int, pushes: list[tuple[str, int | None]]
) -> None:
    name, digest = filled(fake, listing), BUILT[doomed].digest
    plan = delete.look(unsaved(name), digest)
    agreed = {tag.name for tag in plan.tags}
    assert agreed == {tag for tag, image in listing.items() if image == doomed}
    there = fake.memory.repositories[name]
    for tag, image in pushes:
        there.tags.pop(tag, None)
        there.tags |= {tag: BUILT[image].digest} if image is not None else {}
    before = dict(there.tags)
    unchanged = {tag for tag, at in before.items() if at == digest} == agreed
    if not unchanged:
        with pytest.raises(run.Stale) as stale:
            run.run(plan, ALICE)
        assert stale.value.changed
        assert (there.tags, len(there.manifests)) == (before, len(BUILT))
        assert not Action.objects.filter(repository=name).exists()
    else:
        assert run.run(plan, ALICE).state == "done"
        assert there.tags == {tag: at for tag, at in before.items() if tag not in agreed}
        assert there.manifests.keys() == {built.digest for built in BUILT} - {digest}


@pytest.mark.parametrize(("role", "refusal"), [(Role.READER, Forbidden), (Role.NONE, Http404)])
def test_who_may_not_delete_is_refused_before_any_request(
    fake: Fake, role: Role, refusal: type[Exception]
) -> None:
    name = filled(fake, {"1.0": 0})
    plan = delete.look(unsaved(name), BUILT[0].digest)
    fake.seen.clear()
    with pytest.raises(refusal):
        run.run(plan, Actor("bob", role))
    assert fake.seen == []
    assert not Action.objects.exists()


def test_a_plan_runs_only_once(fake: Fake) -> None:
    name = filled(fake, {"1.0": 0})
    plan = delete.look(unsaved(name), BUILT[0].digest)
    assert run.run(plan, ALICE).state == "done"
    with pytest.raises(oci.NotFound):
        run.run(plan, ALICE)
    assert Action.objects.count() == 1
