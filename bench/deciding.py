"""How long it takes to say what policies would do, in seconds, and the memory of it, as JSON.

python -m bench.deciding payments/api-000       (with regui's environment; names the largest repository)
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regui.settings")
django.setup()

from django.utils import timezone  # noqa: E402 — Django has to be set up first

from regui.accounts.access import Actor, Role  # noqa: E402
from regui.actions.retention import curves, freeing, insight, preview  # noqa: E402
from regui.index.models import Registry  # noqa: E402
from regui.patterns import ANYWHERE  # noqa: E402
from regui.retention.policy import Policy  # noqa: E402

ALICE = Actor("alice", Role.ADMIN)


BY_DATE: Sequence[dict[str, Any]] = (
    {"keep": "newest", "count": 3},
    {"keep": "matching", "tags": ["latest", "v*"]},
    {"drop": "pre-releases"},
)
BY_PULLS: Sequence[dict[str, Any]] = (
    {"keep": "pulled", "within": "30d"},
    {"drop": "not-pulled", "for": "90d"},
)
BY_LABEL: Sequence[dict[str, Any]] = ({"keep": "label", "label": "org.opencontainers.image.revision"},)


def policy(registry: Registry, repositories: str) -> Policy:
    """One that looks at every tag's date and name."""
    return made(registry, repositories, *BY_DATE)


def made(registry: Registry, repositories: str, *rules: dict[str, Any]) -> Policy:
    fixed = {"name": "bench", "registry": registry.name, "otherwise": "drop"}
    return Policy.read({**fixed, "repositories": [repositories], "rules": list(rules)})


def measure(largest: str) -> dict[str, float]:
    """The seconds by what was done, and `memory` in bytes at its most."""
    registry, now = Registry.objects.get(), timezone.now()
    every, one = policy(registry, ANYWHERE), policy(registry, largest)
    wanted = preview.Wanted(keep=False)
    done: dict[str, Callable[[], object]] = {
        "counts": lambda: preview.preview(registry, every, ALICE, now),
        "pulls": lambda: preview.preview(registry, made(registry, ANYWHERE, *BY_PULLS), ALICE, now),
        "labels": lambda: preview.preview(registry, made(registry, ANYWHERE, *BY_LABEL), ALICE, now),
        "page": lambda: preview.page(registry, every, ALICE, now, wanted, 0, 50),
        "one": lambda: preview.page(registry, one, ALICE, now, wanted, 0, 50),
        "freed": lambda: freeing.freed(registry, every, ALICE, now),
        "curves": lambda: curves.curves(registry, [ANYWHERE], ALICE, now),
        "insight": lambda: insight.insight(registry, ALICE, now),
    }
    found = {}
    for what, call in done.items():
        call()
        began = time.perf_counter()
        call()
        found[what] = time.perf_counter() - began
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM"))
    return found | {"memory": int(peak.split()[1]) * 1024}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
