"""Reading through to one manifest, and to what refers to it, against the real registry."""

from datetime import timedelta

import pytest
from django.utils import timezone

from regui import oci
from regui.demo import images as demo
from regui.index import fetch
from regui.index.models import Manifest, Registry, Repository, Revision, Tag
from tests import images
from tests.registry import RunningRegistry

pytestmark = pytest.mark.django_db

# Seconds: what a page would wait is not the matter here, and the machine may be busy.
PATIENT = 20.0


@pytest.fixture
def name(registry: RunningRegistry) -> str:
    return registry.unique()


@pytest.fixture
def repository(index_registry: Registry, name: str) -> Repository:
    """Not saved: what the registry doesn't have leaves no row."""
    return Repository(registry=index_registry, name=name, first_seen_at=timezone.now())


def grow_old() -> None:
    """Let two minutes pass for all that is known."""
    past = timezone.now() - timedelta(minutes=2)
    Tag.objects.update(seen_at=past)
    Revision.objects.update(seen_at=past)
    Revision.objects.exclude(referrers_at=None).update(referrers_at=past)


def test_a_tag_opens_without_its_list(registry: RunningRegistry, repository: Repository, name: str) -> None:
    digest = registry.push(name, tags=["1", "2"])
    manifest, reading = fetch.manifest(repository, "1", budget=PATIENT)

    assert (manifest.digest, reading.problem, reading.complete) == (digest, "", True)
    assert oci.Digest.of(manifest.content.manifest) == digest
    assert manifest.content.config["architecture"] == "amd64"
    assert list(repository.tags.values_list("name", flat=True)) == ["1"]
    # The list is still to be read.
    assert fetch.repository(repository, budget=PATIENT).complete
    assert repository.tags.count() == 2


def test_a_fresh_manifest_asks_nothing(registry: RunningRegistry, repository: Repository, name: str) -> None:
    digest = registry.push_index(name, tags=["1"], attested=True)
    for reference in ("1", digest):
        fetch.manifest(repository, reference, budget=PATIENT)
    before = len(registry.requests())

    for reference in ("1", digest):
        manifest, reading = fetch.manifest(repository, reference, budget=PATIENT)
        assert (manifest.digest, reading.complete) == (digest, True)
    assert len(registry.requests()) == before


def test_an_index_comes_with_its_children(
    registry: RunningRegistry, repository: Repository, name: str
) -> None:
    registry.push_built(name, demo.index([images.index(), images.image(platform="linux/s390x")]), ["1"])
    manifest, reading = fetch.manifest(repository, "1", budget=PATIENT)

    assert reading.complete
    assert manifest.platforms == ["linux/amd64", "linux/arm64", "linux/s390x"]
    assert not Manifest.objects.filter(read_at=None).exists()


def test_an_old_tag_that_moved_is_noticed(
    registry: RunningRegistry, repository: Repository, name: str
) -> None:
    registry.push(name, tags=["1"])
    fetch.manifest(repository, "1", budget=PATIENT)
    moved = registry.push(name, tags=["1"])
    grow_old()
    manifest, _ = fetch.manifest(repository, "1", budget=PATIENT)

    assert manifest.digest == moved
    assert repository.tags.get().manifest == manifest


def test_a_digest_someone_deleted_is_gone_however_well_we_remember_it(
    registry: RunningRegistry, repository: Repository, name: str, client: oci.Client
) -> None:
    digest = registry.push(name)
    fetch.manifest(repository, digest, budget=PATIENT)
    client.delete_manifest(name, digest)
    grow_old()

    with pytest.raises(oci.NotFound):
        fetch.manifest(repository, digest, budget=PATIENT)
    assert not Revision.objects.held().exists()
    with pytest.raises(oci.NotFound):
        fetch.manifest(repository, "latest", budget=PATIENT)


def test_a_tag_that_is_gone_stays_until_a_listing_lacks_it(
    registry: RunningRegistry, repository: Repository, name: str, client: oci.Client
) -> None:
    for tag in ("2", "3"):  # a list that lacks most would be doubted
        registry.push(name, tags=[tag])
    digest = registry.push(name, tags=["1"])
    fetch.repository(repository, budget=PATIENT)
    client.delete_manifest(name, digest)
    grow_old()
    with pytest.raises(oci.NotFound):
        fetch.manifest(repository, "1", budget=PATIENT)
    assert repository.tags.listed().get(name="1").problem

    Repository.objects.update(listed_at=timezone.now() - timedelta(minutes=2))
    repository.refresh_from_db()
    fetch.repository(repository, budget=PATIENT)
    assert not repository.tags.listed().filter(name="1").exists()


