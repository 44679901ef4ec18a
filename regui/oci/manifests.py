"""Manifests and what refers to them.

Specification: distribution, "Pulling manifests", "Pushing Manifests", "Deleting Manifests", "Listing
Referrers".
"""

import dataclasses
import time
from dataclasses import dataclass
from typing import Literal

from regui.oci import media
from regui.oci.answers import is_html
from regui.oci.caller import Answer, Caller, Request, with_query
from regui.oci.documents import Content, Descriptor, Index, Legacy, parse
from regui.oci.errors import (
    Invalid,
    InvalidName,
    Malformed,
    ManifestUnknown,
    Misbehaved,
    NotARegistry,
    NotFound,
    Unsupported,
)
from regui.oci.headers import next_link
from regui.oci.listings import following
from regui.oci.names import Digest, check_reference, check_repository, is_digest, referrers_tag

MAX_MANIFEST = 4 * 1024 * 1024
MAX_REFERRER_PAGES = 100
ASK_AGAIN = 3600  # seconds for which a registry without the referrers API isn't asked again


@dataclass(frozen=True)
class Referrers:
    """What refers to a digest, and who said so: the registry's API, or the tag that clients keep."""

    descriptors: tuple[Descriptor, ...]
    source: Literal["api", "tag"]


class Manifests(Caller):
    """The calls about manifests. A reference is a tag or a digest; InvalidName for anything else."""

    _no_referrers: dict[str, float]  # since when, by registry; shared by every `until` of a client

    def manifest(self, name: str, reference: str, *, etag: Digest | None = None) -> Content | None:
        """The manifest, verified; None when `etag` is still what the reference stands for. That is cheaper
        for the registry and counts as no pull, but says nothing about whether the manifest can be read.

        ManifestUnknown; Misbehaved when the content isn't what the digest says."""
        request = Request(
            "GET",
            f"/v2/{check_repository(name)}/manifests/{check_reference(reference)}",
            frozenset({f"repository:{name}:pull"}),
            {"Accept": media.ACCEPT, "If-None-Match": f'"{etag}"'} if etag else {"Accept": media.ACCEPT},
            expect=(200, 304) if etag else (200,),
            missing=ManifestUnknown,
            elsewhere=True,
        )
        answer = self.call(request, limit=MAX_MANIFEST)
        return None if answer.status == 304 else content(answer, reference)

    def head_manifest(self, name: str, reference: str) -> Descriptor:
        """Media type, digest and size of the manifest itself; ManifestUnknown. A registry that doesn't answer
        HEAD fully, or at all (Nexus), is asked by GET."""
        request = dataclasses.replace(
            self._request("HEAD", name, reference, "pull"),
            headers={"Accept": media.ACCEPT},
            expect=(200, 404, 405),
            elsewhere=True,
        )
        answer = self.call(request)
        digest, size = header_digest(answer), answer.headers.get("Content-Length", "")
        media_type = media.essence(answer.headers.get("Content-Type", ""))
        if answer.status == 200 and digest and size.isdecimal() and media.is_manifest(media_type):
            if is_digest(reference) and digest != reference:
                raise Misbehaved(f"The registry answered with {digest} for {reference}.")
            return Descriptor(media_type, digest, int(size))
        got = self.manifest(name, reference)
        assert got is not None
        return Descriptor(got.media_type, got.digest, len(got.body))

    def put_manifest(self, name: str, reference: str, body: bytes, media_type: str) -> Digest:
        """The digest under which the registry now has these very bytes. Invalid when a blob or a child isn't
        there; its `codes` hold one MANIFEST_BLOB_UNKNOWN for each."""
        request = dataclasses.replace(
            self._request("PUT", name, reference, "pull,push"),
            headers={"Content-Type": media_type},
            body=body,
            expect=(200, 201, 202),
        )
        digest = header_digest(self.call(request))
        ours = Digest.of(body, digest.algorithm if digest else "sha256")
        if digest not in {None, ours} and media_type not in media.LEGACY:
            raise Misbehaved(f"The registry stored {ours} as {digest}.")
        return digest or ours

    def delete_manifest(self, name: str, reference: str) -> None:
        """Delete by digest, and with it every tag on that digest; by tag, alone, only where the registry
        offers it. ManifestUnknown; Unsupported where it doesn't, or where deletes are switched off."""
        request = self._request("DELETE", name, reference, "delete")
        try:
            self.call(dataclasses.replace(request, expect=(200, 202, 204)))
        except (Invalid, Unsupported) as error:
            # distribution 2 answers DIGEST_INVALID, Harbor UNSUPPORTED; with 405 it may be all deletes.
            if is_digest(reference) or error.status != 400:
                error.hint = error.deleting if isinstance(error, Unsupported) else error.hint
                raise
            raise Unsupported(
                "The registry can't delete a tag without its manifest.",
                status=error.status,
                codes=error.codes,
                detail=error.detail,
                hint="Delete the manifest; that takes all its tags along.",
            ) from error

    def referrers(self, name: str, digest: Digest, *, artifact_type: str = "") -> Referrers:
        """What refers to the manifest of this digest, of one type when that is given; from the referrers API,
        or from the fallback tag where the registry hasn't got one."""
        if time.monotonic() - self._no_referrers.get(self.url, float("-inf")) > ASK_AGAIN:
            try:
                found = self._referrers_api(name, digest, artifact_type)
            except (NotFound, Unsupported, NotARegistry) as error:
                # An error of the router, not of the API: this registry has no such endpoint.
                if not getattr(error, "codes", ()):
                    self._no_referrers[self.url] = time.monotonic()
            else:
                return Referrers(of_type(found, artifact_type), "api")
        return Referrers(of_type(self._referrers_tag(name, digest), artifact_type), "tag")

    def _referrers_api(self, name: str, digest: Digest, artifact_type: str) -> tuple[Descriptor, ...]:
        """The descriptors on all pages. The registry may ignore the filter, so it only spares traffic."""
        path = f"/v2/{check_repository(name)}/referrers/{Digest.parse(digest)}"
        scopes = frozenset({f"repository:{name}:pull"})
        address: str | None = with_query(path, [("artifactType", artifact_type)])
        found, addresses = list[Descriptor](), set[str]()
        while address and address not in addresses and len(addresses) < MAX_REFERRER_PAGES:
            addresses.add(address)
            answer = self.call(
                Request("GET", address, scopes, {"Accept": media.OCI_INDEX}), limit=MAX_MANIFEST
            )
            found += index_entries(answer.body)
            target = next_link(answer.headers.getlist("Link"))
            address = f"{path}?{following(target)}" if target else None
        if address:
            raise Misbehaved("The registry's list of referrers doesn't end.")
        return tuple({descriptor.digest: descriptor for descriptor in found}.values())

    def _referrers_tag(self, name: str, digest: Digest) -> tuple[Descriptor, ...]:
        """The descriptors that clients left under the fallback tag; none when it isn't there or is no
        index."""
        try:
            found = self.manifest(name, referrers_tag(digest))
        except NotFound:
            return ()
        assert found is not None
        return found.document.manifests if isinstance(found.document, Index) else ()

    def _request(self, method: str, name: str, reference: str, actions: str) -> Request:
        path = f"/v2/{check_repository(name)}/manifests/{check_reference(reference)}"
        scopes = frozenset({f"repository:{name}:{actions}"})
        return Request(method, path, scopes, missing=ManifestUnknown)


