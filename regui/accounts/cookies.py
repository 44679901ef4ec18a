"""The cookie of a session. It is signed: who reads the keys of sessions in the database, or in a copy of it,
opens none of them without the secret key."""

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core import signing
from django.http import HttpRequest, HttpResponse

SALT = "regui.session"


def sealed(key: str) -> str:
    """What the cookie of the session with that key holds."""
    return signing.Signer(salt=SALT).sign(key)


def opened(cookie: str) -> str | None:
    """The key of the session that a cookie opens; None when it opens none."""
    try:
        return signing.Signer(salt=SALT).unsign(cookie)
    except signing.BadSignature:
        return None


class Sessions(SessionMiddleware):
    """Django's, but for what the cookie holds."""

    def process_request(self, request: HttpRequest) -> None:
        cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        request.session = self.SessionStore(opened(cookie))

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        cookie = response.cookies.get(settings.SESSION_COOKIE_NAME)
        if cookie is not None and cookie.value:
            value = sealed(cookie.value)
            cookie.set(cookie.key, value, value)
        return response
