"""`regui protect REGISTRY [REPOSITORIES TAGS]`: say which tags nobody may delete, move or overwrite."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from regui.accounts import access
from regui.actions import protection
from regui.actions.protection import Rule
from regui.index.models import Registry
from regui.management import references
from regui.management.speaking import Command as Speaking
from regui.management.speaking import Refusal


class Command(Speaking):
    help = "Protect tags, with what they need, from being deleted, moved or overwritten through regui."
    scoped = True

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        # Else an option between the registry and the patterns would end the latter.
        parser.parse_args = parser.parse_intermixed_args
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", metavar="REGISTRY")
        parser.add_argument(
            "repositories", nargs="?", help="a pattern of repositories: team/app, team/**, **"
        )
        parser.add_argument("tags", nargs="?", help="a pattern of tags: latest, v*, prod-?")
        parser.add_argument("--note", default="", help="why, for people who meet it")
        parser.add_argument("--remove", action="store_true", help="protect them no longer")
        parser.add_argument(
            "--list", action="store_true", help="list the registry's rules, the settings' too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        registry = references.registry(self.actor, options["registry"])
        access.administer(self.actor, registry)
        repositories, tags = options["repositories"], options["tags"]
        if options["list"] == bool(tags) or (options["list"] and (repositories or options["remove"])):
            raise usage("Say which repositories and tags, or --list and neither.")
        if options["list"]:
            self.rules(registry)
            return
        rule, actor = Rule(repositories, tags), self.actor.name
        if options["remove"]:
            done = protection.remove(registry, rule, actor)
            said = "is no longer protected" if done else "was not protected"
        else:
            done = added(registry, rule, actor, options["note"])
            said = "is protected" if done else "was protected already"
        self.answer(as_json(rule) | {"changed": done})
        self.say(f"{registry.name}/{repositories}:{tags} {said}")

    def rules(self, registry: Registry) -> None:
        """Say the rules, one a line."""
        found = listed(registry)
        self.answer({"rules": found})
        for one in found:
            why = f"  # {one['note']}" if one["note"] else ""
            self.say(f"{one['repositories']}:{one['tags']}  by {one['by']}{why}")


def added(registry: Registry, rule: Rule, actor: str, note: str) -> bool:
    """Whether the rule is new; Refusal when it means nothing."""
    try:
        return protection.add(registry, rule, actor, note[:200], timezone.now())
    except ValueError as error:
        raise usage(f"{rule.repositories}:{rule.tags} {error}") from error


def listed(registry: Registry) -> list[dict[str, Any]]:
    """The registry's rules, then the settings', as JSON has them."""
    made = [
        as_json(Rule(one.repositories, one.tags))
        | {"by": one.created_by, "at": one.created_at.isoformat(), "note": one.note}
        for one in protection.rows(registry)
    ]
    said = {"by": protection.SETTING, "at": None, "note": ""}
    return made + [as_json(rule) | said for rule in protection.given()]


def as_json(rule: Rule) -> dict[str, Any]:
    return {"repositories": rule.repositories, "tags": rule.tags}


def usage(why: str) -> Refusal:
    """The end of a call that can't be meant."""
    return Refusal(why, code="usage", hint="regui protect --help says how it is used.")
