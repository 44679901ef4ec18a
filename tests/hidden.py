"""A registry of which somebody sees a half: a team's repositories, and others whose every name, tag, label,
digest and size can be told when it shows where it mustn't; and how to add to that other half."""

import difflib
import itertools
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote, unquote

from django.urls import URLPattern
from django.urls.converters import IntConverter, UUIDConverter
from django.utils import timezone

from regui import oci
from regui.accounts.access import Actor, Role
from regui.actions import copying, delete, inuse, remains, retain, run, undo, untag
from regui.actions.models import Action, Part, Run
from regui.demo import images as demo
from regui.index import capabilities, snapshots, sync, usage
from regui.index.models import Layer, Registry, Repository, Sync
from regui.retention.policy import Policy
from tests import cleanups, images
from tests.registry import RunningRegistry

ROOT = Actor("root", Role.ADMIN)
BASE = b"a base that all have in common " * 900
# What stands in none of the answers to who sees the team's half.
WORDS = ("otherteam", "vault", "hushtag", "marmalade", "strictly")
# What differs between any two answers to the same: moments, how long ago, and what is signed.
PASSING = (
    r'name="csrfmiddlewaretoken" value="[^"]*"',
    r'"X-CSRFToken": "[^"]*"',
    r'name="agreed" value="[^"]*"',
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(\+00:00|Z| UTC)?",
    r"\d\d:\d\d:\d\d( UTC)?",
    r"just now|\b\d+ (min|h|d) ago|\bin \d+ (min|h|d)\b",
    r'data-sync="\d+"',
    r"[?&]refresh=[0-9a-f]{16}",
    r'"next": "[^"]*"',
)


