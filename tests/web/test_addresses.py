"""Addresses: whatever a registry lets a repository be called has a page, and nothing else does."""

import time

import pytest
from django.urls import Resolver404, resolve, reverse

from regui.web import links

DIGEST = "sha256:" + "a" * 64

NAMES = [
    "app",
    "team/app",
    "a/b/c/d/e",
    "a/tags/list",
    "v2",
    "manifests",
    "tags/list",
    "x--y/a__b.c-d",
    "Host.example.com:5000/team/app",
    "A/b",
    "a" * 255,
]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_a_repository_can_have_leads_to_its_pages(name: str) -> None:
    found = resolve(reverse("repository", args=["main", name]))
    assert (found.url_name, found.kwargs["name"]) == ("repository", name)
    found = resolve(reverse("tag", args=["main", name, "v1.0_-x"]))
    assert (found.url_name, found.kwargs["name"], found.kwargs["tag"]) == ("tag", name, "v1.0_-x")
    found = resolve(reverse("manifest", args=["main", name, DIGEST]))
    assert (found.url_name, found.kwargs["name"], found.kwargs["digest"]) == ("manifest", name, DIGEST)


@pytest.mark.parametrize("name", NAMES)
def test_addresses_made_many_at_a_time_are_those_made_one_at_a_time(name: str) -> None:
    place = ("main", name)
    assert links.repositories("main")(name) == reverse("repository", args=place)
    assert links.tags(*place)("v1.0_-x") == reverse("tag", args=[*place, "v1.0_-x"])
    assert links.manifests(*place)(DIGEST) == reverse("manifest", args=[*place, DIGEST])
    assert links.deletes(*place)("v1.0") == reverse("tag-delete", args=[*place, "v1.0"])


@pytest.mark.parametrize(
    "path",
    [
        "/Main/",
        "/-/nothing/",
        "/main/Upper/",
        "/main/a//b/",
        "/main/a/-/b/",
        "/main/-/tags/x/",
        "/main/" + "a" * 256 + "/",
        "/main/a/-/tags/.hidden/",
        "/main/a/-/tags/" + "t" * 129 + "/",
        "/main/a/-/manifests/latest/",
        "/main/a/-/manifests/sha256:abc/",
        "/main/a/-/manifests/md5:" + "a" * 32 + "/",
        "/main/é/",
    ],
)
def test_what_no_registry_could_have_is_no_address(path: str) -> None:
    with pytest.raises(Resolver404):
        resolve(path)


def test_a_longer_hash_is_a_digest_too() -> None:
    digest = "sha512:" + "b" * 128
    assert resolve(reverse("manifest", args=["main", "app", digest])).kwargs["digest"] == digest


def test_a_hostile_address_is_refused_without_delay() -> None:
    began = time.process_time()
    for tail in ("a-" * 2000 + "!", "A" * 4000 + "!", "a." * 2000 + "!", "a/" * 2000 + "!"):
        with pytest.raises(Resolver404):
            resolve(f"/main/{tail}/")
    assert time.process_time() - began < 2
