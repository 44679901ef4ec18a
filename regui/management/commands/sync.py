"""`regui sync [NAME …]`: fill the index now."""

import math
import sys
import time
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from regui import oci
from regui.accounts import access
from regui.accounts.access import Actor, Right
from regui.index import fetch, listing, names, sync
from regui.index.models import Registry, Repository, Sync, Tag
from regui.management.speaking import Sitting

COLUMNS = (
    SpinnerColumn(),
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TextColumn("{task.fields[told]}"),
)


# The most of a kind that are named.
NAMED = 20


class Command(Sitting):
    help = "Read everything in the registries and remember it. Fails when a repository couldn't be read."
    scoped = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="a registry; without any, all of them")
        parser.add_argument(
            "--confirm",
            metavar="NAME",
            help="believe a suspicious list: a registry's, or registry/repository's",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["confirm"] and options["names"]:
            raise CommandError("--confirm takes the one name that is meant, and nothing else is read")
        if options["confirm"]:
            self.confirm(options["confirm"])
            return
        failed = [registry.name for registry in self.chosen(options["names"]) if not self.sync(registry)]
        if failed:
            raise CommandError(f"not everything could be read from {', '.join(failed)}")

    def confirm(self, name: str) -> None:
        """Let leave what the list of that name now lacks; CommandError when it can't be read."""
        of, _, path = name.partition("/")
        registry = access.opened(self.actor, visible(self.actor, [of])[0])
        row: Registry | Repository | None = registry
        if path:
            access.require(self.actor, registry, path, Right.DELETE)
            row = Repository.objects.filter(registry=registry, name=path).first()
        else:
            access.govern(self.actor, registry, Right.DELETE)
        if row is None:
            raise CommandError(f"there is no repository {path} in {of}")
        try:
            fetch.confirm(row)
        except oci.Error as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{name}: what its list lacks has left")

    def chosen(self, named: list[str]) -> list[Registry]:
        """The registries of those names, or all; as on the page, who may delete everywhere in them may have
        them read. Raises CommandError and `Forbidden`."""
        rows = visible(self.actor, named)
        for row in rows:
            access.govern(self.actor, access.opened(self.actor, row), Right.DELETE)
        return rows

    def sync(self, registry: Registry) -> bool:
        """Whether everything in that registry could be read; says what was, and what couldn't be."""
        began = time.monotonic()
        console = Console(file=sys.stdout)
        with Progress(*COLUMNS, console=console, transient=True, disable=not console.is_terminal) as progress:
            bar = progress.add_task(registry.name, total=None, told="")

            def show(state: sync.State) -> None:
                progress.update(bar, completed=state.done, total=state.total or None, told=told(state))

            result = sync.run(registry, show)
        self.stdout.write(summary(registry, result, time.monotonic() - began))
        for failure in result.failures:
            self.stderr.write(f"{registry.name}/{failure['repository']}: {failure['problem']}")
        if result.problem:
            self.stderr.write(f"{registry.name}: {result.problem}")
        self.odd(registry)
        return self.named(registry) and not (result.failures or result.problem)

    def odd(self, registry: Registry) -> None:
        """Say what was read and isn't right: lists that aren't believed, tags that lead nowhere."""
        rows = Repository.objects.filter(registry=registry).listed()
        for row in rows.exclude(doubt="").order_by("name")[:NAMED]:
            self.stderr.write(f"{registry.name}/{row.name}: {row.doubt}")
        astray = Tag.objects.listed().filter(repository__in=rows, problem=listing.DANGLING)
        for tag in astray.select_related("repository").order_by("repository__name", "name")[:NAMED]:
            self.stderr.write(f"{registry.name}/{tag.repository.name}:{tag.name}: {tag.problem}")

    def named(self, registry: Registry) -> bool:
        """Whether the registry knows all that was named by hand; says what it doesn't, and how names come
        where there is no catalog."""
        registry.refresh_from_db()
        rows = Repository.objects.filter(registry=registry).listed()
        if registry.unlisted:
            self.stdout.write(f"{registry.name}: no catalog; {names.sources(rows)}")
        unknown = rows.filter(name__in=names.by_hand(registry), problem=names.NO_SUCH).order_by("name")
        for row in unknown:
            self.stderr.write(f"{registry.name}/{row.name}: {row.problem}")
        return not unknown


def visible(actor: Actor, named: list[str]) -> list[Registry]:
    """The registries of those names, or all that the actor may see; CommandError when there is none to
    read."""
    there = {registry.name: registry for registry in access.registries(actor)}
    if not there:
        raise CommandError("there is no registry to read: set REGUI_REGISTRY_URL, or add one under Settings")
    for name in named:
        if name not in there:
            raise CommandError(f"there is no registry named {name}, only {', '.join(there)}")
    return [there[name] for name in named] if named else list(there.values())


def told(state: sync.State) -> str:
    """How far it is beyond the repositories: what matters most comes first, for a terminal cuts the rest."""
    parts = [f"{state.rate:,.0f} requests/s"]
    if state.left:
        parts.append(f"{timedelta(seconds=math.ceil(state.left))} left")
    if state.failures:
        parts.append(f"{state.failures:,} failed")
    parts += [f"{state.tags:,} tags", f"{state.requests:,} requests", state.name]
    return ", ".join(filter(None, parts))


def summary(registry: Registry, result: Sync, seconds: float) -> str:
    """One line: what was read, at what cost."""
    return (
        f"{registry.name}: {result.repositories} repositories, {result.tags} tags, "
        f"{result.manifests} new manifests; {result.requests} requests in {seconds:.1f} s"
    )
