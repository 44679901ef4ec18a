"""What can go wrong when speaking to a registry: one tree, each error saying what a person can do next.

`code` is a stable slug for whoever chooses a page, `str(error)` one plain sentence, `hint` the next step.
None of them ever holds a password or a token.
"""

from typing import ClassVar


class Error(Exception):
    """Anything this package raises for a reason outside the program."""

    code: ClassVar[str] = "error"
    advice: ClassVar[str] = "Try again; when it stays, look at the registry's log."

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint or self.advice


class InvalidName(ValueError, Error):
    """A repository, tag or digest that no registry could have."""

    code = "invalid-name"
    advice = "Check the spelling."

    def __init__(self, message: str, *, hint: str = "") -> None:
        Error.__init__(self, message, hint=hint)


class Unreachable(Error):
    """No answer: refused, no such host, cut off."""

    code = "unreachable"
    advice = "Check that the registry runs, and that this machine reaches its address and port."


class TimedOut(Unreachable):
    """No answer within the time allowed, or an answer that came too slowly."""

    code = "timed-out"
    advice = "The registry or the network is slow at the moment; try again."


class Dropped(Unreachable):
    """The connection ended in the middle: what was asked may be asked again."""


class BadCertificate(Unreachable):
    """The TLS certificate, the registry's or ours, was not accepted."""

    code = "bad-certificate"
    advice = (
        "If an authority of your own signed the certificate, name its CA file in the settings; else renew it."
    )


class OffLimits(Unreachable):
    """The host is at an address that no request is sent to: a link-local one, or a cloud's metadata."""

    code = "off-limits"
    advice = (
        "Link-local addresses are refused, since clouds hand out credentials there. If a registry, its token "
        "server or its storage really has such an address, set REGUI_ALLOW_LINK_LOCAL=on."
    )
    metadata: ClassVar[str] = (
        "Clouds hand out credentials there, so this is never allowed. Look at where the registry, or "
        "whatever stands before it, sends its visitors."
    )


class NotARegistry(Error):
    """Something answered, but it doesn't speak a registry's API."""

    code = "not-a-registry"
    advice = "Check the address: it is the one before /v2/, with the right port and http or https."


class Malformed(Error):
    """A document that isn't what its media type promises."""

    code = "malformed"
    advice = "The registry or the client that pushed this wrote it wrongly; pushing it again may help."


class Misbehaved(Error):
    """An answer that breaks the protocol: a wrong digest, a page that repeats, more bytes than allowed."""

    code = "misbehaved"
    advice = "Look for a proxy in between that changes answers, and at the registry's log."


class Refused(Error):
    """The registry answered with an error. `status` is HTTP's, `codes` the registry's own such as
    MANIFEST_UNKNOWN (may be empty), `detail` its words, bounded and free of secrets (may be empty),
    `retry_after` the pause in seconds it asked for, None when it didn't."""

    code = "refused"
    advice = "The registry's log says more."

    def __init__(
        self,
        message: str,
        *,
        status: int,
        codes: tuple[str, ...] = (),
        detail: str = "",
        hint: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status, self.codes, self.detail, self.retry_after = status, codes, detail, retry_after


class Unauthorized(Refused):
    """The registry wants a sign-in, or didn't accept the one it got."""

    code = "unauthorized"
    advice = "Check the registry's user name and password in the settings."


class Denied(Refused):
    """The registry knows who asks, and says no."""

    code = "denied"
    advice = "The registry's user lacks the right to do this; grant it there, or use another user."


class NotFound(Refused):
    """What was asked for isn't there."""

    code = "not-found"
    advice = "It may have been deleted meanwhile; go back to the list."


class NameUnknown(NotFound):
    """The repository isn't there."""


class ManifestUnknown(NotFound):
    """The tag or manifest isn't there."""


class BlobUnknown(NotFound):
    """The blob isn't there."""


class UploadUnknown(NotFound):
    """The upload has ended, or never began."""


class Invalid(Refused):
    """The registry found fault with the request or with what was sent."""

    code = "invalid"


class Conflict(Refused):
    """The registry's state forbids it, such as deleting what another manifest needs."""

    code = "conflict"
    advice = "Something else in the registry still needs this, or changed meanwhile; look at it again."


class Unsupported(Refused):
    """The registry doesn't offer this; for a delete: deletes are switched off, and the hint says so."""

    code = "unsupported"
    advice = "Not every registry offers every part of the API; its documentation says which."
    deleting: ClassVar[str] = (
        "Deletes are switched off in many registries. For distribution set "
        "REGISTRY_STORAGE_DELETE_ENABLED=true and restart it."
    )


class TooManyRequests(Refused):
    """The registry wants a pause; `retry_after` says how long, when it said so."""

    code = "too-many-requests"
    advice = "The registry limits how much may be asked of it; try again later."


class Unavailable(Refused):
    """The registry failed (5xx)."""

    code = "unavailable"
    advice = "The registry has a problem of its own; its log says which. Try again later."
