"""Choosing some platforms of an index. Pure decisions: a document comes in, what is to be copied comes out.

Of one platform the image itself is copied, under its own digest, so that what was signed stays signed. Of
several it takes a new index, which has another digest: the entries that were chosen, as they stand, and the
attestations about them.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any

from regui import oci
from regui.index import facts


class Unfit(oci.InvalidName):
    """This can't be copied in the way that was asked for."""

    advice = "Choose among its platforms, or copy all of it."


def platforms(document: oci.Document) -> tuple[str, ...]:
    """The platforms of an index, in its order; none for anything else."""
    if not isinstance(document, oci.Index):
        return ()
    named = (str(one.platform) for one in document.manifests if is_image(one))
    return tuple(dict.fromkeys(named))


def pick(content: oci.Content, wanted: Collection[str]) -> oci.Content | oci.Digest:
    """What to copy for these platforms: the content itself when that is all of it, the digest of the one
    image that is meant, or a new index of several. `linux/arm` means all variants of it. Raises `Unfit` for a
    platform it doesn't have."""
    document = content.document
    if not wanted:
        return content
    if not isinstance(document, oci.Index):
        raise Unfit("It isn't an index: there are no platforms to choose from.")
    there = platforms(document)
    missing = [one for one in wanted if not any(is_meant(name, one) for name in there)]
    if missing:
        raise Unfit(f"It has nothing for {', '.join(missing)}, only for {', '.join(there) or 'no platform'}.")
    images = [one for one in document.manifests if is_image(one)]
    chosen = [one for one in images if any(is_meant(str(one.platform), name) for name in wanted)]
    if len(chosen) == len(images):
        return content
    if len(chosen) == 1:
        return chosen[0].digest
    return smaller(content, document, {one.digest for one in chosen})


def smaller(content: oci.Content, document: oci.Index, chosen: Collection[str]) -> oci.Content:
    """The index of these images and what is said about them beside them. The same again for the same
    choice."""
    fields: dict[str, Any] = json.loads(content.body)
    entries: Sequence[Any] = fields["manifests"]
    fields["manifests"] = [
        entry
        for entry, one in zip(entries, document.manifests, strict=True)
        if one.digest in chosen or one.annotations.get(facts.REFERENCE_DIGEST) in chosen
    ]
    body = json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
    return oci.Content(body, content.media_type, oci.Digest.of(body))


def is_image(entry: oci.Descriptor) -> bool:
    """Whether an index's entry is an image for a platform, rather than something about one."""
    return entry.platform is not None and not entry.platform.unknown


def is_meant(platform: str, wanted: str) -> bool:
    return platform == wanted or platform.startswith(f"{wanted}/")
