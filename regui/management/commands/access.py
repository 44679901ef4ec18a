"""`regui access PERSON REGISTRY/REPOSITORY`: what somebody can do there, and why; or who can."""

from typing import Any

from django.core.management.base import CommandParser

from regui.accounts import access, explaining
from regui.accounts.grants import Wrong
from regui.management import holders
from regui.management.speaking import Command as Speaking
from regui.management.speaking import Refusal
from regui.web import answers, granting


class Command(Speaking):
    help = "Say what somebody can do with a repository, be it there or not, and why; or who can do something."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.parse_args = parser.parse_intermixed_args
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("who", nargs="?", metavar="PERSON")
        parser.add_argument("place", metavar="REGISTRY/REPOSITORY", help="such as main/team/app")
        parser.add_argument("--group", metavar="NAME", help="somebody in that group")
        parser.add_argument("--everyone", action="store_true", help="somebody who has signed in")
        parser.add_argument("--visitor", action="store_true", help="somebody who hasn't")
        parser.add_argument("--who-can", choices=list(answers.RIGHTS), help="everybody who can do that there")

    def handle(self, *args: Any, **options: Any) -> None:
        registry, _, name = options["place"].partition("/")
        whom = holders.named(options | {granting.PERSON: options["who"]})
        if (whom is None) == (options["who_can"] is None):
            hint = "regui access --help says how it is used."
            why = "Say of whom: a person, --group, --everyone or --visitor; or --who-can."
            raise Refusal(why, code="usage", hint=hint)
        try:
            asked = answers.Question(*(whom or ("", "")), registry, name, options["who_can"] or "")
            asked.check()
        except Wrong as error:
            raise holders.refused(error) from error
        if whom is None:
            self.able(asked)
            return
        self.explain(asked)

    def explain(self, asked: answers.Question) -> None:
        """Say what they can do, and why."""
        actor = answers.asking(asked.kind, asked.who)
        found = explaining.explain(actor, asked.registry, asked.repository)
        self.answer(
            {
                "who": actor.name,
                "registry": asked.registry,
                "repository": asked.repository,
                "rights": {one.word: {"allowed": one.allowed, "why": one.why} for one in found.verdicts},
                "counts": holders.as_json(found.winner) if found.winner else None,
                "outweighed": [holders.as_json(one.grant) | {"why": one.why} for one in found.outweighed],
                "notes": list(found.notes),
            }
        )
        self.say(found.headline, "bold")
        for one in found.verdicts:
            self.say(f"  {'yes' if one.allowed else 'no':<3}  {one.word:<10}  {one.why}")
        self.say(found.reason)
        if found.winner:
            self.say(f"  counts      {told(found.winner)}")
        for other in found.outweighed:
            self.say(f"  outweighed  {told(other.grant)}: {other.why}")
        for note in found.notes:
            self.say(note)

    def able(self, asked: answers.Question) -> None:
        """Say who can, by what makes them able."""
        found = asked.able or []
        self.answer(
            {
                "right": asked.word,
                "registry": asked.registry,
                "repository": asked.repository,
                "everybody": asked.visitors,
                "people": [
                    {"names": list(one.names), "by": holders.as_json(one.grant) if one.grant else None}
                    for one in found
                ],
            }
        )
        if asked.visitors:
            self.say(f"Anyone can {asked.word} there, signed in or not.")
        elif not found:
            self.say(f"Nobody can {asked.word} on {asked.registry}/{asked.repository}.")
        for one in found:
            self.say(f"{', '.join(one.names)}: {one.because}")


def told(grant: access.Grant) -> str:
    """A grant in one line."""
    return f"{explaining.said(grant)} for {explaining.holder(grant)}"
