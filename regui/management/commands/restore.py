"""`regui restore main team/app@sha256:… [--tag T]`: put back what was deleted."""

from typing import Any

from django.core.management.base import CommandParser

from regui.actions import plans, undo
from regui.actions.plans import Plan
from regui.index import fetch
from regui.management.changing import Changing
from regui.management.references import reference, repository
from regui.management.speaking import Refusal


class Command(Changing):
    help = "Put a deleted manifest back, from the bytes in the journal, while the registry has its blobs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", metavar="REGISTRY")
        parser.add_argument(
            "reference", metavar="REFERENCE", type=reference, help="such as team/app@sha256:…"
        )
        parser.add_argument(
            "--tag",
            action="append",
            default=[],
            metavar="TAG",
            help="under this one, not those it had; repeatable",
        )

    def plan(self, options: dict[str, Any]) -> Plan:
        wanted = options["reference"]
        if not wanted.digest:
            raise Refusal("A digest is needed: what was deleted has no tag.", code="usage")
        row = repository(self.actor, options["registry"], wanted.repository, plans.RESTORE)
        names = options["tag"] or ([wanted.tag] if wanted.tag else [])
        return undo.restore(row, wanted.digest, names, budget=fetch.LONG_BUDGET)
