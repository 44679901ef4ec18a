"""Addresses of many things of one kind. To reverse each takes longer than the rest of its row, so it is done
once for all that differ in the last name only."""

from collections.abc import Callable

from django.urls import reverse

Links = Callable[[str], str]

# A name that may stand for a repository and for a tag, and a digest.
NAME = "0" * 64
DIGEST = f"sha256:{NAME}"


def repositories(registry: str) -> Links:
    """From the name of a repository to its page."""
    return along("repository", registry, NAME)


def tags(registry: str, repository: str) -> Links:
    """From the name of a tag to its page."""
    return along("tag", registry, repository, NAME)


def manifests(registry: str, repository: str) -> Links:
    """From a digest to the manifest's page."""
    return along("manifest", registry, repository, DIGEST)


def deletes(registry: str, repository: str) -> Links:
    """From the name of a tag to the page that asks before deleting it."""
    return along("tag-delete", registry, repository, NAME)


def along(view: str, *names: str) -> Links:
    """The view's addresses with another last name. Nothing in a name that has an address needs quoting."""
    before, _, after = reverse(view, args=names).rpartition(names[-1])
    return lambda name: f"{before}{name}{after}"