@dataclass
class Halves:
    """Both halves, as regui has read them."""

    registry: RunningRegistry
    row: Registry
    digests: dict[str, oci.Digest] = field(default_factory=dict)
    actions: dict[str, str] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shared = images.image(layers=[BASE, b"both have this very image"])
        # The others' first: what regui finds out by asking about some image, it asks about theirs.
        self.push("otherteam/vault", "hushtag-1", b"strictly ours", labels={"codename": "marmalade"})
        self.push("otherteam/app", "hushtag-2", b"other")
        self.push("otherteam/lent", "hushtag-4", b"lent")
        self.registry.push_built("otherteam/app", self.shared, ["hushtag-same"])
        statements: dict[str, dict[str, str]] = {"https://strictly.example/provenance": {}}
        self.registry.push_built(
            "otherteam/app", demo.with_attestations([self.shared], statements), ["hushtag-index"]
        )
        self.push("otherteam/doomed", "hushtag-3", b"doomed")
        self.push("team/app", "1.0", b"app")
        self.registry.push_built("team/app", self.shared, ["same"])
        self.digests["index"] = self.registry.push_index("team/app", tags=["multi"], attested=True)
        self.push("team/app", "doomed", b"doomed here")
        self.push("team/app", "pr-1", b"asked for once")
        self.push("team/web", "2.0", b"web")
        self.push("otherteam/app", "hushtag-web", b"web")  # what team/web has and something runs
        self.registry.push_artifact("team/web", tags=["note"])
        self.read()
        self.act()
        self.clean()
        self.tell("prod", "team/web:2.0", "otherteam/vault:hushtag-1", "elsewhere.example/otherteam/app:1")
        self.tell("quiet-cluster", "otherteam/app:hushtag-web")
        self.read()

    def push(self, name: str, tag: str, own: bytes, **fields: Any) -> oci.Digest:
        """An image on the common base."""
        pushed = self.registry.push(name, tags=[tag], layers=[BASE, own * 500], **fields)
        self.digests[f"{name}:{tag}"] = pushed
        return pushed

    def act(self) -> None:
        """Something of everything that the journal keeps."""
        for name, tag in (("otherteam/doomed", "hushtag-3"), ("team/app", "doomed")):
            plan = delete.look(self.repository(name), self.digests[f"{name}:{tag}"])
            self.actions[f"delete {name}"] = run.run(plan, ROOT).pk
        plan = copying.look(
            self.repository("otherteam/lent"), "hushtag-4", self.repository("team/copied"), "from-there"
        )
        self.actions["copy team/copied"] = run.run(plan, ROOT).pk
        Action.objects.filter(pk=self.actions["copy team/copied"]).update(
            reason="otherteam/lent was slow, main/otherteam/lent:hushtag-4 too.",
            hint="Look at otherteam/lent.",
        )
        plan = untag.look(self.repository("team/app"), "same")
        self.actions["untag team/app"] = run.run(plan, ROOT).pk
        action = Action.objects.get(pk=self.actions["untag team/app"])
        self.actions["undo team/app"] = run.run(undo.look(action), ROOT).pk
        later = timedelta(hours=1)
        plan = untag.look(self.repository("otherteam/vault"), "hushtag-1")
        self.actions["waiting otherteam/vault"] = run.start(plan, ROOT, held=False, grace=later).pk

    def clean(self) -> None:
        """Policies and runs: of Bob, who saw more once, and of somebody else, who cleans up everywhere."""
        mine = cleanups.policy("mine", owner="bob")
        whole = cleanups.policy(
            "sweeping", owner="root", repositories=["team/**", "otherteam/vault"], note="strictly ours"
        )
        vault = cleanups.policy("hushtag-policy", owner="root", repositories=["otherteam/**"])
        each = {"team/app": ["pr-1", "pr-2"], "otherteam/vault": ["hushtag-1"]}
        for row in (mine, whole):
            self.runs[row.name] = cleanups.run(row, each).pk
        self.runs["hidden"] = cleanups.run(vault, {"otherteam/vault": ["hushtag-1"]}).pk
        plan = retain.look(
            self.repository("team/app"),
            Policy.read(whole.document | {"rules": [{"drop": "matching", "tags": ["pr-*"]}]}),
            [vault.policy],
            timezone.now(),
            run=self.runs["sweeping"],
        )
        assert plan.tags
        self.actions["retain team/app"] = run.run(plan, ROOT).pk
        for key in (self.runs["mine"], self.runs["sweeping"]):
            parts = Run.objects.get(pk=key).parts.filter(repository="team/app")
            parts.update(action=self.actions["retain team/app"], done=True)
        Part.objects.filter(repository="otherteam/vault").update(done=True, reason="otherteam/vault was slow")

    def tell(self, source: str, *images: str) -> None:
        """What runs somewhere."""
        host = self.row.pull_host
        named = (one if "example" in one else f"{host}/{one}" for one in images)
        assert inuse.tell(ROOT, source, named, timedelta(hours=1)).held

    def add(self) -> None:
        """More of everything in the others' half, among it what the team's has, too."""
        for number in range(3):
            self.push(f"otherteam/more-{number}", f"hushtag-more-{number}", b"more" * (number + 1))
        self.push("otherteam/vault", "hushtag-9", b"app")  # the very layer that team/app alone had
        self.registry.push_built("otherteam/again", self.shared, ["hushtag-again"])
        self.registry.push_index("otherteam/vault", tags=["hushtag-multi"])
        self.read()
        plan = delete.look(
            self.repository("otherteam/more-0"), self.digests["otherteam/more-0:hushtag-more-0"]
        )
        run.run(plan, ROOT)
        plan = untag.look(self.repository("otherteam/more-1"), "hushtag-more-1")
        run.run(plan, ROOT)
        self.tell("hushtag-cluster", "otherteam/more-2:hushtag-more-2")
        self.tell(
            "prod",
            *("team/web:2.0", "otherteam/vault:hushtag-9", "otherteam/vault:hushtag-multi"),
            *("elsewhere.example/otherteam/app:1", "elsewhere.example/otherteam/app:2"),
        )
        more = cleanups.policy("hushtag-more", owner="root", repositories=["otherteam/*"])
        cleanups.run(more, {"otherteam/vault": ["hushtag-9"], "otherteam/again": ["hushtag-again"]})
        Repository.objects.filter(name="otherteam/more-2").update(problem="strictly broken", doubt="odd")
        self.read()

    def read(self) -> None:
        """All of it, with every sum over it and what is found out about it; one round is remembered."""
        sync.run(self.row)
        Sync.objects.exclude(pk=Sync.objects.latest().pk).delete()
        failures = [
            {"repository": name, "problem": "It is broken."} for name in ("otherteam/vault", "team/web")
        ]
        Sync.objects.update(failures=failures)
        self.row.refresh_from_db()
        usage.settle_now(self.row)
        today = timezone.now().date()
        for day in range(3):
            snapshots.take(self.row, today - timedelta(days=day))
        capabilities.look(self.row)
        remains.look(self.row, again=True)
        self.row.refresh_from_db()

    def repository(self, name: str) -> Repository:
        found = self.row.repositories.filter(name=name).select_related("registry").first()
        return found or Repository(registry=self.row, name=name, first_seen_at=timezone.now())

    def words(self) -> dict[str, str]:
        """Digests to ask for: of an image that both halves have, of a layer that only the others have, and of
        one that all images have."""
        theirs = self.row.blobs.filter(uses__manifest__revisions__repository__name="otherteam/vault")
        layers = self.row.layers.order_by("-repositories")
        return {
            "shared": self.shared.digest,
            "layer": str(theirs.exclude(digest=layers[0].digest)[0].digest),
            "base": str(layers[0].digest),
        }

    def traces(self) -> set[str]:
        """What stands in none of the answers: names, and what only the others' half has of digests."""
        ours = Repository.objects.filter(name__startswith="team/")
        theirs = Repository.objects.filter(name__startswith="otherteam/")
        held = set(theirs.values_list("revisions__manifest__digest", flat=True))
        held -= set(ours.values_list("revisions__manifest__digest", flat=True))
        blobs = set(theirs.values_list("revisions__manifest__blob_uses__blob__digest", flat=True))
        blobs -= set(ours.values_list("revisions__manifest__blob_uses__blob__digest", flat=True))
        assert len(held) > 3
        assert len(blobs) > 3
        assert Layer.objects.filter(registry=self.row, names__icontains="otherteam").exists()
        return {*WORDS, *(str(one).rpartition(":")[2][:12] for one in held | blobs if one)}


