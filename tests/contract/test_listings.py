"""Base, catalog and tags, as every registry answers them."""

import pytest

from regui import oci
from tests import images
from tests.contract.conftest import AUTH


def test_the_base_says_that_a_registry_is_there(client: oci.Client, mode: str) -> None:
    assert client.ping() == oci.Base("registry/2.0", AUTH[mode])  # type: ignore[arg-type]


def test_the_catalog_lists_what_was_pushed(client: oci.Client, name: str) -> None:
    images.push(client, name, images.image(), ["latest"])
    images.push(client, f"{name}/deeper/still", images.image(), ["latest"])

    listed = list(client.catalog())

    assert {name, f"{name}/deeper/still"} <= set(listed)
    assert len(listed) == len(set(listed))


def test_the_catalog_is_the_same_in_small_pages(client: oci.Client, name: str) -> None:
    for number in range(3):
        images.push(client, f"{name}/{number}", images.image(), ["latest"])

    assert list(client.catalog(page_size=2)) == list(client.catalog())


def test_a_page_size_over_the_limit_is_asked_for_smaller(client: oci.Client, name: str) -> None:
    images.push(client, name, images.image(), ["latest"])

    assert name in list(client.catalog(page_size=100_000))


def test_tags_are_listed_each_once(client: oci.Client, name: str) -> None:
    tags = ["1.0", "1.0-rc.1", "V1", "_odd", "latest", "v1"]
    images.push(client, name, images.image(), tags)

    assert sorted(client.tags(name)) == sorted(tags)
    assert sorted(client.tags(name, page_size=2)) == sorted(tags)


def test_a_repository_whose_name_looks_like_the_api(client: oci.Client, name: str) -> None:
    odd = f"{name}/tags/list"
    images.push(client, odd, images.image(), ["manifests"])

    assert list(client.tags(odd)) == ["manifests"]
    assert client.head_manifest(odd, "manifests").media_type == oci.OCI_MANIFEST


def test_a_repository_without_tags_lists_none(client: oci.Client, name: str) -> None:
    digest = images.push(client, name, images.image(), ["only"])
    client.delete_manifest(name, digest)

    assert list(client.tags(name)) == []


def test_the_tags_of_an_unknown_repository_are_not_found(client: oci.Client, name: str) -> None:
    with pytest.raises(oci.NotFound) as caught:
        list(client.tags(name))

    assert isinstance(caught.value, oci.NameUnknown)
    assert caught.value.codes == ("NAME_UNKNOWN",)
