"""What a registry can do, found out by requests that change nothing: the deletes among them name what can't
be there.
"""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

from regui.oci import families
from regui.oci.answers import MAX_ERROR, is_html
from regui.oci.caller import Answer, Caller, Request
from regui.oci.errors import (
    BlobUnknown,
    Denied,
    Error,
    Invalid,
    ManifestUnknown,
    NotARegistry,
    NotFound,
    Refused,
    Unauthorized,
    Unreachable,
    Unsupported,
)
from regui.oci.families import Greeting
from regui.oci.headers import challenges, http_date, next_link
from regui.oci.names import Digest, check_repository

# Deletes the manifest with every tag on it when it is asked to delete one tag.
AZURE = ".azurecr.io"
# Seconds that two clocks may be apart: token servers and certificates forgive about a minute.
APART = 30.0

State = Literal["yes", "no", "unknown"]


@dataclass(frozen=True)
class Finding:
    """Whether the registry can do something, what exactly, and the request that showed it."""

    state: State
    detail: str = ""
    evidence: str = ""


class Probes(Caller):
    """The calls that only ask what would be possible."""

    def check_deletes(self, name: str) -> None:
        """Nothing, when manifests of this repository can be deleted; raises Unsupported or Denied."""
        try:
            self._delete(name, nowhere())
        except NotFound:
            pass
        except Unsupported as error:
            error.hint = error.deleting
            raise

    def untags(self, name: str) -> bool:
        """Whether a tag can be deleted by its name while its manifest and siblings stay. Only where that is
        known for certain: distribution 3, and zot."""
        if (urlsplit(self.url).hostname or "").endswith(AZURE):
            return False
        if not (self.is_distribution_3() or self.is_zot()):
            return False
        try:
            self._delete(name, f"regui-{secrets.token_hex(16)}")
        except NotFound:
            return True
        except (Unsupported, Invalid, Denied):
            return False
        return False  # it says it deleted what can't be there

    def is_distribution_3(self) -> bool:
        """Whether it is distribution 3, which finds fault with a page size that is no number."""
        return self._senseless_page() == 400

    def is_zot(self) -> bool:
        """Whether it is zot, which tells its extensions."""
        try:
            answer = self.call(Request("GET", "/v2/_oci/ext/discover"))
        except (NotFound, Unsupported, Denied, Invalid, NotARegistry):
            return False
        return not is_html(answer.headers) and b'"extensions"' in answer.body

    def greet(self) -> Greeting:
        """What the base of the API answers whoever doesn't sign in. Unreachable."""
        deadline = self.deadline(0)
        before = time.time()
        reply = self._transport.send("GET", f"{self.url}/v2/", {}, None, deadline)
        middle = (before + time.time()) / 2
        offered = challenges(reply.headers.getlist("WWW-Authenticate"))
        reply.start(MAX_ERROR)
        said = http_date(reply.headers.get("Date", ""))
        # A date is cut down to its second.
        skew = (said - datetime.fromtimestamp(middle, UTC)).total_seconds() + 0.5 if said else None
        return Greeting(reply.status, reply.headers, tuple(offered), skew)

    def find_family(self, greeting: Greeting) -> Finding:
        """Which product it is: `detail` begins with one of the names in `families`; unknown without proof."""
        if found := families.named(self.origin.host, greeting):
            name, version, evidence = found
            return Finding("yes", f"{name} {version}".strip(), evidence)
        if self.is_zot():
            return Finding("yes", families.ZOT, "GET /v2/_oci/ext/discover: 200 with its extensions")
        says = "Docker-Distribution-Api-Version" in greeting.headers
        asked, status = "GET /v2/_catalog?n=abc", self._senseless_page()
        if status == 400 and says:
            return Finding("yes", families.DISTRIBUTION_3, f"{asked}: 400 PAGINATION_NUMBER_INVALID")
        json = greeting.headers.get("Content-Type", "").lower()
        if status == 200 and says and json.startswith("application/json; charset"):
            return Finding("yes", families.DISTRIBUTION_2, f"{asked}: 200, as no later version answers")
        server = greeting.headers.get("Server", "")[:60]
        return Finding(
            "unknown", f"It calls itself {server}" if server else "", f"{asked}: {status or 'refused'}"
        )

    def find_writes(self, name: str) -> Finding:
        """Whether it takes changes at all, by the methods it allows: a registry that was made read-only
        leaves PUT and DELETE out. A gateway may answer for it with methods of its own, so a delete that can't
        match anything has to be refused in the same way: by the router, without a code of the API's."""
        path = f"/v2/{check_repository(name)}/manifests/regui"
        request = Request("OPTIONS", path, frozenset({f"repository:{name}:pull"}), expect=(200, 204))
        allowed = self.call(request).headers.get("Allow", "").upper()
        evidence = f"OPTIONS {path}: Allow: {allowed[:60]}"
        if "GET" not in allowed:
            return Finding("unknown", "", f"OPTIONS {path}: no methods named")
        if "PUT" in allowed:
            return Finding("yes", "", evidence)
        try:
            self._delete(name, nowhere())
        except Unsupported as error:
            if not error.codes:
                return Finding("no", "", evidence)
        except Refused:
            pass
        return Finding("unknown", "It names few methods, and yet knows of others.", evidence)

    def find_deletes(self, name: str) -> Finding:
        """Whether manifests can be deleted, by asking to delete one that can't be there."""
        asked = f"DELETE /v2/{name}/manifests/<a digest that is nowhere>"
        try:
            self._delete(name, nowhere())
        except NotFound as error:
            return Finding("yes", "", f"{asked}: {said(error)}")
        except Unsupported as error:
            return Finding("no", "", f"{asked}: {said(error)}")
        return Finding("unknown", "It says that it deleted what can't be there.", f"{asked}: 202")

    def find_untags(self, name: str) -> Finding:
        """Whether a tag can be deleted by its name alone."""
        asked = f"DELETE /v2/{name}/manifests/<a tag that is nowhere>"
        if self.untags(name):
            return Finding("yes", "", f"{asked}: 404")
        return Finding("no", "", "Known to be safe with distribution 3 and zot alone; others aren't asked")

    def find_referrers(self, name: str, digest: str) -> Finding:
        """Whether it answers what refers to a digest. A 404 of the API's own says that there is such an
        API."""
        path = f"/v2/{check_repository(name)}/referrers/{Digest.parse(digest)}"
        asked = f"GET /v2/{name}/referrers/<digest>"
        try:
            self.call(Request("GET", path, frozenset({f"repository:{name}:pull"})))
        except (NotFound, Unsupported) as error:
            return Finding("unknown" if error.codes else "no", "", f"{asked}: {said(error)}")
        return Finding("yes", "", f"{asked}: 200")

    def find_catalog(self) -> Finding:
        """Whether it lists its repositories to us."""
        asked = "GET /v2/_catalog?n=1"
        try:
            answer = self.call(Request("GET", "/v2/_catalog?n=1", frozenset({"registry:catalog:*"})))
        except (NotFound, Unsupported, Denied, Unauthorized) as error:
            return Finding("no", "", f"{asked}: {said(error)}")
        paged = next_link(answer.headers.getlist("Link")) is not None
        return Finding("yes", "page by page" if paged else "", f"{asked}: 200{', Link: next' * paged}")

    def find_ranges(self, name: str, digest: str) -> Finding:
        """Whether it gives out a part of a blob, asking for one byte of one."""
        path = f"/v2/{check_repository(name)}/blobs/{Digest.parse(digest)}"
        request = Request(
            "GET",
            path,
            frozenset({f"repository:{name}:pull"}),
            {"Range": "bytes=0-0"},
            expect=(200, 206),
            missing=BlobUnknown,
            elsewhere=True,
        )
        reply = self.open(request)
        reply.close()
        evidence = f"GET /v2/{name}/blobs/<digest> with Range: bytes=0-0: {reply.status}"
        return Finding("yes" if reply.status == 206 else "no", "", evidence)

    def _senseless_page(self) -> int:
        """The status for a page size that is no number: 200 where it is taken for none, 400 where that is
        found fault with as distribution 3 does; 0 for anything else."""
        request = Request("GET", "/v2/_catalog?n=abc", frozenset({"registry:catalog:*"}))
        try:
            self.call(request)
        except Invalid as error:
            return 400 if "PAGINATION_NUMBER_INVALID" in error.codes else 0
        except (NotFound, Unsupported, Denied, NotARegistry):
            return 0
        return 200

    def _delete(self, name: str, reference: str) -> Answer:
        path = f"/v2/{check_repository(name)}/manifests/{reference}"
        scopes = frozenset({f"repository:{name}:delete"})
        return self.call(Request("DELETE", path, scopes, expect=(200, 202, 204), missing=ManifestUnknown))


def nowhere() -> Digest:
    """A digest that nothing has."""
    return Digest(f"sha256:{secrets.token_hex(32)}")


def said(error: Error) -> str:
    """A refusal in short: 405 UNSUPPORTED."""
    return " ".join([str(error.status), *error.codes[:1]]) if isinstance(error, Refused) else str(error)


def find_clock(greeting: Greeting) -> Finding:
    """Whether the registry's clock shows our time."""
    if greeting.skew is None:
        return Finding("unknown", "It tells no time.", greeting.said)
    seconds, date = round(abs(greeting.skew)), greeting.headers.get("Date", "")
    evidence = f"{greeting.said}, Date: {date[:40]}"
    if abs(greeting.skew) <= APART:
        return Finding("yes", "to the second" if seconds < 2 else f"{seconds} s apart", evidence)
    return Finding("no", f"{seconds} s {'ahead' if greeting.skew > 0 else 'behind'}", evidence)


def unasked(error: Error) -> Finding:
    """What a question comes to that met an error which answers nothing."""
    silent = isinstance(error, Unreachable)
    return Finding("unknown", str(error), "no answer" if silent else said(error))
