"""A well-behaved registry in memory, as the distribution specification 1.1 wants it: with pages, untagging,
ranges, chunked uploads, mounts and referrers. `tests.fake` serves it.
"""

import json
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import quote

from regui import oci

JSON = "application/json"


@dataclass(frozen=True)
class Ask:
    """One request: `path` without its query, percent-decoded; `raw_query` as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Message
    body: bytes = b""
    raw_query: str = ""


@dataclass(frozen=True)
class Out:
    """One answer, and how badly it is sent: `stall` waits that many seconds first, `drip` that many after
    each byte of the body (of the head too, with `drip_head`), `cut` hangs up after so many bytes of the
    body, `raw` is sent instead of everything."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    stall: float = 0
    drip: float = 0
    drip_head: bool = False
    cut: int | None = None
    raw: bytes | None = None


def out(status: int, body: Any = b"", kind: str = "", **headers: str) -> Out:
    """An answer; anything but bytes becomes JSON. `Docker_Upload_UUID="…"` sends Docker-Upload-UUID."""
    if not isinstance(body, bytes):
        body, kind = json.dumps(body).encode(), kind or JSON
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Out(status, body, (*([("Content-Type", kind)] if kind else []), *named))


def error(status: int, code: str, detail: Any = None, **headers: str) -> Out:
    """A refusal as the specification wants it."""
    message = code.lower().replace("_", " ")
    return out(status, {"errors": [{"code": code, "message": message, "detail": detail}]}, **headers)


@dataclass
class Repository:
    """What a repository holds: manifests by digest with their media types, tags, and the blobs linked
    here."""

    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: set[str] = field(default_factory=set)


ROUTES: list[tuple[str, str]] = [
    ("base", r"/v2/"),
    ("catalog", r"/v2/_catalog"),
    ("tags", r"/v2/(?P<name>.+)/tags/list"),
    ("start", r"/v2/(?P<name>.+)/blobs/uploads/"),
    ("upload", r"/v2/(?P<name>.+)/blobs/uploads/(?P<upload>[0-9a-f-]+)"),
    ("blob", r"/v2/(?P<name>.+)/blobs/(?P<digest>[^/]+)"),
    ("manifest", r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)"),
    ("referrers", r"/v2/(?P<name>.+)/referrers/(?P<digest>[^/]+)"),
]


