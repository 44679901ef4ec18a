"""`regui demo`: a registry to play with, and regui on it."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from regui import demo, oci, prepare, registries, serve
from regui.demo import company
from regui.demo.fill import fill
from regui.demo.server import running
from regui.env import env
from regui.registries import RegistrySettings


class Command(BaseCommand):
    help = "Start a registry on this machine, fill it once with sample images, and serve regui on it."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        listener = serve.listen()
        try:
            with running(settings.DATA, self.say) as url:
                self.fill(url)
                name = registries.default_name(env)
                settings.REGISTRIES[name] = RegistrySettings(name=name, url=url)
                prepare.database()
                self.say(f"the demo registry is {url}; Ctrl C ends both")
                known = {"REGUI_REGISTRY_URL": url, "REGUI_REGISTRY_NAME": name}
                serve.serve(listener, self.say, known)
        except (demo.CannotStart, oci.Error) as error:
            raise CommandError(str(error)) from error

    def fill(self, url: str) -> None:
        """Push the sample images, unless an earlier run did and the registry still has something."""
        mark = Path(settings.DATA) / "demo" / "filled"
        with oci.Client(url) as client:
            if mark.exists() and next(client.catalog(), None):
                return
            contents = list(company.contents())
            columns = (TextColumn("filling it with sample images"), BarColumn(), MofNCompleteColumn())
            with Progress(*columns, console=Console(file=sys.stdout)) as progress:
                bar = progress.add_task("", total=sum(repository.steps for repository in contents))
                fill(client, contents, lambda: progress.advance(bar))
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()  # whoever started us may be waiting for it in a pipe
