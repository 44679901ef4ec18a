"""`regui retag main team/app:1.0 1.1`: put a tag on what another tag, or a digest, leads to."""

from typing import Any

from django.core.management.base import CommandParser

from regui.actions import plans, retag
from regui.actions.kinds import NOW
from regui.actions.plans import Plan
from regui.index import fetch
from regui.management.changing import Changing
from regui.management.references import confirmed, reference, repository
from regui.management.speaking import Refusal


class Command(Changing):
    help = "Set a tag, or move it, to what another tag or a digest leads to."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", metavar="REGISTRY")
        parser.add_argument("reference", metavar="REFERENCE", type=reference, help="such as team/app:1.0")
        parser.add_argument("tag", metavar="TAG", help="the tag to set")

    def plan(self, options: dict[str, Any]) -> Plan:
        source = options["reference"]
        if not (source.tag or source.digest):
            raise Refusal("A tag or a digest is missing: it says what the new tag leads to.", code="usage")
        row = repository(self.actor, options["registry"], source.repository, plans.RETAG)
        confirmed(row, source)
        return retag.look(
            row, source.digest or source.tag, options["tag"], max_age=NOW, budget=fetch.LONG_BUDGET
        )
