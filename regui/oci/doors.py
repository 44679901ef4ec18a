"""The two ways to urllib3: by requests, or, where a crawl sends a hundred thousand of them, straight to its
pools, which costs a quarter of the time. TLS and deadlines are the same on both."""

import ssl
from typing import Any, Protocol, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter

from regui.oci import pools, timed
from regui.oci.origin import Origin
from regui.oci.pools import TARGET, Raw, Short

SHORT = frozenset({"GET", "HEAD"})
ONCE = urllib3.Retry(False, redirect=False)  # asking again is the caller's affair


class Door(Protocol):
    """A way out: a reply with its body unread, to a request that is sent as it stands."""

    def knock(
        self,
        method: str,
        url: str,
        origin: Origin,
        headers: dict[str, str],
        body: bytes | None,
        timeout: tuple[float, float],
    ) -> Raw: ...

    def close(self) -> None: ...


class Adapter(HTTPAdapter):
    """requests' way to urllib3, with connections that keep to deadlines and a TLS context made once.

    It is used without requests' sessions: they read a redirect's body, however large, keep cookies, and take
    proxies, CA bundles and passwords from the environment.
    """

    def __init__(self, context: ssl.SSLContext | None, pool_size: int, *, link_local: bool) -> None:
        self.context, self.link_local = context, link_local
        super().__init__(pool_connections=4, pool_maxsize=pool_size)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = timed.opened(timed.POOLS, link_local=self.link_local)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        origin = Origin.of(str(request.url))
        host = {"scheme": origin.scheme, "host": origin.host, "port": origin.port}
        return host, {"ssl_context": self.context} if origin.scheme == "https" else {}

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Nothing: the context says it all."""

    def knock(
        self,
        method: str,
        url: str,
        origin: Origin,
        headers: dict[str, str],
        body: bytes | None,
        timeout: tuple[float, float],
    ) -> Raw:
        request = requests.Request(method, url, headers=headers, data=body).prepare()
        return self.send(request, stream=True, timeout=timeout).raw


class Pools:
    """urllib3's pools without anything around them."""

    def __init__(self, context: ssl.SSLContext | None, pool_size: int, *, link_local: bool) -> None:
        self._manager = urllib3.PoolManager(num_pools=4, maxsize=pool_size)
        self._manager.pool_classes_by_scheme = timed.opened(pools.POOLS, link_local=link_local)
        self._extra = {"ssl_context": context} if context else {}
        self._last: tuple[Origin, Short] | None = None

    def knock(
        self,
        method: str,
        url: str,
        origin: Origin,
        headers: dict[str, str],
        body: bytes | None,
        timeout: tuple[float, float],
    ) -> Raw:
        connect, read = timeout
        pool, target = self._pool(origin), url[url.index("/", url.index("//") + 2) :]
        if method in SHORT and body is None and TARGET.fullmatch(target):
            return pool.ask(method, target, str(origin), headers, timeout)
        return pool.urlopen(
            method,
            target,
            body,
            headers,
            retries=ONCE,
            redirect=False,
            assert_same_host=False,
            timeout=urllib3.Timeout(connect=connect, read=read),
            preload_content=False,
            decode_content=False,
        )

    def _pool(self, origin: Origin) -> Short:
        # The manager takes longer to find a pool than the pool to find a connection.
        last = self._last
        if last is None or last[0] is not origin:
            pool = self._manager.connection_from_host(
                origin.host, origin.port, origin.scheme, pool_kwargs=self._extra
            )
            self._last = last = origin, cast("Short", pool)
        return last[1]

    def close(self) -> None:
        self._manager.clear()
