"""Who a request comes from, until people can sign in: everyone is a visitor with the anonymous role."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from regui.accounts.access import Actor, Role
from regui.bind import is_loopback

# A header that begins so means the peer is a proxy, so a loopback peer says nothing about who asks.
FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_CLIENT_IP", "HTTP_VIA")


def visitor(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that puts the asking `Actor` on the request, as `request.actor`."""

    def middleware(request: HttpRequest) -> HttpResponse:
        address = str(request.META.get("REMOTE_ADDR", ""))
        request.actor = Actor("anonymous", role(request), address)  # type: ignore[attr-defined]
        return get_response(request)

    return middleware


def role(request: HttpRequest) -> Role:
    """The anonymous role as set; unset, everything for who sits at this machine, nothing for anyone else."""
    if settings.ANONYMOUS_ROLE is not None:
        return Role(settings.ANONYMOUS_ROLE)
    if any(header.startswith(FORWARDED) for header in request.META):
        return Role.NONE
    peer, host = str(request.META.get("REMOTE_ADDR", "")), request.get_host()
    return Role.ADMIN if is_loopback(peer) and is_loopback(hostname(host)) else Role.NONE


def hostname(host: str) -> str:
    """A Host header without its port and without the brackets of IPv6."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
