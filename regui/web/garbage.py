"""A registry's garbage collection as its page explains it: regui can't run it, for no API does."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from regui import oci
from regui.accounts import access, matching
from regui.actions import garbage
from regui.actions.models import Collection, Garbage, Remains
from regui.index.models import Registry, Storage
from regui.web import recipes
from regui.web.recipes import Recipe

# What stands in commands for the name of the registry's container.
CONTAINER = "registry"
RESTART = f"docker restart {CONTAINER}", "sudo systemctl restart docker-registry"
COLLECTIONS = 10
# How others have their garbage collected.
OTHERS = {
    oci.families.ZOT: "zot collects by itself, as its configuration says under storage: gc, gcDelay and "
    "gcInterval.",
    oci.families.HARBOR: "Harbor collects from its own pages: Administration, Clean Up, Garbage Collection.",
    oci.families.GITLAB: "GitLab collects by itself where its registry has a database; else whoever runs it "
    "does: sudo gitlab-ctl registry-garbage-collect.",
    oci.families.QUAY: "Quay collects by itself, once its time machine has let go of a tag.",
    oci.families.ACR: "Azure collects by itself. What is untagged stays until it is deleted.",
    oci.families.ECR: "Amazon ECR collects by itself.",
    oci.families.GHCR: "GitHub collects by itself.",
    oci.families.HUB: "Docker Hub collects by itself.",
}


@dataclass(frozen=True)
class Step:
    """One thing to do, in order: why, the command for a container and for Debian's package, and what to set
    before it."""

    title: str
    why: str
    container: str
    package: str
    recipe: Recipe | None = None


@dataclass(frozen=True)
class Overview:
    """What the page shows of a registry to an actor, all of it remembered. `asked` is the version that they
    chose, for where nothing proves one."""

    registry: Registry
    actor: access.Actor
    asked: str = ""

    @cached_property
    def family(self) -> str:
        return recipes.family(self.registry)

    @property
    def other(self) -> str:
        """How it collects, where it is none of distribution's."""
        name = next((name for name in OTHERS if self.family.startswith(name)), "")
        return OTHERS.get(name, "")

    @cached_property
    def versions(self) -> list[str]:
        """Those of distribution it may be of; none where it is something else."""
        return list(recipes.configs(self.registry))

    @property
    def version(self) -> str:
        """The one whose commands are shown."""
        return self.asked if self.asked in self.versions else self.versions[0]

    @property
    def config(self) -> str:
        return recipes.CONFIGS[self.version]

    @property
    def is_old(self) -> bool:
        """Whether it is version 2, whose --delete-untagged takes too much."""
        return self.version == oci.families.DISTRIBUTION_2

    @property
    def steps(self) -> list[Step]:
        return steps(self.version) if self.versions else []

    @cached_property
    def waiting(self) -> Garbage | None:
        return Garbage.objects.filter(registry=self.registry.name).first()

    @cached_property
    def storage(self) -> Storage | None:
        """The registry's sums: what no tag reaches stays, for a plain collection spares it."""
        return Storage.objects.filter(registry=self.registry).first()

    @cached_property
    def spared(self) -> tuple[datetime, datetime] | None:
        return garbage.spared_since(self.registry)

    @cached_property
    def collections(self) -> list[Collection]:
        return list(Collection.objects.filter(registry=self.registry.name)[:COLLECTIONS])

    @cached_property
    def lost(self) -> int:
        """How many of the things that were deleted can't come back, of those they may see."""
        rows = Remains.objects.filter(item__action__registry=self.registry.name).exclude(gone=[])
        seen = access.seen_in(self.actor, self.registry, "item__repository")
        return matching.those(rows, seen).count()


def steps(version: str) -> list[Step]:
    """A collection of distribution, from its beginning to its end."""
    config = recipes.CONFIGS[version]
    container = f"docker exec {CONTAINER} registry garbage-collect"
    package = "sudo -u docker-registry docker-registry garbage-collect"
    return [
        Step(
            "Make it read-only",
            "What is pushed while a collection runs may lose its layers. Set this, then restart.",
            *RESTART,
            recipes.read_only(on=True),
        ),
        Step(
            "See what it would take",
            "It prints what it marks and what it would delete, and deletes nothing.",
            f"{container} --dry-run {config}",
            f"{package} --dry-run {config}",
        ),
        Step(
            "Collect",
            "What it deletes is gone for good.",
            f"{container} {config}",
            f"{package} {config}",
        ),
        Step(
            "Let it be written to again, and restart",
            "Take the setting of step 1 out again. The restart is needed even where nothing was set: the "
            "registry remembers which blobs it had, and would take pushes and restores that it can't serve.",
            *RESTART,
        ),
    ]
