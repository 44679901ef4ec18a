"""Manifests as rows: once, whole, and with the sums that follow from them."""

import json
from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from regui import oci
from regui.demo import images as demo
from regui.demo.images import Built
from regui.index import facts, record, usage
from regui.index.models import Blob, BlobUse, Child, Content, Manifest, Repository, Revision
from tests import factories, images
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def keep(repository: Repository, built: Built, *, children: bool = True) -> Manifest:
    """Record something built as the registry would hand it out, children first or not at all."""
    for child in built.children if children else ():
        keep(repository, child)
    content = oci.Content(built.body, built.media_type, built.digest)
    wanted = facts.wants_config(content.document)
    config = next((blob for blob in built.blobs if wanted and oci.Digest.of(blob) == wanted.digest), None)
    return record.manifest(repository, content, config, NOW)


def test_recording_twice_changes_nothing() -> None:
    repository, built = factories.repository(), images.index(attested=True)
    first = keep(repository, built)
    counts = [model.objects.count() for model in (Manifest, Content, Blob, BlobUse, Child, Revision)]
    again = keep(repository, built)

    assert again.pk == first.pk
    assert [model.objects.count() for model in (Manifest, Content, Blob, BlobUse, Child, Revision)] == counts


def test_the_bytes_come_back_as_they_were() -> None:
    built = images.image(labels={"a": "b"})
    row = keep(factories.repository(), built)

    assert row.content.manifest == built.body
    assert row.content.config["os"] == "linux"
    assert oci.Digest.of(row.content.manifest) == row.digest
    assert isinstance(row.document, oci.Manifest)


def test_an_index_is_as_large_as_its_blobs_each_counted_once() -> None:
    repository = factories.repository()
    shared = images.image(layers=[b"base", b"one"])
    other = images.image(layers=[b"base", b"two"], platform="linux/arm64")
    index = keep(repository, demo.index([shared, other]))

    assert index.size == sum(len(blob) for blob in {*shared.blobs, *other.blobs})
    assert index.platforms == ["linux/amd64", "linux/arm64"]
    assert index.created_at == oci.created_date(images.CREATED)


def test_attestations_are_no_platforms() -> None:
    index = keep(factories.repository(), images.index(attested=True))

    assert index.platforms == ["linux/amd64", "linux/arm64"]


def test_an_index_has_no_size_until_its_children_are_known() -> None:
    repository, built = factories.repository(), images.index()
    index = keep(repository, built, children=False)
    assert index.size is None
    assert list(index.children.values_list("manifest__read_at", flat=True)) == [None, None]

    keep(repository, built.children[0])
    index.refresh_from_db()
    assert index.size is None

    keep(repository, built.children[1])
    index.refresh_from_db()
    assert index.size == sum(len(blob) for blob in {*built.children[0].blobs, *built.children[1].blobs})


def test_a_child_that_is_not_there_leaves_the_rest_of_the_index_readable() -> None:
    repository, built = factories.repository(), images.index()
    index = keep(repository, built, children=False)
    keep(repository, built.children[0])
    record.missing(repository, [built.children[1].digest], NOW)

    index.refresh_from_db()
    assert index.size == sum(len(blob) for blob in {*built.children[0].blobs})


def test_what_nested_indexes_hold_reaches_the_outermost() -> None:
    repository, inner = factories.repository(), images.index()
    outer = demo.index([inner, images.image(platform="linux/riscv64")])
    row = keep(repository, outer, children=False)
    keep(repository, outer.children[1])
    keep(repository, inner)

    row.refresh_from_db()
    assert row.platforms == ["linux/amd64", "linux/arm64", "linux/riscv64"]
    assert row.size is not None


def test_a_manifest_is_kept_once_for_all_repositories() -> None:
    built = images.image()
    one, other = factories.repository("a"), factories.repository("b")

    assert keep(one, built).pk == keep(other, built).pk
    assert Revision.objects.count() == 2


def test_a_config_read_later_is_added() -> None:
    repository, built = factories.repository(), images.image()
    content = oci.Content(built.body, built.media_type, built.digest)
    without = record.manifest(repository, content, None, NOW)
    assert without.created_at is None

    assert keep(repository, built).created_at is not None
    # … and isn't lost when someone hasn't got it at hand.
    assert record.manifest(repository, content, None, NOW).created_at is not None


def test_a_digest_that_comes_back_is_held_again() -> None:
    repository, built = factories.repository(), images.image()
    row = keep(repository, built)
    tag = factories.tag(repository, "1", row)
    record.deleted(repository, row.digest, NOW)
    tag.refresh_from_db()
    assert tag.gone_at == NOW
    assert not Revision.objects.held().exists()

    keep(repository, built)
    assert Revision.objects.held().count() == 1


def test_sizes_that_add_up_to_more_than_there_is_are_unknown() -> None:
    repository = factories.repository()
    layers = [
        {"digest": factories.digest(f"{n}"), "size": 2**48, "mediaType": oci.OCI_LAYER} for n in range(35_000)
    ]
    body = json.dumps({"schemaVersion": 2, "config": layers[0], "layers": layers}).encode()
    row = record.manifest(repository, oci.Content(body, oci.OCI_MANIFEST, oci.Digest.of(body)), None, NOW)

    factories.tag(repository, "huge", row)
    usage.total(repository)
    assert (row.size, repository.size) == (None, None)
    assert row.blob_uses.count() == 35_001


@pytest.mark.parametrize("count", [1, 40])
def test_a_batch_takes_the_same_number_of_queries_whatever_its_size(
    count: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    repository = factories.repository()
    batch = []
    for _ in range(count):
        built = images.image()
        content = oci.Content(built.body, built.media_type, built.digest)
        batch.append((repository, facts.of(content, None)))

    with django_assert_max_num_queries(20):
        record.manifests(repository.registry, batch, NOW + timedelta(seconds=1))
