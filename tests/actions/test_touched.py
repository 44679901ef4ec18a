"""Everything that hangs together with a digest is found in the index, and nothing else."""

import pytest

from regui import oci
from regui.actions import many, touched
from regui.actions.freed import freed
from regui.index.models import Child, Revision
from tests import factories
from tests.actions.rows import Shelf, digest

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf() -> Shelf:
    return Shelf.new()


def test_all_tags_of_the_digest_are_found_peoples_own_first(shelf: Shelf) -> None:
    app = shelf.image("app", tags=["latest", "1.0", oci.referrers_tag(digest("other")) + ".sig"])
    shelf.image("next", tags=["1.1"])
    assert [tag.name for tag in touched.tags_on(shelf.repository, app)][:2] == ["1.0", "latest"]
    assert [tag.role for tag in touched.tags_on(shelf.repository, app)] == ["", "", "signature"]


def test_a_tag_of_the_same_digest_in_another_repository_stays(shelf: Shelf) -> None:
    app = shelf.image("app", tags=["1.0"])
    Shelf.new("team/other", shelf.registry).image("app", tags=["copy"])
    assert [tag.name for tag in touched.tags_on(shelf.repository, app)] == ["1.0"]


def test_indexes_that_lead_to_it_are_found_through_indexes(shelf: Shelf) -> None:
    app = shelf.image("amd64")
    inner = shelf.index("inner", "amd64")
    outer = shelf.index("outer", "inner", tags=["1.0"])
    first, second = touched.parents(shelf.repository, app)
    assert (first.digest, first.tags, first.platform, first.nested) == (outer, ("1.0",), "", True)
    assert (second.digest, second.tags, second.platform, second.nested) == (inner, (), "linux/amd64", False)


def test_an_index_that_the_repository_no_longer_holds_breaks_nothing(shelf: Shelf) -> None:
    app = shelf.image("amd64")
    shelf.index("multi", "amd64")
    Revision.objects.filter(manifest=shelf.made["multi"]).update(gone_at=shelf.repository.first_seen_at)
    assert touched.parents(shelf.repository, app) == ()


def test_the_list_under_a_fallback_tag_is_no_index_that_breaks(shelf: Shelf) -> None:
    sbom = shelf.image("sbom", subject="app")
    shelf.index("list", "sbom", tags=[oci.referrers_tag(digest("app"))])
    (parent,) = touched.parents(shelf.repository, sbom)
    assert parent.role == "referrers"


def test_signatures_sboms_and_fallback_lists_are_referrers(shelf: Shelf) -> None:
    app = shelf.image("app", tags=["1.0"])
    fallback = oci.referrers_tag(app)
    shelf.image("signature", tags=[fallback + ".sig"])
    shelf.image("sbom", subject="app", artifact_type="application/spdx+json")
    shelf.index("list", "sbom", tags=[fallback])
    shelf.image("unrelated", subject="other")
    found = {one.digest: (one.role, one.tag) for one in touched.referrers(shelf.repository, app)}
    assert found == {
        digest("signature"): ("signature", fallback + ".sig"),
        digest("sbom"): ("sbom", ""),
        digest("list"): ("referrers", fallback),
    }


def test_what_buildkit_attests_beside_an_image_refers_to_it(shelf: Shelf) -> None:
    app, other = shelf.image("amd64"), shelf.image("arm64")
    shelf.image("provenance", kind="attestation")
    shelf.index("multi", "amd64", "arm64", "provenance", tags=["1.0"])
    beside = Child.objects.filter(manifest=shelf.made["provenance"])
    beside.update(
        annotations={
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": app,
        }
    )
    assert [one.role for one in touched.referrers(shelf.repository, app)] == ["attestation"]
    assert touched.referrers(shelf.repository, other) == ()


def test_children_without_another_way_to_them_are_left_behind(shelf: Shelf) -> None:
    for name in ("amd64", "arm64", "tagged", "shared"):
        shelf.image(name)
    shelf.tag("tagged", "1.0-tagged")
    shelf.index("multi", "amd64", "arm64", "tagged", "shared", tags=["1.0"])
    shelf.index("other", "shared", tags=["2.0"])
    left = touched.left_behind(shelf.repository, shelf.made["multi"])
    assert {child.digest for child in left} == {digest("amd64"), digest("arm64")}
    assert {child.platform for child in left} == {"linux/amd64", "linux/arm64"}


