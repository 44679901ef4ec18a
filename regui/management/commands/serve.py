"""`regui`, or `regui serve`."""

from typing import Any

from django.core.management.base import BaseCommand

from regui import serve


class Command(BaseCommand):
    help = "Serve the site on REGUI_BIND. This is what `regui` alone does."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        serve.serve(serve.listen(), self.announce)

    def announce(self, address: str) -> None:
        self.stdout.write(f"listening on {address}")
        self.stdout.flush()  # whoever started us may be waiting for this line in a pipe
