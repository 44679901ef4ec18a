"""`regui apply plan.json`: carry out a plan from a file, if the registry still is as it says."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from regui import oci
from regui.actions import documents, kinds, run
from regui.actions.models import Action
from regui.actions.plans import Plan
from regui.index import fetch
from regui.index.models import Registry
from regui.management.changing import Changing, stale, unchecked
from regui.management.references import repository
from regui.management.speaking import Refusal

HOW = "A page that asks offers its plan as JSON; so does every command with --dry-run --json."


class Command(Changing):
    help = "Carry out a plan from a file, exactly as it is or not at all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the plan as JSON; - for standard input")

    def plan(self, options: dict[str, Any]) -> Plan:
        try:
            agreed = documents.read(read(options["file"]))
        except documents.Unusable as error:
            raise Refusal(str(error), code="unusable", hint=HOW) from error
        row = repository(self.actor, agreed.registry, agreed.repository, agreed.kind)
        run.see_source(self.actor, agreed.asked)
        try:
            fresh = kinds.again(row, agreed, budget=fetch.LONG_BUDGET)
        except oci.NotFound as error:
            raise stale([str(error)]) from error
        except Action.DoesNotExist as error:
            raise Refusal("The journal knows no such action.", code="not-found") from error
        except Registry.DoesNotExist as error:
            raise Refusal("The registry it copies from is not in the settings.", code="not-found") from error
        if not fresh.check.complete:
            raise unchecked(fresh.check)
        if fresh.fingerprint != agreed.fingerprint:
            raise stale(run.changed(row, agreed, fresh))
        return fresh


def read(name: str) -> bytes:
    """What is in the file. Raises `Refusal`."""
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise Refusal(f"{name} can't be read: {error.strerror}.", code="usage") from error
