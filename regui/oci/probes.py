"""What a registry can do, found out by requests that change nothing: the deletes among them name what can't
be there.
"""

import secrets
from urllib.parse import urlsplit

from regui.oci.answers import is_html
from regui.oci.caller import Caller, Request
from regui.oci.errors import Denied, Invalid, ManifestUnknown, NotARegistry, NotFound, Unsupported
from regui.oci.names import Digest, check_repository

# Deletes the manifest with every tag on it when it is asked to delete one tag.
AZURE = ".azurecr.io"


class Probes(Caller):
    """The calls that only ask what would be possible."""

    def check_deletes(self, name: str) -> None:
        """Nothing, when manifests of this repository can be deleted; raises Unsupported or Denied."""
        try:
            self._delete(name, Digest(f"sha256:{secrets.token_hex(32)}"))
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
        request = Request("GET", "/v2/_catalog?n=abc", frozenset({"registry:catalog:*"}))
        try:
            self.call(request)
        except Invalid as error:
            return "PAGINATION_NUMBER_INVALID" in error.codes
        except (NotFound, Unsupported, Denied, NotARegistry):
            pass
        return False

    def is_zot(self) -> bool:
        """Whether it is zot, which tells its extensions."""
        try:
            answer = self.call(Request("GET", "/v2/_oci/ext/discover"))
        except (NotFound, Unsupported, Denied, Invalid, NotARegistry):
            return False
        return not is_html(answer.headers) and b'"extensions"' in answer.body

    def _delete(self, name: str, reference: str) -> None:
        path = f"/v2/{check_repository(name)}/manifests/{reference}"
        scopes = frozenset({f"repository:{name}:delete"})
        self.call(Request("DELETE", path, scopes, expect=(200, 202, 204), missing=ManifestUnknown))
