"""Fills a registry through our own client's uploads."""

from collections.abc import Callable, Iterable

from regui import oci
from regui.demo.company import Contents
from regui.demo.images import Built


def fill(client: oci.Client, contents: Iterable[Contents], done: Callable[[], None]) -> None:
    """Push what the repositories hold; `done` is called after each tag. What is there already stays as it is.

    Raises `oci.Error`.
    """
    homes: dict[oci.Digest, str] = {}
    for repository in contents:
        pushed: set[oci.Digest] = set()
        for push in repository.pushes:
            push_parts(client, repository.name, push.built, pushed, homes)
            for tag in push.tags:
                client.put_manifest(repository.name, tag, push.built.body, push.built.media_type)
                done()
        if repository.emptied:
            for push in repository.pushes:
                client.delete_manifest(repository.name, push.built.digest)


def push_parts(
    client: oci.Client, name: str, built: Built, pushed: set[oci.Digest], homes: dict[oci.Digest, str]
) -> None:
    """Push what a manifest needs: blobs, and children before the index that names them.

    `pushed` are the blobs this repository has got; `homes` says for each blob which repository got it first,
    so that it can be mounted from there instead of being sent again.
    """
    for body in built.blobs:
        digest = oci.Digest.of(body)
        if digest in pushed:
            continue
        if digest not in homes or not client.mount_blob(name, digest, homes[digest]):
            client.push_blob(name, body)
        pushed.add(digest)
        homes.setdefault(digest, name)
    for child in built.children:
        push_parts(client, name, child, pushed, homes)
        client.put_manifest(name, child.digest, child.body, child.media_type)
