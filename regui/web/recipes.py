"""What to write into the configuration of a registry of distribution, as a file has it and as a container's
environment."""

from dataclasses import dataclass

from regui import oci
from regui.index.models import Registry

CONFIGS = {
    oci.families.DISTRIBUTION_2: "/etc/docker/registry/config.yml",
    oci.families.DISTRIBUTION_3: "/etc/distribution/config.yml",
}


@dataclass(frozen=True)
class Recipe:
    """The same setting in YAML and as a variable of the environment."""

    yaml: str
    variable: str


DELETES = Recipe("storage:\n  delete:\n    enabled: true\n", "REGISTRY_STORAGE_DELETE_ENABLED=true")


def read_only(*, on: bool) -> Recipe:
    """To be read-only, or no longer. distribution takes this variable as JSON alone: by the name that ends in
    READONLY_ENABLED it doesn't start."""
    word = "true" if on else "false"
    return Recipe(
        f"storage:\n  maintenance:\n    readonly:\n      enabled: {word}\n",
        f'REGISTRY_STORAGE_MAINTENANCE_READONLY={{"enabled":{word}}}',
    )


def family(registry: Registry) -> str:
    """Which product the registry was found to be, one of the names in `oci.families` with a version after it
    where it gives one; empty when nothing proves any."""
    return str(registry.capabilities["family"]["detail"]) if registry.can("family") == "yes" else ""


def configs(registry: Registry) -> dict[str, str]:
    """The versions of distribution that the registry may be of, and where each has its configuration; none
    when it is something else."""
    name = family(registry)
    return {one: path for one, path in CONFIGS.items() if name in {"", one}}
