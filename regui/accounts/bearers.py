"""The registry credentials that somebody entered in a session: they lie in it sealed, and leave with it."""

import json
import secrets as random
from collections.abc import Mapping
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from regui import oci, sealed, secrets
from regui.index import bearing, connect
from regui.index.bearing import Bearer
from regui.index.models import Registry

KEY = "registry-credentials"


def of(session: SessionBase) -> tuple[Bearer, ...]:
    """Those of this session that can still be opened."""
    kept: Mapping[str, Any] = session.get(KEY, {})
    found = []
    for registry, (id_, value) in kept.items():
        try:
            username, password, url = json.loads(secrets.unseal(value, sealed.OWN_CREDENTIALS))
        except secrets.Unopened:
            continue
        found.append(Bearer(registry, id_, oci.Credentials(username, password), url))
    return tuple(found)


def enter(session: SessionBase, registry: Registry, credentials: oci.Credentials) -> None:
    """Keep the credentials once the registry has taken them. Raises `oci.Unauthorized` when it doesn't, and
    any other `oci.Error`."""
    bearing.check(registry, credentials)
    leave(session, registry.name)
    # With the address that they were entered for: moved, the registry may be somebody else's.
    entered = json.dumps([credentials.username, credentials.password, registry.url])
    value = secrets.seal(entered, sealed.OWN_CREDENTIALS)
    # By chance, so that whoever reads the database learns nothing of the credentials.
    session[KEY] = {**session.get(KEY, {}), registry.name: [random.token_hex(32), value]}


def leave(session: SessionBase, registry: str) -> None:
    """Forget those of one registry, and what they could list."""
    for bearer in of(session):
        if bearer.registry == registry:
            bearing.forget(bearer)
            connect.part(registry, bearer.credentials)
    if registry in session.get(KEY, {}):
        session[KEY] = {name: kept for name, kept in session[KEY].items() if name != registry}
