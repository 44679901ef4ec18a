"""`regui copy main team/app:1.0 other prod/app:1.0`: copy a manifest to another repository."""

from typing import Any

from django.core.management.base import CommandParser

from regui import oci
from regui.accounts.access import Right
from regui.actions import copying
from regui.actions.kinds import NOW
from regui.actions.plans import Plan
from regui.index import fetch
from regui.management.changing import Changing
from regui.management.references import confirmed, known, reference
from regui.management.speaking import Refusal


class Command(Changing):
    help = "Copy a tag, or a digest, to another repository, with all it contains and what speaks about it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", metavar="REGISTRY")
        parser.add_argument("reference", metavar="REFERENCE", type=reference, help="such as team/app:1.0")
        parser.add_argument("to_registry", metavar="REGISTRY", help="where it goes")
        parser.add_argument(
            "to",
            metavar="REPOSITORY[:TAG]",
            type=reference,
            help="its name there; without a tag, the same",
        )
        parser.add_argument(
            "--platform",
            action="append",
            default=[],
            metavar="OS/ARCH",
            help="of an index only this, and others that are named so",
        )
        parser.add_argument(
            "--no-referrers", action="store_true", help="leave signatures, SBOMs and attestations behind"
        )

    def plan(self, options: dict[str, Any]) -> Plan:
        source: oci.Reference = options["reference"]
        to: oci.Reference = options["to"]
        tag = to.tag or source.tag
        if not (source.tag or source.digest) or not tag or to.digest:
            raise Refusal("Say which tag: team/app:1.0.", code="usage")
        row = known(self.actor, options["registry"], source.repository, Right.SEE)
        target = known(self.actor, options["to_registry"], to.repository, Right.PUSH)
        confirmed(row, source)
        return copying.look(
            row,
            source.digest or source.tag,
            target,
            tag,
            platforms=options["platform"],
            referrers=not options["no_referrers"],
            max_age=NOW,
            budget=fetch.LONG_BUDGET,
        )

    def lacks(self, plan: Plan) -> bool:
        """Whether it can't be copied; else what it says beside is about what stays behind."""
        return bool(plan.lost) and not plan.steps
