"""Sessions of requests for whatever else goes out, such as to a provider that signs people in: they lead to
no address off limits, end in time, and take nothing from the environment."""

import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from regui import __version__
from regui.oci import timed

CONNECT, READ, TOTAL = 5.0, 20.0, 30.0  # seconds
MAX_REDIRECTS = 3


class Guarded(HTTPAdapter):
    """requests' own way to urllib3, by our connections: each redirect's address is looked at, too."""

    def __init__(self, *, link_local: bool = False) -> None:
        self.link_local = link_local
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = timed.opened(timed.POOLS, link_local=self.link_local)


class Session(requests.Session):
    """A session whose requests, with all that they are redirected to, take half a minute at most. It raises
    requests' own errors, of which `faults.translate` makes ours."""

    def __init__(self, *, link_local: bool = False) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = MAX_REDIRECTS
        self.headers["User-Agent"] = f"regui/{__version__}"
        for scheme in ("http://", "https://"):
            self.mount(scheme, Guarded(link_local=link_local))

    def request(self, *args: Any, **options: Any) -> requests.Response:
        if options.get("timeout") is None:
            options["timeout"] = CONNECT, READ
        with timed.within(time.monotonic() + TOTAL):
            return super().request(*args, **options)
