"""`regui reindex NAME`: read a registry anew, as if for the first time."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from regui.index import reindex
from regui.index.models import Registry


class Command(BaseCommand):
    help = "Have everything of a registry read anew. Loses nothing that a crawl can't bring back."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the registry")

    def handle(self, *args: Any, **options: Any) -> None:
        registry = Registry.objects.filter(name=options["name"], active=True).first()
        if registry is None:
            raise CommandError(f"there is no registry named {options['name']}")
        forgotten = reindex.forget(registry, timezone.now())
        self.stdout.write(
            f"{registry.name}: {forgotten} manifests will be read anew; run regui sync, or wait"
        )
