"""Reads through to what the index keeps only a part of: an image's config."""

import time

from regui import oci
from regui.index import connect
from regui.index.contents import CONFIG_LIMIT
from regui.index.fetch.reading import BUDGET, Reading, failed
from regui.index.models import Manifest, Repository


def config(repository: Repository, manifest: Manifest, *, budget: float = BUDGET) -> tuple[bytes, Reading]:
    """The config of a manifest that was read, as it came, and how asking for it went; when it can't be had,
    what the index keeps of it. Empty when that is nothing. Never raises an `oci.Error`."""
    kept = manifest.content.config_bytes
    document = manifest.document
    whole = document.config if isinstance(document, oci.Manifest) else None
    if not kept or whole is None:
        return kept, Reading(manifest.read_at)
    for body in (kept, whole.data):
        if body is not None and oci.Digest.of(body, whole.digest.algorithm) == whole.digest:
            return body, Reading(manifest.read_at)
    try:
        return ask(repository, whole, time.monotonic() + budget), Reading(manifest.read_at)
    except oci.Error as error:
        return kept, failed(error, manifest.read_at)


def ask(repository: Repository, whole: oci.Descriptor, deadline: float) -> bytes:
    """The config from the registry."""
    link = connect.link(repository.registry)
    what = f"{repository.registry.name}/{repository.name}/{whole.digest}"
    link.check(what)
    try:
        limit = min(whole.size, CONFIG_LIMIT)
        return link.client.until(deadline).read_blob(repository.name, whole.digest, limit=limit)
    except oci.Error as error:
        link.failed(what, error)
        raise