def values(pattern: URLPattern, halves: Halves) -> list[dict[str, object]]:
    """What may stand in an address so that it is about the team's half, and for each action and run there is;
    something harmless where nobody said what."""
    places: list[dict[str, object]] = [
        {"name": "team/app", "tag": "1.0", "digest": halves.shared.digest},
        {"name": "team/app", "tag": "same", "digest": halves.digests["index"]},
        {"name": "team/copied", "tag": "from-there", "digest": halves.digests["team/app:doomed"]},
        {"name": "team/web", "tag": "2.0", "digest": halves.digests["team/web:2.0"]},
    ]
    found: list[dict[str, object]] = []
    cleaning: list[dict[str, object]] = [
        {"policy": "mine", "run": halves.runs["mine"], "source": "prod"},
        {"policy": "sweeping", "run": halves.runs["sweeping"], "source": "quiet-cluster"},
        {"policy": "none", "run": halves.runs["hidden"], "source": "none"},
    ]
    for place, cleaned in itertools.product(places, cleaning):
        for pk in halves.actions.values():
            known = place | cleaned | {"registry": "main", "pk": pk}
            chosen = {
                name: usual(one) if isinstance(one, IntConverter) else known.get(name) or usual(one)
                for name, one in pattern.pattern.converters.items()
            }
            if chosen not in found:
                found.append(chosen)
    return found


def usual(converter: object) -> object:
    """What nothing is called, so that an address that takes it can be asked for."""
    if isinstance(converter, IntConverter):
        return 1
    return "00000000-0000-0000-0000-000000000000" if isinstance(converter, UUIDConverter) else "x"


def telling(traces: set[str], asked: str, *bodies: str) -> list[str]:
    """The traces of the others' half in the answers to what was asked, which they may repeat."""
    whole = "".join(bodies)
    for word in asked.partition("?")[2].split("&"):
        said = word.partition("=")[2]
        for one in {said, unquote(said), quote(unquote(said), safe="")} - {""}:
            whole = whole.replace(one, "")
    return [trace for trace in sorted(traces) if trace in whole]


def differing(before: str, after: str) -> list[str]:
    """The first lines in which two answers differ."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return list(itertools.islice((line.strip() for line in lines), 2, 8))


def steady(body: str) -> str:
    """The answer without what differs each time."""
    for passing in PASSING:
        body = re.sub(passing, "·", body)
    return body
