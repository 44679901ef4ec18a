"""What a registry's refusal means.

Specification: distribution, "Error Codes". Only the API answers in JSON; its router, and proxies before it,
answer in plain text or HTML.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from regui.oci import media
from regui.oci.errors import (
    BlobUnknown,
    Conflict,
    Denied,
    Error,
    Invalid,
    Malformed,
    ManifestUnknown,
    NameUnknown,
    NotARegistry,
    NotFound,
    Refused,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unsupported,
    UploadUnknown,
)
from regui.oci.headers import retry_after
from regui.oci.lenient import each, parse_object, record, text

MAX_ERROR = 64 * 1024
MAX_DETAIL = 500
HTML = ("text/html", "application/xhtml+xml")
PLAIN_TO_TLS = "Client sent an HTTP request to an HTTPS server"

BY_CODE: dict[str, type[Refused]] = {
    "UNAUTHORIZED": Unauthorized,
    "DENIED": Denied,
    "NAME_UNKNOWN": NameUnknown,
    "MANIFEST_UNKNOWN": ManifestUnknown,
    "BLOB_UNKNOWN": BlobUnknown,
    "BLOB_UPLOAD_UNKNOWN": UploadUnknown,
    "UNSUPPORTED": Unsupported,
    "TOOMANYREQUESTS": TooManyRequests,
}
BY_STATUS: dict[int, type[Refused]] = {
    400: Invalid,
    401: Unauthorized,
    403: Denied,
    404: NotFound,
    405: Unsupported,
    409: Conflict,
    412: Conflict,
    413: Invalid,
    416: Invalid,
    429: TooManyRequests,
}
SENTENCES: dict[type[Refused], str] = {
    Unauthorized: "The registry asks for a sign-in",
    Denied: "The registry denied this",
    NotFound: "The registry doesn't have this",
    NameUnknown: "The registry has no such repository",
    ManifestUnknown: "The registry has no such tag or manifest",
    BlobUnknown: "The registry has no such blob",
    UploadUnknown: "The registry knows nothing of this upload",
    Invalid: "The registry found fault with the request",
    Conflict: "The registry's state doesn't allow this",
    Unsupported: "The registry doesn't offer this",
    TooManyRequests: "The registry asks for a pause",
    Unavailable: "The registry is having trouble",
    Refused: "The registry refused",
}


def is_html(headers: Mapping[str, str]) -> bool:
    return media.essence(headers.get("Content-Type", "")) in HTML


def refusal(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Iterable[str] = (),
    *,
    missing: type[Refused] = NotFound,
) -> Error:
    """The error for an answer that isn't a success. `secrets` are blanked out should the registry repeat
    them; `missing` is what a 404 means where the registry doesn't say it."""
    if is_html(headers) and body and status not in {401, 403, 429} and status < 500:
        return NotARegistry(f"The answer was a web page (status {status}), not a registry's.")
    if status == 400 and PLAIN_TO_TLS.encode() in body:
        return NotARegistry(
            "The registry speaks HTTPS at this port.", hint="Begin its address with https://."
        )
    if 300 <= status < 400:
        return NotARegistry(f"The registry sent the request elsewhere (status {status}).", hint=REDIRECTED)
    codes, detail = said(headers, body)
    for secret in filter(None, secrets):
        detail = detail.replace(secret, "•••")
    kind = kind_of(status, codes, missing)
    code = f" {codes[0]}" if codes else ""
    words = f": {detail}" if detail else ""
    return kind(
        f"{SENTENCES[kind]} ({status}{code}){words}".rstrip(".") + ".",
        status=status,
        codes=codes,
        detail=detail,
        retry_after=retry_after(headers, datetime.now(UTC)),
    )


REDIRECTED = "Use the address that the registry itself uses, with the right scheme, host and port."


def kind_of(status: int, codes: tuple[str, ...], missing: type[Refused]) -> type[Refused]:
    """The class of error. Codes say more than the status: zot denies with 405, ECR has no UNSUPPORTED but
    in 400."""
    if status >= 500:
        return Unavailable
    for code in codes:
        if code in BY_CODE and not (status == 401 and BY_CODE[code] is Denied):
            return BY_CODE[code]
    return missing if status == 404 else BY_STATUS.get(status, Refused)


def said(headers: Mapping[str, str], body: bytes) -> tuple[tuple[str, ...], str]:
    """The codes and the words of an error's body; both may be empty."""
    kind = media.essence(headers.get("Content-Type", ""))
    if kind in HTML:
        return (), ""
    try:
        entries = [record(entry) for entry in each(parse_object(body).get("errors"))][:20]
    except Malformed:
        return (), plain(body.decode(errors="replace")) if kind in {"text/plain", ""} else ""
    codes = tuple(code for entry in entries if re.fullmatch(r"\w{1,64}", code := text(entry.get("code"))))
    first = entries[0] if entries else {}
    words = [text(first.get("message")), detail_of(first.get("detail"))]
    return codes, plain("; ".join(filter(None, words)))


def detail_of(value: Any) -> str:
    """The detail when it is words, or names something; it may be any JSON."""
    if isinstance(value, dict):
        named = [(text(key), item) for key, item in value.items() if isinstance(item, str | int)]
        return ", ".join(f"{key} {item}" for key, item in named[:5])
    return text(value)


def plain(words: str) -> str:
    """One line of printable text of bounded length."""
    line = " ".join(re.sub(r"[^\S ]|[\x00-\x1f\x7f-\x9f]", " ", text(words[: 4 * MAX_DETAIL])).split())
    return line if len(line) <= MAX_DETAIL else line[: MAX_DETAIL - 1] + "…"
