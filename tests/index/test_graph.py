"""What hangs together with what."""

import pytest

from regui import oci
from regui.index import facts, graph
from regui.index.models import Child, Manifest, Repository
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def repository() -> Repository:
    return factories.repository()


def test_parents_are_found_through_indexes_of_indexes(repository: Repository) -> None:
    image = factories.manifest(repository)
    inner = factories.index(repository, [image])
    outer = factories.index(repository, [inner])

    assert {row.pk for row in graph.parents(repository, image.digest)} == {inner.pk, outer.pk}
    assert graph.parents(repository, outer.digest) == []
    assert graph.parents(repository, factories.digest("nobody")) == []


def test_parents_elsewhere_or_gone_do_not_count(repository: Repository) -> None:
    image = factories.manifest(repository)
    index = factories.index(repository, [image])
    other = factories.repository("other")
    factories.hold(other, image)
    assert graph.parents(other, image.digest) == []

    index.revisions.update(gone_at=NOW)
    assert graph.parents(repository, image.digest) == []


def test_all_tags_on_a_digest_are_named_folded_ones_too(repository: Repository) -> None:
    image = factories.manifest(repository)
    signature = f"sha256-{'a' * 64}.sig"
    for name in ("2", "1", signature):
        factories.tag(repository, name, image)
    factories.tag(repository, "gone", image, gone_at=NOW)
    factories.tag(repository, "elsewhere", factories.manifest(repository))

    assert [tag.name for tag in graph.tags_on(repository, image.digest)] == ["1", "2", signature]


def test_what_refers_to_a_digest_is_found_three_ways(repository: Repository) -> None:
    image = factories.manifest(repository)
    sbom = factories.manifest(repository, subject=image.digest, kind=Manifest.Kind.ARTIFACT)
    signature = factories.manifest(repository)
    name = f"{oci.referrers_tag(oci.Digest(image.digest))}.sig"
    factories.tag(repository, name, signature)
    note = factories.manifest(repository, kind=Manifest.Kind.ATTESTATION)
    index = factories.index(repository, [image, note])
    Child.objects.filter(parent=index, manifest=note).update(
        annotations={facts.REFERENCE_TYPE: facts.ATTESTATION, facts.REFERENCE_DIGEST: image.digest}
    )

    assert graph.referrers(repository, image) == [sbom]
    assert graph.companions(repository, image.digest) == [(signature, name)]
    assert [row for row, _ in graph.attestations(repository, image)] == [note]
    assert graph.attestations(repository, sbom) == []


def test_what_lies_beside_a_manifest_in_an_index_elsewhere_is_not_known_here(repository: Repository) -> None:
    image = factories.manifest(repository)
    factories.tag(repository, "1.0", image)
    other = factories.repository("secret/app")
    factories.hold(other, image)
    note = factories.manifest(other, kind=Manifest.Kind.ATTESTATION)
    index = factories.index(other, [image, note])
    Child.objects.filter(parent=index, manifest=note).update(
        annotations={facts.REFERENCE_TYPE: facts.ATTESTATION, facts.REFERENCE_DIGEST: image.digest}
    )

    assert [row for row, _ in graph.attestations(other, image)] == [note]
    assert graph.attestations(repository, image) == []


def test_only_children_nothing_else_leads_to_are_left_behind(repository: Repository) -> None:
    alone, tagged, shared = (factories.manifest(repository) for _ in range(3))
    index = factories.index(repository, [alone, tagged, shared])
    other = factories.index(repository, [shared])
    factories.tag(repository, "index", index)
    factories.tag(repository, "tagged", tagged)
    factories.tag(repository, "other", other)

    assert graph.left_behind(repository, index) == [alone]


def test_a_child_that_lies_elsewhere_by_way_of_its_index_frees_nothing(repository: Repository) -> None:
    child = factories.manifest(repository)
    index = factories.index(repository, [child])
    assert graph.only_here(repository, child) == 1000

    factories.hold(factories.repository("other"), index)
    assert graph.only_here(repository, child) == 0
