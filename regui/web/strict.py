"""Tells browsers to come by TLS only, where they can."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def strict(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that says so with every answer when `REGUI_URL` is an https address. Django's would wait for
    a request to say that it came by TLS, which the proxy that ends TLS need not tell us; browsers heed the
    header over TLS alone, so that it is harmless elsewhere.

    https://www.rfc-editor.org/rfc/rfc6797#section-7.2
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if settings.SECURE_HSTS_SECONDS:
            response["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"
        return response

    return middleware
