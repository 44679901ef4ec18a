"""Serves the site: gunicorn, in this very process and without a configuration file of its own."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.servers.basehttp import get_internal_wsgi_application
from django.db import connections
from gunicorn.app.base import BaseApplication

from regui import prepare
from regui.accounts import first, links, people
from regui.bind import Bind, is_loopback
from regui.env import refuse

log = logging.getLogger(__name__)

THREADS = 8
# Seconds running requests get to finish; with what else has to end it stays below the ten supervisors give.
GRACE = 5


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn around our WSGI application, listening on a socket that is open already."""

    def __init__(self, listener: socket.socket, ready: Callable[[], None]) -> None:
        """`ready` is called once, when requests are answered."""
        self.options: dict[str, Any] = {
            "bind": f"fd://{listener.detach()}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": THREADS,
            "graceful_timeout": GRACE,
            # A page waits for a registry a few seconds, a delete up to a minute.
            "timeout": 120,
            "preload_app": True,
            "loglevel": "warning",
            "control_socket_disable": True,
            # Nobody but us says where the site lies: `REGUI_BASE_PATH` does. Nor by which scheme it was
            # asked: `accounts.forwarded` knows whom to believe that.
            "forwarder_headers": "",
            "secure_scheme_headers": {},
            "when_ready": lambda arbiter: ready(),
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        # Only now: it looks through the static files as it is made.
        return get_internal_wsgi_application()


def listen() -> socket.socket:
    """A socket that listens where the settings say; ImproperlyConfigured when it can't."""
    bind: Bind = settings.BIND
    try:
        listener = bind.listen()
    except OSError as error:
        raise refuse("REGUI_BIND", f"can't listen on {bind}: {error.strerror}") from error
    warn_of_strangers(bind, settings.ANONYMOUS_ROLE)
    return listener


def serve(
    listener: socket.socket, say: Callable[[str], None], worker: Mapping[str, str] | None = None
) -> None:
    """Answer on that socket until SIGTERM or SIGINT, then exit the process by SystemExit.

    `say` gets a line with the address as soon as requests are answered, and while there is no person yet
    another one with the link that makes the administrator. With `worker`, which may be empty, one works
    beside it, with these variables added to its environment.
    """
    prepare.static_files()
    first.from_settings()
    here = Bind(settings.BIND.host, listener.getsockname()[1])
    lines = list(announced(f"http://{here}{settings.FORCE_SCRIPT_NAME or ''}/"))
    # A forked worker must not share what the parent has open.
    connections.close_all()
    with attended(worker):
        Server(listener, lambda: say("\n".join(lines))).run()


def announced(address: str) -> Iterator[str]:
    """What there is to say once requests are answered there."""
    yield f"listening on {address}"
    if people.nobody():
        link = links.absolute(links.to_first(), address)
        yield f"nobody administers regui yet; who opens this link becomes the administrator: {link}"


@contextmanager
def attended(worker: Mapping[str, str] | None) -> Iterator[None]:
    """A worker that lives as long as the block, and is started again when it dies; none for None."""
    if worker is None:
        yield
        return
    here = os.getpid()
    attendant = subprocess.Popen([sys.executable, "-m", "regui.attend"], env={**os.environ, **worker})
    try:
        yield
    finally:
        # gunicorn's own processes are forked inside the block and leave it, too.
        if os.getpid() == here:
            attendant.terminate()
            attendant.wait()


def warn_of_strangers(bind: Bind, role: str) -> None:
    """Say so in the log when others can connect, be it through a proxy, and may do something without signing
    in."""
    name = str(urlsplit(settings.URL).hostname or "localhost")
    if role != "none" and not (bind.loopback and is_loopback(name)):
        log.warning(
            "REGUI_ANONYMOUS_ROLE is %s: whoever reaches %s may %s without signing in",
            role,
            settings.URL if bind.loopback else bind,
            "look at everything" if role == "reader" else "look at, change and delete everything",
        )
