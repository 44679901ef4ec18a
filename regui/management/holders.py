"""To whom something was granted, as a command line names them."""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from regui.accounts import access
from regui.accounts.access import Holder
from regui.accounts.grants import Wrong
from regui.management.speaking import Refusal
from regui.web import granting

KINDS = {Holder.USER: granting.PERSON, Holder.GROUP: granting.GROUP, Holder.EVERYONE: granting.EVERYONE}


def add_arguments(parser: ArgumentParser) -> None:
    """Let a command take one holder."""
    parser.add_argument("--person", metavar="NAME", help="the person of that name")
    parser.add_argument("--group", metavar="NAME", help="the group of that name")
    parser.add_argument("--everyone", action="store_true", help="whoever has signed in")


def named(options: Mapping[str, Any]) -> tuple[str, str] | None:
    """The kind of holder that the options name, and its name; None for none. Raises Refusal for several."""
    found = [(kind, options[kind]) for kind in (granting.PERSON, granting.GROUP) if options.get(kind)]
    found += [(kind, "") for kind in (granting.EVERYONE, granting.VISITOR) if options.get(kind)]
    if len(found) > 1:
        raise Refusal("Name one person, one group, or everyone.", code="usage")
    return found[0] if found else None


def refused(error: Wrong) -> Refusal:
    """The refusal of what can't be meant."""
    code = "not-found" if error.field in {"who", "registry"} else "usage"
    return Refusal(f"The {WORDS.get(error.field, error.field)} {error}.", code=code)


WORDS = {"who": "name", "pattern": "pattern of repositories"}


def as_json(grant: access.Grant) -> dict[str, Any]:
    """A grant for programs."""
    return {
        "for": {"kind": KINDS[grant.kind], "name": grant.holder},
        "role": grant.role.value,
        "registry": grant.registry,
        "repositories": grant.pattern,
    }
