"""`regui delete main team/app:1.0`: take tags away; or delete digests, what is untagged, all of it."""

from typing import Any

from django.core.management.base import CommandParser

from regui import oci
from regui.actions import delete, many, overriding, plans, untag
from regui.actions.kinds import NOW
from regui.actions.plans import Plan
from regui.index.fetch import LONG_BUDGET as LONG
from regui.index.models import Repository
from regui.management.changing import Changing
from regui.management.references import confirmed, digest, matching, reference, repository
from regui.management.speaking import Refusal

ALL = "Name a tag, or say --matching, --untagged or --repository."
# What is done with a repository whose tags aren't named.
WHOLE = {
    "repository": plans.DELETE_REPOSITORY,
    "untagged": plans.DELETE_UNTAGGED,
    "matching": plans.DELETE_TAGS,
}


class Command(Changing):
    deletes = True
    help = (
        "Take a tag away and leave its siblings; or delete a digest with all its tags. Of several tags, "
        "manifests that lose their last go too."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", metavar="REGISTRY")
        parser.add_argument(
            "references",
            metavar="REFERENCE",
            nargs="+",
            type=reference,
            help="team/app:1.0, several of one repository, team/app@sha256:…; team/app for all below",
        )
        parser.add_argument("--along", action="store_true", help="with a digest, also what only it leads to")
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--digest", action="store_true", help="the digest that the tag is on, with all its tags"
        )
        what.add_argument(
            "--matching", metavar="QUERY", help="the tags that this finds, as in a list's filter"
        )
        what.add_argument(
            "--untagged", action="store_true", help="what no tag leads to, as far as regui knows"
        )
        what.add_argument("--repository", action="store_true", help="all that is in it; needs --confirm")
        parser.add_argument("--confirm", metavar="NAME", help="the repository's name once more")

    def plan(self, options: dict[str, Any]) -> Plan:
        wanted: list[oci.Reference] = options["references"]
        how = next((key for key in WHOLE if options[key] not in (None, False)), "")
        check(wanted, how, options)
        kind = WHOLE.get(how, plans.DELETE_DIGEST)
        row = repository(self.actor, options["registry"], wanted[0].repository, kind)
        overriding.require(self.actor, row.registry, options)
        over = options["override"]
        if how == "matching":
            names = matching(row, options["matching"])
            return many.tags(row, names, max_age=NOW, budget=LONG, override=over)
        if how:
            look = many.everything if how == "repository" else many.untagged
            return look(row, max_age=NOW, budget=LONG, override=over)
        if len(wanted) > 1:
            names = sorted({one.tag for one in wanted})
            return many.tags(row, names, max_age=NOW, budget=LONG, override=over)
        return self.one(row, wanted[0], options)

    def one(self, row: Repository, wanted: oci.Reference, options: dict[str, Any]) -> Plan:
        """The plan for a single tag or digest."""
        if wanted.tag and not options["digest"]:
            confirmed(row, wanted)
            return untag.look(row, wanted.tag, max_age=NOW, budget=LONG, override=options["override"])
        return delete.look(
            row,
            digest(row, wanted),
            max_age=NOW,
            budget=LONG,
            along=options["along"],
            override=options["override"],
        )


def check(wanted: list[oci.Reference], how: str, options: dict[str, Any]) -> None:
    """Nothing, when it is clear what is meant. Raises `Refusal`."""
    named = [one for one in wanted if one.tag or one.digest]
    several = len(wanted) > 1
    if how and (several or named):
        raise usage(f"--{how} takes one repository, without a tag or digest.")
    if not how and len(named) < len(wanted):
        raise usage("A tag or a digest is missing: this names a whole repository.", ALL)
    if several and (options["digest"] or any(one.digest for one in wanted)):
        raise usage("Digests are deleted one at a time.")
    if len({one.repository for one in wanted}) > 1:
        raise usage("All tags must be of one repository.")
    if options["along"] and not (options["digest"] or (wanted[0].digest and not wanted[0].tag)):
        raise usage("--along goes with a digest: nothing is left alone where a manifest stays.")
    if how == "repository" and options["confirm"] != wanted[0].repository:
        raise usage("To delete all of it, --confirm must say its name.")
    if how != "repository" and options["confirm"] is not None:
        raise usage("--confirm goes with --repository.")


def usage(message: str, hint: str = "") -> Refusal:
    return Refusal(message, code="usage", hint=hint or "regui delete --help says how it is used.")
