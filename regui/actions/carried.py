"""The registry credentials of whoever asked for an action, which it carries sealed until it ends."""

import json

from regui import oci, sealed, secrets
from regui.accounts.access import Actor
from regui.actions.models import Action
from regui.actions.plans import Plan
from regui.index import book, connect
from regui.index.connect import Link
from regui.index.models import Registry


def packed(actor: Actor, plan: Plan) -> str:
    """Those of the registries that the plan is about, sealed; empty when there are none."""
    about = {plan.registry, str(plan.asked.get("source", "")).partition("/")[0]}
    found = {
        one.registry: [one.credentials.username, one.credentials.password, one.url]
        for one in actor.bearers
        if one.registry in about
    }
    return secrets.seal(json.dumps(found), sealed.CARRIED) if found else ""


def link(action: Action, registry: Registry) -> Link:
    """The link by which the action reaches that registry: with what it carries, else with regui's own
    account. Raises like `connect.link`, and `book.Locked` when what it carries can't be opened."""
    try:
        kept = json.loads(secrets.unseal(action.credentials, sealed.CARRIED) or "{}")
    except secrets.Unopened as error:
        raise book.Locked(str(error)) from error
    if not registry.own or registry.name not in kept:
        return connect.link(registry)
    username, password, url = kept[registry.name]
    if url != registry.url:
        raise oci.Unreachable(f"The credentials were entered for {url}, where {registry.name} no longer is.")
    return connect.as_person(registry, oci.Credentials(username, password))
