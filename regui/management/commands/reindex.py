"""`regui reindex NAME`: read a registry anew, as if for the first time."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from regui.accounts import access
from regui.index import reindex
from regui.management.speaking import Sitting


class Command(Sitting):
    help = "Have everything of a registry read anew. Loses nothing that a crawl can't bring back."
    scoped = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the registry")

    def handle(self, *args: Any, **options: Any) -> None:
        registry = access.registries(self.actor).filter(name=options["name"]).first()
        if registry is None:
            raise CommandError(f"there is no registry named {options['name']}")
        access.administer(self.actor, access.opened(self.actor, registry))
        forgotten = reindex.forget(registry, timezone.now())
        self.stdout.write(
            f"{registry.name}: {forgotten} manifests will be read anew; run regui sync, or wait"
        )