class Memory:
    """The registry's state, and its answers. Thread-safe by taking one request at a time."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.blobs: dict[str, bytes] = {}
        self.uploads: dict[str, bytearray] = {}
        self._lock = threading.Lock()

    def answer(self, ask: Ask) -> Out:
        with self._lock:
            for name, pattern in ROUTES:
                if match := re.fullmatch(pattern, ask.path):
                    groups = match.groupdict()
                    if "name" in groups and not re.fullmatch(oci.REPOSITORY, groups["name"]):
                        break
                    found: Out = getattr(self, name)(ask, **groups)
                    return found
            return Out(404, b"404 page not found\n", (("Content-Type", "text/plain; charset=utf-8"),))

    def base(self, _: Ask) -> Out:
        return out(200, {}, Docker_Distribution_Api_Version="registry/2.0")

    def catalog(self, ask: Ask) -> Out:
        names = [name for name, one in self.repositories.items() if one.manifests or one.blobs]
        return self.page(ask, sorted(names), "repositories", {})

    def tags(self, ask: Ask, name: str) -> Out:
        if name not in self.repositories:
            return error(404, "NAME_UNKNOWN", {"name": name})
        return self.page(ask, sorted(self.repositories[name].tags), "tags", {"name": name})

    def page(self, ask: Ask, names: list[str], key: str, more: dict[str, Any]) -> Out:
        """One page of a listing, with a Link to the next if there is one."""
        wanted, last = ask.query.get("n", "1000"), ask.query.get("last", "")
        if not wanted.isdecimal() or int(wanted) > 1000:
            return error(400, "PAGINATION_NUMBER_INVALID", {"n": wanted})
        size = int(wanted)
        rest = [name for name in names if name > last]
        if len(rest) <= size:
            return out(200, more | {key: rest})
        link = f'<{ask.path}?last={quote(rest[size - 1], safe="")}&n={size}>; rel="next"'
        return out(200, more | {key: rest[:size]}, Link=link)

    def manifest(self, ask: Ask, name: str, reference: str) -> Out:
        repository = self.repositories.get(name, Repository())
        if ask.method == "PUT":
            return self.put_manifest(ask, name, reference)
        digest = reference if ":" in reference else repository.tags.get(reference, "")
        if digest not in repository.manifests:
            return error(404, "MANIFEST_UNKNOWN", {"Tag": reference})
        if ask.method == "DELETE":
            if reference != digest:
                del repository.tags[reference]
                return out(202)
            del repository.manifests[digest]
            repository.tags = {tag: at for tag, at in repository.tags.items() if at != digest}
            return out(202)
        kind, body = repository.manifests[digest]
        headers = {"Docker_Content_Digest": digest, "Etag": f'"{digest}"'}
        if ask.headers.get("If-None-Match", "").strip('"') == digest:
            return Out(304)
        return out(200, body, kind, **headers)

    def put_manifest(self, ask: Ask, name: str, reference: str) -> Out:
        kind = ask.headers.get("Content-Type", "")
        try:
            document = oci.parse(ask.body, kind)
        except oci.Malformed as problem:
            return error(400, "MANIFEST_INVALID", str(problem))
        repository = self.repositories.setdefault(name, Repository())
        needs = [one.digest for one in getattr(document, "blobs", ()) if one.digest not in repository.blobs]
        children = getattr(document, "manifests", ())
        needs += [one.digest for one in children if one.digest not in repository.manifests]
        if needs:
            missing = [{"code": "MANIFEST_BLOB_UNKNOWN", "message": "", "detail": one} for one in needs]
            return out(400, {"errors": missing})
        algorithm = oci.Digest(reference).algorithm if ":" in reference else "sha256"
        digest = oci.Digest.of(ask.body, algorithm)
        if ":" in reference and digest != reference:
            return error(400, "DIGEST_INVALID")
        repository.manifests[digest] = kind, ask.body
        if reference != digest:
            repository.tags[reference] = digest
        place = f"/v2/{name}/manifests/{digest}"
        return out(201, Docker_Content_Digest=digest, Location=place)

    def referrers(self, ask: Ask, name: str, digest: str) -> Out:
        entries = []
        for found, (kind, body) in self.repositories.get(name, Repository()).manifests.items():
            document = oci.parse(body, kind)
            if isinstance(document, oci.Legacy) or not document.subject or document.subject.digest != digest:
                continue
            artifact_type = document.artifact_type
            if ask.query.get("artifactType", artifact_type) == artifact_type:
                one = {"mediaType": kind, "digest": found, "size": len(body), "artifactType": artifact_type}
                entries.append(one | {"annotations": dict(document.annotations)})
        index = {"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": entries}
        filtered = {"OCI_Filters_Applied": "artifactType"} if "artifactType" in ask.query else {}
        return out(200, index, oci.OCI_INDEX, **filtered)

    def blob(self, ask: Ask, name: str, digest: str) -> Out:
        linked = self.repositories.get(name, Repository()).blobs
        if digest not in linked:
            return error(404, "BLOB_UNKNOWN", digest)
        if ask.method == "DELETE":
            linked.remove(digest)
            return out(202)
        body, headers = self.blobs[digest], {"Docker_Content_Digest": digest}
        if match := re.fullmatch(r"bytes=(\d+)-(\d*)", ask.headers.get("Range", "")):
            first, last = int(match[1]), min(int(match[2] or len(body)), len(body) - 1)
            if first > last:
                return error(416, "RANGE_INVALID")
            headers["Content_Range"] = f"bytes {first}-{last}/{len(body)}"
            return out(206, body[first : last + 1], "application/octet-stream", **headers)
        return out(200, body, "application/octet-stream", **headers)

    def start(self, ask: Ask, name: str) -> Out:
        repository = self.repositories.setdefault(name, Repository())
        digest, source = ask.query.get("mount", ""), ask.query.get("from", "")
        if digest in self.repositories.get(source, Repository()).blobs:
            repository.blobs.add(digest)
            return out(201, Location=f"/v2/{name}/blobs/{digest}", Docker_Content_Digest=digest)
        upload = str(uuid.uuid4())
        self.uploads[upload] = bytearray()
        return self.progress(202, name, upload)

    def progress(self, status: int, name: str, upload: str) -> Out:
        place = f"/v2/{name}/blobs/uploads/{upload}?_state={len(self.uploads[upload])}"
        reached = f"0-{max(0, len(self.uploads[upload]) - 1)}"
        return out(status, Location=place, Range=reached, Docker_Upload_UUID=upload)

    def upload(self, ask: Ask, name: str, upload: str) -> Out:
        if upload not in self.uploads:
            return error(404, "BLOB_UPLOAD_UNKNOWN")
        data = self.uploads[upload]
        if ask.method == "GET":
            return self.progress(204, name, upload)
        if ask.method == "DELETE":
            del self.uploads[upload]
            return out(204)
        first = ask.headers.get("Content-Range", f"{len(data)}-").partition("-")[0]
        if int(first) != len(data):
            return error(416, "RANGE_INVALID")
        data += ask.body
        if ask.method == "PATCH":
            return self.progress(202, name, upload)
        digest = ask.query.get("digest", "")
        if not oci.is_digest(digest) or oci.Digest.of(bytes(data), oci.Digest(digest).algorithm) != digest:
            return error(400, "DIGEST_INVALID")
        self.blobs[digest] = bytes(self.uploads.pop(upload))
        self.repositories[name].blobs.add(digest)
        return out(201, Location=f"/v2/{name}/blobs/{digest}", Docker_Content_Digest=digest)