def content(answer: Answer, reference: str) -> Content:
    """The answer's manifest under its digest; Misbehaved when the two don't belong together.

    The digest of schema 1 leaves out the signatures, which 2.8 makes anew for each answer."""
    if is_html(answer.headers):
        raise NotARegistry("The registry answered with a web page instead of a manifest.")
    media_type = media.essence(answer.headers.get("Content-Type", ""))
    claimed = Digest(reference) if is_digest(reference) else header_digest(answer)
    digest = Digest.of(answer.body, claimed.algorithm if claimed else "sha256")
    verified = claimed in {None, digest}
    if not verified or not media.is_manifest(media_type):
        try:
            document = parse(answer.body, media_type)
        except Malformed:
            if verified:
                raise
            document = None
        if not verified and not isinstance(document, Legacy):
            raise Misbehaved(f"The registry sent other content than {claimed}.")
        media_type = document.media_type if document else media_type
    return Content(answer.body, media_type, claimed or digest, verified)


def header_digest(answer: Answer) -> Digest | None:
    """Docker-Content-Digest, unless the registry leaves it out or writes nonsense."""
    try:
        return Digest.parse(answer.headers.get("Docker-Content-Digest", ""))
    except InvalidName:
        return None


def index_entries(body: bytes) -> tuple[Descriptor, ...]:
    """The descriptors of an index; Malformed when it is none."""
    document = parse(body, media.OCI_INDEX)
    if not isinstance(document, Index):
        raise Malformed("The registry's list of referrers is no index.")
    return document.manifests


def of_type(descriptors: tuple[Descriptor, ...], artifact_type: str) -> tuple[Descriptor, ...]:
    """Those of that type; all when it is empty."""
    return tuple(one for one in descriptors if artifact_type in {"", one.artifact_type})
