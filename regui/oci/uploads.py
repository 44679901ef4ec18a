"""Uploading blobs, whole, in pieces, or by a mount from another repository.

Specification: distribution, "Pushing blobs". Where an upload goes on is the registry's to say; of the
address it gives only path and query are taken, since behind a proxy it often names another host.
"""

import contextlib
import dataclasses
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urljoin, urlsplit

from regui.oci import media
from regui.oci.blobs import Blobs
from regui.oci.caller import Answer, Request, with_query
from regui.oci.errors import Misbehaved, Refused, UploadUnknown
from regui.oci.headers import received
from regui.oci.names import Digest, check_repository


@dataclass(frozen=True)
class Upload:
    """An upload under way: `location` is where it goes on, from the registry's base; `offset` counts the
    bytes the registry has."""

    name: str
    location: str
    uuid: str
    offset: int = 0


class Uploads(Blobs):
    """The calls that upload. They are never repeated by themselves."""

    def start_upload(self, name: str) -> Upload:
        """A new upload."""
        return self._started(name, self.call(self._post(name, [])))

    def upload_status(self, upload: Upload) -> Upload:
        """The upload with the offset the registry has reached; UploadUnknown when it has ended."""
        answer = self.call(self._request_for(upload, "GET", (204, 200)))
        return self._advanced(upload, answer, upload.offset)

    def upload_chunk(self, upload: Upload, data: bytes) -> Upload:
        """The upload after these bytes; go on with what this returns, as its location has changed."""
        request = dataclasses.replace(
            self._request_for(upload, "PATCH", (202, 204, 201)),
            headers={
                "Content-Type": media.OCTETS,
                "Content-Range": f"{upload.offset}-{upload.offset + len(data) - 1}",
            },
            body=data,
        )
        return self._advanced(upload, self.call(request), upload.offset + len(data))

    def finish_upload(self, upload: Upload, digest: Digest, data: bytes = b"") -> Digest:
        """The digest, after the last bytes; Invalid when the content is another."""
        join = "&" if "?" in upload.location else "?"
        request = dataclasses.replace(
            self._request_for(upload, "PUT", (201, 200, 204)),
            path=f"{upload.location}{join}{urlencode({'digest': Digest.parse(digest)})}",
            headers={"Content-Type": media.OCTETS},
            body=data,
        )
        self.call(request)
        return digest

    def cancel_upload(self, upload: Upload) -> None:
        """End the upload and forget its bytes; UploadUnknown when it has ended already."""
        self.call(self._request_for(upload, "DELETE", (204, 200, 202)))

    def push_blob(self, name: str, data: bytes) -> Digest:
        """The digest of the bytes, which the repository has now; sent at once, unless they are there."""
        digest = Digest.of(data)
        if self.has_blob(name, digest):
            return digest
        return self.finish_upload(self.start_upload(name), digest, data)

    def mount_blob(self, name: str, digest: Digest, source: str) -> bool:
        """Whether the repository has the blob now, taken over from `source` without sending it. When the
        registry can't, it opens an upload instead, which is cancelled."""
        query = [("mount", Digest.parse(digest)), ("from", check_repository(source))]
        request = self._post(name, query)
        request = dataclasses.replace(
            request, expect=(201, 202), scopes=request.scopes | {f"repository:{source}:pull"}
        )
        answer = self.call(request)
        if answer.status == 201:
            return True
        # A user who may push may not delete; an upload that is left alone is purged in time.
        with contextlib.suppress(Refused):
            self.cancel_upload(self._started(name, answer))
        return False

    def _post(self, name: str, query: list[tuple[str, str]]) -> Request:
        path = with_query(f"/v2/{check_repository(name)}/blobs/uploads/", query)
        return Request("POST", path, scopes_of(name), {}, b"", expect=(202,))

    def _request_for(self, upload: Upload, method: str, expect: tuple[int, ...]) -> Request:
        scopes = scopes_of(upload.name, "delete" if method == "DELETE" else "pull,push")
        return Request(method, upload.location, scopes, expect=expect, missing=UploadUnknown)

    def _started(self, name: str, answer: Answer) -> Upload:
        path = f"/v2/{name}/blobs/uploads/"
        location = self._location(answer, path)
        return Upload(name, location, answer.headers.get("Docker-Upload-UUID", ""))

    def _advanced(self, upload: Upload, answer: Answer, expected: int) -> Upload:
        """The upload as the answer has it. `0-0` says one byte or none, so what we expected is believed
        then."""
        last = received(answer.headers.get("Range", ""))
        offset = expected if last is None or (last == 0 and expected in {0, 1}) else last + 1
        location = (
            self._location(answer, upload.location) if "Location" in answer.headers else upload.location
        )
        return dataclasses.replace(upload, location=location, offset=offset)

    def _location(self, answer: Answer, path: str) -> str:
        """Path and query of the Location, from the registry's base; Misbehaved when it isn't part of the
        API."""
        try:
            target = urlsplit(urljoin(f"{self.url}{path}", answer.headers.get("Location", "")))
        except ValueError as error:
            raise Misbehaved("The registry says no usable place for the upload.") from error
        place = quote(target.path.removeprefix(self.base_path), safe="%/:@!$&'()*+,;=~-._")
        _, found, rest = place.partition("/v2/")
        if not found or not answer.headers.get("Location"):
            raise Misbehaved("The registry says no usable place for the upload.")
        query = quote(target.query, safe="%/:?@!$&'()*+,;=~-._")
        return f"/v2/{rest}?{query}" if query else f"/v2/{rest}"


def scopes_of(name: str, actions: str = "pull,push") -> frozenset[str]:
    return frozenset({f"repository:{name}:{actions}"})
