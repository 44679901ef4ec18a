"""Going over what is in use: an administrator of the registry says why something that is running somewhere
has to go all the same. The reason is part of what was asked, and so of the fingerprint and of the journal."""

from typing import Any

from regui import oci
from regui.accounts import access
from regui.accounts.access import Actor
from regui.actions import plans
from regui.actions.plans import Facts
from regui.index.models import Registry

# Characters of a reason.
SHORTEST, LONGEST = 10, 500
# What takes something away. All else leaves what runs where it is.
KINDS = frozenset(
    {plans.UNTAG, plans.DELETE_DIGEST, plans.DELETE_TAGS, plans.DELETE_REPOSITORY, plans.DELETE_UNTAGGED}
)
HINT = "Say in a sentence why what is running has to go."


def asked(kind: str, reason: str) -> dict[str, Any]:
    """What the reason adds to what is asked of a change; nothing when there is none. Raises
    `oci.InvalidName` for one that says too little, or for a change that needs none."""
    reason = " ".join(reason.split())
    if not reason:
        return {}
    if kind not in KINDS:
        raise oci.InvalidName("Only what deletes goes over what is in use.", hint="Leave the override out.")
    if not SHORTEST <= len(reason) <= LONGEST:
        raise oci.InvalidName(
            f"The reason to go over what is in use takes {SHORTEST} to {LONGEST} characters.", hint=HINT
        )
    return {"override": reason}


def of(facts: Facts) -> str:
    """The reason among what was asked; empty when there is none."""
    return str(facts.get("override") or "")


def require(actor: Actor, registry: Registry, facts: Facts) -> None:
    """Nothing, when what is asked goes over nothing, or by somebody who administers the registry; else
    `access.Forbidden`."""
    if of(facts):
        access.administer(actor, registry)
