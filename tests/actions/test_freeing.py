"""The bytes that a policy would free: as a plan says of a few, as they are added up anew by hand, and as the
registry's own collection then frees them."""

import subprocess
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as examples
from pytest_django import DjangoAssertNumQueries, Settings

from regui import oci
from regui.accounts.access import Actor, Grant, Role
from regui.actions import delete, freed
from regui.actions.models import Protection
from regui.actions.retention import freeing
from regui.actions.retention.freeing import Freed
from regui.index import sync, usage
from regui.index.connect import ensure_registries
from regui.index.models import Child, Manifest, Registry, Repository, Revision
from regui.registries import RegistrySettings
from regui.retention import reach
from regui.retention.policy import Policy
from tests import factories, images
from tests.actions.stand import ALICE, Stand
from tests.factories import NOW
from tests.registry import RunningRegistry, binary, open_registry

pytestmark = pytest.mark.django_db


def dropping(*globs: str, where: str = "**", **more: Any) -> Policy:
    """A policy that drops tags by name."""
    rules = [{"drop": "matching", "tags": list(globs)}] if globs else []
    fixed = {"name": "x", "registry": "main", "repositories": [where], "otherwise": "keep"}
    return Policy.read({**fixed, "rules": rules, **more})


def what(policy: Policy, actor: Actor = ALICE) -> Freed:
    return freeing.freed(Registry.objects.get(), policy, actor, NOW)


def test_bytes_that_another_repository_or_an_untagged_image_needs_stay() -> None:
    app, other = factories.repository("team/app", size=1), factories.repository("team/other", size=1)
    old = factories.manifest(app, layers={"own": 5, "shared": 70, "untagged": 300})
    factories.tag(app, "old", old)
    factories.tag(other, "1.0", factories.manifest(other, layers={"shared": 70}))
    factories.manifest(app, layers={"untagged": 300})
    twice = factories.manifest(app, layers={"twice": 9000})
    factories.hold(other, twice)
    factories.tag(app, "old-twice", twice)
    factories.tag(other, "kept", twice)
    assert what(dropping("old*")) == Freed(manifests=2, untagged=0, frees=5, unread=0)
    factories.tag(app, "new", old)
    assert what(dropping("old*")) == Freed(manifests=1, untagged=0, frees=0, unread=0)


def test_children_and_what_is_about_a_dropped_tag_go_and_those_of_a_kept_one_stay() -> None:
    app = factories.repository(size=1)
    child = factories.manifest(app, layers={"a": 1})
    shared = factories.manifest(app, layers={"b": 10})
    dropped, kept = factories.index(app, [child, shared]), factories.index(app, [shared])
    factories.tag(app, "old", dropped)
    factories.tag(app, "new", kept)
    about = factories.manifest(app, layers={"c": 100}, subject=dropped.digest)
    factories.manifest(app, layers={"d": 1000}, subject=about.digest)
    signature = factories.manifest(app, layers={"e": 10_000})
    factories.tag(app, f"sha256-{child.digest[7:]}.sig", signature)
    factories.tag(app, f"sha256-{kept.digest[7:]}.sig", factories.manifest(app, layers={"f": 100_000}))
    assert what(dropping("old")) == Freed(manifests=5, untagged=0, frees=11_101, unread=0)


def test_untagged_manifests_go_after_their_time() -> None:
    app = factories.repository(size=1)
    factories.tag(app, "1.0", factories.manifest(app))
    child = factories.manifest(app, layers={"a": 1})
    factories.index(app, [child])
    fresh = factories.manifest(app, layers={"b": 10})
    Revision.objects.exclude(manifest=fresh).update(first_seen_at=NOW - timedelta(days=9))
    assert what(dropping(untagged="7d")) == Freed(manifests=2, untagged=2, frees=1, unread=0)
    assert what(dropping("x", untagged="30d")) == Freed(0, 0, 0, 0)


def test_protected_tags_and_repositories_of_others_keep_what_they_need() -> None:
    mine, theirs = factories.repository("team/app", size=1), factories.repository("other/app", size=1)
    factories.tag(mine, "old", factories.manifest(mine, layers={"a": 1}))
    factories.tag(theirs, "old", factories.manifest(theirs, layers={"b": 10}))
    factories.tag(mine, "old-prod", factories.manifest(mine, layers={"c": 100}))
    Protection.objects.create(
        registry="main", repositories="**", tags="*-prod", created_by="alice", created_at=NOW
    )
    maintainer = Actor("bob", grants=(Grant(Role.MAINTAINER, "main", "team/**"),))
    assert what(dropping("old*")).frees == 11
    assert what(dropping("old*"), maintainer).frees == 1
    assert what(dropping("old*"), Actor("eve", Role.READER)) == Freed(0, 0, 0, 0)


def test_what_is_unread_and_what_has_no_size_is_said() -> None:
    app = factories.repository(size=1)
    factories.repository("team/unread", size=None)
    factories.tag(app, "old", factories.manifest(app, layers={"a": 1}))
    factories.tag(app, "odd", factories.manifest(app, read_at=None, size=None))
    assert what(dropping("old")) == Freed(1, 0, frees=1, unread=1)
    assert what(dropping("o*")) == Freed(2, 0, frees=1001, unread=1, unsized=1)


@examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random=strategies.randoms(use_true_random=False))
def test_a_pass_over_the_registry_says_what_looking_one_by_one_does(random: Any) -> None:
    Registry.objects.all().delete()
    repositories = [factories.repository(f"team/{number}", size=1) for number in range(3)]
    rows: list[Manifest] = []
    for number in range(8):
        layers = {f"layer {random.randrange(9)}": 2**number}
        here = random.choice(repositories)
        some = random.sample(rows, min(len(rows), 2))
        inside = [row for row in some if row.revisions.filter(repository=here).exists()]
        row = factories.index(here, inside) if inside else factories.manifest(here, layers=layers)
        if rows and random.random() < 0.3:
            Manifest.objects.filter(pk=row.pk).update(subject=random.choice(rows).digest)
        for name in random.sample(["a", "b", "old-a", "old-b", "old-c"], random.randrange(3)):
            if not here.tags.filter(name=name).exists():
                factories.tag(here, name, row)
        rows.append(row)
    registry = Registry.objects.get()
    found = what(dropping("old*"))
    terms = freeing.Going(registry, dropping("old*"), ALICE, NOW).terms
    going = set(terms.going())
    assert found.frees == usage.exclusive(going)
    assert found.frees == sum(size or 0 for size, _ in terms.blobs())
    assert going == by_hand(repositories)


def by_hand(repositories: list[Repository]) -> set[int]:
    """What lies nowhere once tags that begin with old are dropped, each repository by itself."""
    children, about = defaultdict(list), defaultdict(list)
    for parent, child in Child.objects.values_list("parent_id", "manifest_id"):
        children[parent].append(child)
    keys = dict(Manifest.objects.values_list("digest", "pk"))
    for key, subject in Manifest.objects.exclude(subject="").values_list("pk", "subject"):
        about[keys[subject]].append(key)
    went, stays = set[int](), set[int]()
    for row in repositories:
        held = set(row.revisions.values_list("manifest_id", flat=True))
        here = {one: [other for other in others if other in held] for one, others in about.items()}
        dropped = set(row.tags.filter(name__startswith="old").values_list("manifest_id", flat=True))
        kept = set(row.tags.exclude(name__startswith="old").values_list("manifest_id", flat=True))
        kept |= held - reach.reached(kept | dropped, children, here)
        gone = reach.doomed(kept, dropped, children, here) & held
        went |= gone
        stays |= held - gone
    return went - reach.reached(stays, children, {})


@pytest.fixture
def own(tmp_path: Path, settings: Settings) -> Iterator[Stand]:
    """A repository of a registry that this test may collect."""
    running = open_registry(tmp_path / "registry")
    settings.REGISTRIES = {"main": RegistrySettings("main", running.url)}
    ensure_registries()
    with running.connect() as client:
        yield Stand(running, client, "team/app")
    running.stop()


def layers_on_disk(registry: RunningRegistry, manifests: set[str]) -> int:
    """The bytes of all blobs that lie there but for manifests, which are none to an index."""
    found = (registry.storage / "docker/registry/v2/blobs/sha256").glob("*/*/data")
    return sum(path.stat().st_size for path in found if f"sha256:{path.parent.name}" not in manifests)


def test_a_collection_of_the_real_registry_frees_what_was_said(own: Stand) -> None:
    shared = b"what the kept image has, too" * 100
    own.registry.push(own.name, tags=["kept"], layers=[shared])
    own.registry.push(own.name, tags=["old-1"], layers=[shared, b"a" * 5000])
    built = images.image(layers=[b"b" * 7000])
    own.registry.push_built(own.name, built, ["old-2"])
    own.registry.push_built("team/other", built, ["1.0"])
    index = own.registry.push_index(own.name, tags=["old-multi"])
    registry = Registry.objects.get()
    sync.run(registry)
    children = {one.digest for one in Manifest.objects.filter(parents__parent__digest=index)}
    going = {own.on("old-1"), own.on("old-2"), index, *children}
    said = what(dropping("old*"))
    assert said.manifests == len(going) == 3 + len(children)
    together = freed.together(own.repository, Manifest.objects.filter(digest__in=going))
    assert said.frees == together.frees
    assert (said.unread, said.unsized) == (0, 0)
    manifests = set(Manifest.objects.values_list("digest", flat=True))
    before = layers_on_disk(own.registry, manifests)
    for digest in [own.on("old-1"), own.on("old-2"), index, *sorted(children)]:
        own.run(delete.look(own.repository, oci.Digest(digest)))
    command = [str(binary()), "garbage-collect", str(own.registry.folder / "config.yml")]
    subprocess.run(command, check=True, capture_output=True)
    assert said.frees
    assert before - layers_on_disk(own.registry, manifests) == said.frees


def test_queries_are_as_many_for_two_repositories_as_for_twenty(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    def fill(numbers: range) -> None:
        for number in numbers:
            row = factories.repository(f"team/{number}", size=1)
            factories.tag(row, "old", factories.manifest(row))

    fill(range(2))
    for _ in range(2):
        with django_assert_num_queries(QUERIES):
            assert what(dropping("old")).manifests
        if len(Registry.objects.get().repositories.all()) == 2:
            fill(range(2, 20))


QUERIES = 21
