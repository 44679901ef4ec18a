"""What every template knows."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest

import regui
from regui.accounts import access
from regui.index.models import Registry
from regui.web import cleaning

THEMES = ("system", "light", "dark")
# The part of the site an address belongs to, for marking it in the navigation.
SECTIONS = {
    "registry": "repositories",
    "repository": "repositories",
    "history": "repositories",
    "tag": "repositories",
    "manifest": "repositories",
    "manifest-delete": "repositories",
    "manifest-tag": "repositories",
    "manifest-restore": "trash",
    "tag-delete": "repositories",
    "bulk": "repositories",
    "repository-delete": "repositories",
    "untagged-delete": "repositories",
    "trash": "trash",
    "activity": "activity",
    "action": "activity",
    "action-undo": "activity",
    "search": "search",
    "jobs": "jobs",
    "settings": "settings",
    "events-secret": "settings",
    "registry-sign-in": "repositories",
    "registry-add": "settings",
    "registry-test": "settings",
    "connection": "settings",
    "connection-test": "settings",
    "names": "settings",
    "names-add": "settings",
    "names-remove": "settings",
    "protection": "settings",
    "protection-add": "settings",
    "protection-remove": "settings",
    "access": "settings",
    "access-add": "settings",
    "access-remove": "settings",
    "people": "settings",
    "people-add": "settings",
    "person": "settings",
    "person-link": "settings",
    "person-disable": "settings",
    "person-enable": "settings",
    "person-join": "settings",
    "person-leave": "settings",
    "groups": "settings",
    "groups-add": "settings",
    "group": "settings",
    "group-put": "settings",
    "group-take": "settings",
    "group-remove": "settings",
    "access-journal": "settings",
    "storage": "storage",
    "capabilities": "settings",
    "garbage": "storage",
    "cleanup": "cleanup",
    "what-if": "cleanup",
    "policies": "cleanup",
    "policy-add": "cleanup",
    "policy": "cleanup",
    "policy-edit": "cleanup",
    "policy-preview": "cleanup",
    "policy-freed": "cleanup",
    "policy-tags": "cleanup",
    "policy-run": "cleanup",
    "policy-try": "cleanup",
    "policy-pause": "cleanup",
    "policy-resume": "cleanup",
    "policy-remove": "cleanup",
    "runs": "cleanup",
    "run": "cleanup",
    "run-approve": "cleanup",
    "run-decline": "cleanup",
    "run-part": "cleanup",
    "run-undo": "cleanup",
    "in-use": "cleanup",
    "account": "account",
    "account_change_password": "account",
    "mfa_activate_totp": "account",
    "mfa_add_webauthn": "account",
    "mfa_deactivate_totp": "account",
    "mfa_edit_webauthn": "account",
    "mfa_generate_recovery_codes": "account",
    "mfa_remove_webauthn": "account",
    "mfa_view_recovery_codes": "account",
    "robots": "settings",
    "robots-make": "settings",
    "robots-revoke": "settings",
}


def page(request: HttpRequest) -> dict[str, Any]:
    """The theme, who asks, the registries they may see, the one this address is about, whether they see all
    that is in it and may look at how it is cleaned up, its section, and what the button to a provider says.

    Where the address names no registry and there is only one, it is that one; otherwise, or when the name
    isn't there or may not be seen, None. A request refused before our middleware (a foreign Host) has no
    actor yet: such a page names nothing.
    """
    actor: access.Actor | None = getattr(request, "actor", None)
    registries = list(access.registries(actor)) if actor else []
    match = request.resolver_match
    name = match.kwargs.get("registry") if match else None
    only = registries[0] if name is None and len(registries) == 1 else None
    registry = next((row for row in registries if row.name == name), only)
    return {
        "theme": theme(request),
        "actor": actor,
        "registries": registries,
        "registry": registry,
        "sees_all": actor is not None and registry is not None and access.sees_all(actor, registry),
        "section": SECTIONS.get(match.url_name or "", "") if match else "",
        "may_clean": actor is not None and registry is not None and cleaning.may_look(actor, registry),
        "may_administer": actor is not None and administers(actor, [registry] if registry else registries),
        "passwords": settings.LOCAL_SIGN_IN or settings.LDAP is not None,
        "sign_in_with": settings.OIDC.name if settings.OIDC else "",
        "may_govern": actor is not None and actor.governs(access.Right.ADMIN),
        "may_audit": actor is not None and actor.governs(access.Right.AUDIT),
        "version": regui.__version__,
    }


def administers(actor: access.Actor, registries: Iterable[Registry]) -> bool:
    """Whether they administer one of these registries, or any there may be."""
    return actor.administers(access.ANY) or any(actor.administers(registry.name) for registry in registries)


def theme(request: HttpRequest) -> str:
    """The theme the visitor chose; "system" when they didn't, or their cookie says something else."""
    chosen = request.COOKIES.get("theme", "")
    return chosen if chosen in THEMES else "system"
