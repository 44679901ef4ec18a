"""A real registry with an index beside it, and actions on both."""

from dataclasses import dataclass

from django.utils import timezone

from regui import oci
from regui.accounts.access import Actor, Role
from regui.actions import run
from regui.actions.models import Action
from regui.actions.plans import Plan
from regui.index.models import Registry, Repository
from tests.registry import RunningRegistry

ALICE = Actor("alice", Role.ADMIN, "192.0.2.1")


@dataclass(frozen=True)
class Stand:
    """A repository of the registry that nobody else uses."""

    registry: RunningRegistry
    client: oci.Client
    name: str

    @property
    def repository(self) -> Repository:
        """Its row, or one that isn't saved yet."""
        row = Registry.objects.get(name="main")
        found = row.repositories.filter(name=self.name).select_related("registry").first()
        return found or Repository(registry=row, name=self.name, first_seen_at=timezone.now())

    def tags(self) -> dict[str, str]:
        """What the registry says that its tags are on; empty for one that leads nowhere."""
        return {tag: self.on(tag) for tag in self.client.tags(self.name)}

    def on(self, reference: str) -> str:
        try:
            return self.client.head_manifest(self.name, reference).digest
        except oci.NotFound:
            return ""

    def indexed(self) -> dict[str, str]:
        """The same, as the index has it."""
        rows = self.repository.tags.listed() if self.repository.pk else ()
        return {tag.name: tag.manifest.digest if tag.manifest else "" for tag in rows}

    def run(self, plan: Plan) -> Action:
        """The action, carried out by Alice."""
        return run.run(plan, ALICE)