def test_what_is_below_a_tagged_child_is_not_left_behind(shelf: Shelf) -> None:
    shelf.image("amd64")
    shelf.index("inner", "amd64", tags=["kept"])
    shelf.index("outer", "inner", tags=["1.0"])
    assert touched.left_behind(shelf.repository, shelf.made["outer"]) == ()


def test_bytes_of_its_own_are_freed_and_shared_ones_stay(shelf: Shelf) -> None:
    shelf.image("app", tags=["1.0"], blobs={"base": 100, "own": 20, "config": 3})
    shelf.image("base-image", tags=["base"], blobs={"base": 100})
    Shelf.new("team/base", shelf.registry).image("theirs", tags=["3"], blobs={"base": 100})
    bytes_ = freed(shelf.repository, shelf.made["app"])
    assert (bytes_.frees, bytes_.stays) == (23, 100)
    assert set(bytes_.shared_with) == {"team/app:base", "team/base:3"}
    assert (bytes_.more, bytes_.unread) == (0, 0)


def test_only_some_that_share_are_named_and_the_others_counted(shelf: Shelf) -> None:
    shelf.image("app", blobs={"base": 100, "own": 1})
    for version in range(5):
        shelf.image(f"v{version}", tags=[f"{version}.0"], blobs={"base": 100})
    bytes_ = freed(shelf.repository, shelf.made["app"])
    assert (len(bytes_.shared_with), bytes_.more) == (3, 2)


def test_who_shares_most_is_named_first_and_by_the_tag_of_its_index(shelf: Shelf) -> None:
    shelf.image("app", blobs={"base": 100, "middle": 50})
    shelf.image("little", tags=["little"], blobs={"middle": 50})
    shelf.image("much", blobs={"base": 100, "middle": 50})
    shelf.index("multi", "much", tags=["2.0"])
    assert freed(shelf.repository, shelf.made["app"]).shared_with == ("team/app:2.0", "team/app:little")


def test_an_index_frees_nothing_for_its_images_stay(shelf: Shelf) -> None:
    shelf.image("amd64", blobs={"layer": 50})
    shelf.index("multi", "amd64", tags=["1.0"])
    shelf.made["multi"].size = 50
    bytes_ = freed(shelf.repository, shelf.made["multi"])
    assert (bytes_.frees, bytes_.stays) == (0, 50)


def test_a_layer_used_twice_by_one_image_counts_once(shelf: Shelf) -> None:
    shelf.image("app", blobs={"layer": 50})
    use = shelf.made["app"].blob_uses.get()
    shelf.made["app"].blob_uses.create(blob=use.blob, position=7)
    assert freed(shelf.repository, shelf.made["app"]).frees == 50


def test_the_same_digest_in_another_repository_keeps_every_byte(shelf: Shelf) -> None:
    shelf.image("app", blobs={"layer": 50})
    Shelf.new("team/copy", shelf.registry).image("app", blobs={"layer": 50})
    bytes_ = freed(shelf.repository, shelf.made["app"])
    assert (bytes_.frees, bytes_.stays, bytes_.shared_with) == (0, 50, ("team/copy",))


def test_a_manifest_that_is_gone_keeps_nothing(shelf: Shelf) -> None:
    shelf.image("app", blobs={"layer": 50})
    shelf.image("old", blobs={"layer": 50})
    Revision.objects.filter(manifest=shelf.made["old"]).update(gone_at=shelf.repository.first_seen_at)
    assert freed(shelf.repository, shelf.made["app"]).frees == 50


def test_what_was_never_read_is_said_to_be_unknown(shelf: Shelf) -> None:
    shelf.image("app", blobs={"layer": 50})
    shelf.made["app"].read_at = None
    assert freed(shelf.repository, shelf.made["app"]).frees is None


def test_repositories_not_read_whole_make_it_an_upper_bound(shelf: Shelf) -> None:
    shelf.image("app", blobs={"layer": 50})
    other = Shelf.new("team/unread", shelf.registry)
    other.repository.size = None
    other.repository.save()
    assert freed(shelf.repository, shelf.made["app"]).unread == 1


def test_the_steps_stand_in_the_same_order_however_a_database_answers() -> None:
    row = factories.repository()
    doomed = {one.pk: one.digest for one in (factories.manifest(row) for _ in range(5))}
    assert many.in_order(dict(reversed(doomed.items()))) == many.in_order(doomed)
