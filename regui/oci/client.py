"""The client: every call of a registry's API as a method."""

from dataclasses import dataclass
from typing import Any, Literal

from regui.oci.caller import Request
from regui.oci.errors import Invalid, NotARegistry, NotFound
from regui.oci.lenient import parse_json
from regui.oci.listings import Listings
from regui.oci.manifests import Manifests
from regui.oci.probes import Probes
from regui.oci.uploads import Uploads


@dataclass(frozen=True)
class Base:
    """What the base of the API says: `api_version` such as registry/2.0, empty when it doesn't say."""

    api_version: str
    auth: Literal["none", "basic", "bearer"]


class Client(Listings, Manifests, Uploads, Probes):
    """Speaks to one registry. Thread-safe, and lives long: it keeps connections and tokens.

    `url` is the address without /v2/. `verify` is True, False or the path of a CA file that vouches for the
    registry; `cert` the client certificate's file, or its file and its key's. Either may be `Pem` instead,
    the text of a file. All waits are bounded by
    `timeout`, and by `until`; answers are bounded in size. Raises nothing but `Error`s for what the network
    or the registry do, and InvalidName, a ValueError too, for names that no registry could have.
    """

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self._no_referrers = {}

    def ping(self) -> Base:
        """That a registry is there and lets us in, and how. NotARegistry, Unauthorized, Unreachable.

        Specification: distribution, "Determining Support"."""
        try:
            answer = self.call(Request("GET", "/v2/"))
        except NotFound as error:
            raise NotARegistry(f"{self.origin} has no registry's API at {self.base_path}/v2/.") from error
        except Invalid as error:
            if self._auth.scheme == "basic" and not error.codes:
                # distribution whose password file can't be read: any password gets this, none gets 401.
                error.hint = "The registry's authentication is misconfigured; its log says more."
            raise
        version = answer.headers.get("Docker-Distribution-Api-Version", "")
        if not version:
            body = parse_json(answer.body or b"{}")
            if not isinstance(body, dict | list):
                raise NotARegistry(f"{self.origin} answers at /v2/, but not as a registry does.")
        scheme = self._auth.scheme
        return Base(version, "bearer" if scheme == "bearer" else "basic" if scheme == "basic" else "none")