@pytest.mark.parametrize("reference", ["nothing", f"sha256:{'0' * 64}"])
def test_what_is_not_there_leaves_no_row(repository: Repository, reference: str) -> None:
    with pytest.raises(oci.NotFound):
        fetch.manifest(repository, reference, budget=PATIENT)
    assert (Repository.objects.count(), Tag.objects.count(), Revision.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize("reference", ["", "a/b", "sha256:zz", "../x", "x" * 129])
def test_what_can_be_no_reference_asks_nothing(repository: Repository, reference: str) -> None:
    with pytest.raises(oci.InvalidName):
        fetch.manifest(repository, reference, budget=PATIENT)


def test_a_digest_of_another_repository_opens_nothing_here(
    registry: RunningRegistry, repository: Repository, name: str
) -> None:
    secret = Repository(
        registry=repository.registry, name=registry.unique("secret/app"), first_seen_at=timezone.now()
    )
    digest = registry.push(secret.name)
    fetch.manifest(secret, digest, budget=PATIENT)
    registry.push(name)
    fetch.repository(repository, budget=PATIENT)

    with pytest.raises(oci.NotFound):
        fetch.manifest(repository, digest, budget=PATIENT)


class TestReferrers:
    def test_they_are_found_by_fallback_tag_by_cosigns_tags_and_beside_in_an_index(
        self, registry: RunningRegistry, repository: Repository, name: str
    ) -> None:
        index = images.index(attested=True)
        registry.push_built(name, index, ["1"])
        image = index.children[0]
        sbom = images.artifact("application/spdx+json", subject=image)
        registry.push_built(name, sbom)
        tag = oci.referrers_tag(image.digest)
        registry.push_built(name, demo.fallback([sbom]), [tag])
        registry.push_built(name, demo.signature(image, name), [f"{tag}.sig"])
        fetch.repository(repository, budget=PATIENT)
        manifest, _ = fetch.manifest(repository, image.digest, budget=PATIENT)
        found, reading = fetch.referrers(repository, manifest, budget=PATIENT)

        assert reading.problem == ""
        assert [(one.role, one.tag) for one in found] == [
            ("attestation", ""),
            ("sbom", ""),
            ("signature", f"{tag}.sig"),
        ]
        assert found[1].digest == sbom.digest
        assert found[1].artifact_type == "application/spdx+json"
        assert found[1].size == sum(map(len, sbom.blobs))
        assert [tag.name for tag in repository.tags.visible()] == ["1"]

        before = len(registry.requests())
        assert fetch.referrers(repository, manifest, budget=PATIENT)[0] == found
        assert len(registry.requests()) == before

    def test_one_that_was_deleted_is_gone_though_the_fallback_tag_names_it(
        self, registry: RunningRegistry, repository: Repository, name: str, client: oci.Client
    ) -> None:
        image = images.image()
        digest = registry.push_built(name, image, ["1"])
        notes = [images.artifact(subject=image) for _ in range(2)]
        for note in notes:
            registry.push_built(name, note)
        registry.push_built(name, demo.fallback(notes), [oci.referrers_tag(digest)])
        manifest, _ = fetch.manifest(repository, "1", budget=PATIENT)
        assert len(fetch.referrers(repository, manifest, budget=PATIENT)[0]) == 2

        client.delete_manifest(name, notes[0].digest)
        grow_old()
        assert [one.digest for one in fetch.referrers(repository, manifest, budget=PATIENT)[0]] == [
            notes[1].digest
        ]

    def test_verifying_digests_notes_what_is_gone(
        self, registry: RunningRegistry, repository: Repository, name: str, client: oci.Client
    ) -> None:
        kept, doomed = registry.push(name, tags=["1"]), registry.push(name, tags=["2"])
        fetch.repository(repository, budget=PATIENT)
        client.delete_manifest(name, doomed)
        fresh = fetch.verify(repository, [kept, doomed], budget=PATIENT)
        assert (fresh.checked, fresh.total) == (2, 2)
        assert Revision.objects.held().count() == 2

        grow_old()
        reading = fetch.verify(repository, [kept, doomed], budget=PATIENT)
        assert (reading.checked, reading.total, reading.complete) == (2, 2, True)
        assert Revision.objects.held().get().manifest.digest == kept
