"""`regui worker`: read registries in the background and apply their notifications."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from regui.jobs import worker


class Command(BaseCommand):
    help = "Read registries in the background. `regui` alone starts one; run others for `serve --no-worker`."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--attended", action="store_true", help="end when the process that started it has"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        worker.run(attended=options["attended"])
