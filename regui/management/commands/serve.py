"""`regui`, or `regui serve`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from regui import serve


class Command(BaseCommand):
    help = "Serve the site on REGUI_BIND. This is what `regui` alone does."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-worker",
            action="store_true",
            help="start no worker beside the site: `regui worker` runs elsewhere",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        serve.serve(serve.listen(), self.say, None if options["no_worker"] else {})

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()  # whoever started us may be waiting for this line in a pipe
