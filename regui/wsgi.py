"""The WSGI application, at the root of its host or under `REGUI_BASE_PATH`."""

import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings
from django.core.wsgi import get_wsgi_application

PROBES = frozenset({"/healthz", "/readyz"})


def below(base: str, application: WSGIApplication) -> WSGIApplication:
    """The application, moved to the path `base` (such as `/regui`), which the root leads to.

    A proxy in front passes paths on unchanged. Probes come past it, so they work without the prefix too.
    """

    def moved(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        if path.startswith(f"{base}/"):
            environ = environ | {"SCRIPT_NAME": base, "PATH_INFO": path.removeprefix(base)}
            return application(environ, start_response)
        if path in PROBES:
            return application(environ, start_response)
        if path in {"", "/", base}:
            start_response("308 Permanent Redirect", [("Location", f"{base}/"), ("Content-Length", "0")])
            return []
        text = f"regui is at {base}/\n".encode()
        start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
        return [text]

    return moved


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regui.settings")
application: WSGIApplication = get_wsgi_application()
if settings.FORCE_SCRIPT_NAME:
    application = below(settings.FORCE_SCRIPT_NAME, application)
