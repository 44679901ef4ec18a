"""Any registry, any changes and undos, with faults between their requests: nothing but what a plan names ever
changes, nothing is left on what was to lie there for a moment, and the index knows all that came of it."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone
from hypothesis import event, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from regui import oci
from regui.actions import delete, many, plans, retag, retain, run, undo, untag
from regui.actions.models import Action
from regui.actions.plans import Plan
from regui.demo.images import Built
from regui.demo.images import index as index_of
from regui.index import sync
from regui.index.connect import close, ensure_registries
from regui.index.models import Registry, Repository, Tag, TagMove
from regui.registries import RegistrySettings
from regui.retention.policy import Policy
from tests import images
from tests.actions.stand import ALICE
from tests.fake import Fake
from tests.memory import Ask, Out, error

NAME, OTHER = "team/app", "team/other"
TAGS = ("1.0", "1.1", "latest", "dev")
# The same for all examples: bytes differ, what is done with them doesn't.
IMAGES = [images.image() for _ in range(3)]
INDEXES = [index_of(IMAGES[:2]), index_of(IMAGES[1:])]
NOTES = [images.artifact(subject=IMAGES[0]), images.artifact(subject=INDEXES[0])]
MANIFESTS = [*IMAGES, *INDEXES, *NOTES]
DIGESTS = frozenset(one.digest for one in MANIFESTS)
AGES = timedelta(days=1)
# Each example is a second's work.
EXAMPLES = settings().max_examples // 4
# What goes wrong with a request: it is lost, or its answer is, or the registry fails.
FAULTS = ("lost", "unanswered", "failed")
Change = tuple[str, int, int]
Fault = tuple[int, str]
State = tuple[dict[str, str], frozenset[str]]


@dataclass
class Trouble:
    """Which of the next requests go wrong, by their number from now on."""

    fake: Fake
    faults: dict[int, str] = field(default_factory=dict)
    count: int = 0

    def bring(self, faults: Sequence[Fault]) -> None:
        self.faults, self.count = dict(faults), 0

    def answer(self, ask: Ask) -> Out | None:
        self.count += 1
        match self.faults.get(self.count):
            case "lost":
                return Out(raw=b"")
            case "unanswered":
                self.usual(ask)
                return Out(raw=b"")
            case "failed":
                return error(503, "UNAVAILABLE")
        return None

    def usual(self, ask: Ask) -> Out:
        by_tag = ask.method == "DELETE" and ":" not in ask.path
        return error(400, "DIGEST_INVALID") if by_tag else self.fake.memory.answer(ask)


def repository() -> Repository:
    registry = Registry.objects.get()
    found = registry.repositories.filter(name=NAME).select_related("registry").first()
    return found or Repository(registry=registry, name=NAME, first_seen_at=timezone.now())


def policy(*tags: str) -> Policy:
    """One that drops these tags."""
    said = {"name": "tidy", "registry": "main", "repositories": [NAME], "otherwise": "keep"}
    return Policy.read(said | {"rules": [{"drop": "matching", "tags": list(tags)}]})


def look(change: Change) -> Plan:
    """The plan of a change that two numbers choose."""
    kind, one, two = change
    tag, built = TAGS[one % len(TAGS)], MANIFESTS[two % len(MANIFESTS)]
    actions = list(Action.objects.order_by("started_at", "pk"))
    make: dict[str, Callable[[], Plan]] = {
        plans.UNTAG: lambda: untag.look(repository(), tag),
        plans.DELETE_DIGEST: lambda: delete.look(repository(), built.digest, along=bool(one % 2)),
        plans.DELETE_TAGS: lambda: many.tags(repository(), {tag, TAGS[two % len(TAGS)]}),
        plans.DELETE_REPOSITORY: lambda: many.everything(repository()),
        plans.DELETE_UNTAGGED: lambda: many.untagged(repository()),
        plans.RETAIN: lambda: retain.look(repository(), policy(tag), [], timezone.now()),
        plans.RETAG: lambda: retag.look(repository(), built.digest, tag),
        plans.RESTORE: lambda: undo.restore(repository(), built.digest),
        plans.UNDO: lambda: undo.look(actions[one % len(actions)]),
    }
    return make[kind]()


def state(fake: Fake, name: str = NAME) -> State:
    """The registry's tags and manifests."""
    there = fake.memory.repositories[name]
    return dict(there.tags), frozenset(there.manifests)


def put(fake: Fake, name: str, built: Built) -> None:
    """A manifest with its blobs, straight into the registry."""
    fake.memory.repositories[name].manifests[built.digest] = built.media_type, built.body
    for body in built.blobs:
        fake.memory.blobs[oci.Digest.of(body)] = body
        fake.memory.repositories[name].blobs.add(oci.Digest.of(body))


def fill(fake: Fake, tagged: Sequence[int]) -> None:
    """Two repositories that hold everything; the tags of one are on what the numbers say."""
    with oci.Client(fake.url) as client:
        for name in (NAME, OTHER):
            for built in MANIFESTS:
                images.push(client, name, built)
    for tag, number in zip(TAGS, tagged, strict=False):
        fake.memory.repositories[NAME].tags[tag] = MANIFESTS[number].digest
        fake.memory.repositories[OTHER].tags[tag] = MANIFESTS[number].digest


def allowed(plan: Plan) -> tuple[set[str], set[str], set[str]]:
    """The tags, and the manifests that go and that come, which a plan says it touches."""
    tags = {tag.name for tag in plan.tags} | {step.tag for step in plan.steps if step.tag}
    away = {step.digest for step in plan.steps if step.do == plans.DELETE_DIGEST}
    come = {step.digest for step in plan.steps if step.do == plans.PUT}
    return tags, away, come


def indexed() -> dict[str, str]:
    """What the index says that tags are on, of those it doesn't mean to read again."""
    rows = Tag.objects.listed().filter(repository__name=NAME).exclude(manifest=None).exclude(seen_at=None)
    return dict(rows.values_list("name", "manifest__digest"))


changes = st.tuples(
    st.sampled_from(
        [
            *(plans.UNTAG, plans.DELETE_DIGEST, plans.DELETE_TAGS, plans.RETAG, plans.RESTORE, plans.UNDO),
            *(plans.DELETE_REPOSITORY, plans.DELETE_UNTAGGED, plans.UNDO, plans.RETAIN),
        ]
    ),
    st.integers(0, 11),
    st.integers(0, 11),
)
faults = st.lists(st.tuples(st.integers(1, 40), st.sampled_from(FAULTS)), max_size=3)


class TestAnyActions(TestCase):
    @settings(max_examples=EXAMPLES, deadline=None)
    @given(
        tagged=st.lists(st.integers(0, len(MANIFESTS) - 1), min_size=len(TAGS), max_size=len(TAGS)),
        chosen=st.lists(st.tuples(changes, faults), min_size=1, max_size=4),
    )
    def test_only_what_a_plan_names_changes_and_the_index_knows(
        self, tagged: list[int], chosen: list[tuple[Change, list[Fault]]]
    ) -> None:
        with Fake() as fake, self.settings(REGISTRIES={"main": RegistrySettings("main", fake.url)}):
            try:
                ensure_registries()
                fill(fake, tagged)
                trouble = Trouble(fake)
                fake.on("DELETE", r"/v2/.+/manifests/[^:]+", error(400, "DIGEST_INVALID"))
                for method in ("GET", "HEAD", "PUT", "DELETE"):
                    fake.on(method, r"/v2/.*", trouble.answer)
                sync.run(Registry.objects.get())
                for change, wrong in chosen:
                    self.change(trouble, change, wrong)
                self.compare(fake)
            finally:
                close()

    def change(self, trouble: Trouble, change: Change, wrong: list[Fault]) -> None:
        """Plan it, carry it out among faults, see to it that it ends, and compare."""
        fake = trouble.fake
        if change[0] == plans.UNDO and not Action.objects.exists():
            return
        before, other = state(fake), state(fake, OTHER)
        trouble.bring(wrong)
        try:
            plan = look(change)
            action = run.run(plan, ALICE)
        except (oci.Error, run.Stale, run.Unchecked, run.Breaks) as refusal:
            event(f"{change[0]} {type(refusal).__name__}")
            assert state(fake) == before
            return
        finally:
            rounds = itertools.count()
            trouble.bring([])
            while mine := run.next_due(timezone.now() + AGES):
                assert next(rounds) < 5
                run.carry_out(mine)
        tags, manifests = state(fake)
        touched, away, come = allowed(plan)
        assert before[1] - manifests <= away
        assert manifests - before[1] <= come
        assert {
            tag for tag in tags.keys() | before[0].keys() if tags.get(tag) != before[0].get(tag)
        } <= touched
        assert manifests <= DIGESTS, "nothing stays that was to be there for a moment"
        assert set(tags.values()) <= manifests
        assert state(fake, OTHER) == other
        if plan.kind == plans.RETAIN:
            stay = [one for one in MANIFESTS if one.digest in tags.values()]
            needed = {str(child.digest) for one in stay for child in one.children}
            assert needed & before[1] <= manifests, "what a kept tag needs stays"
        action.refresh_from_db()
        assert not action.is_open
        event(f"{change[0]} {action.state}{' among faults' if wrong else ''}")
        known = indexed()
        assert known.items() <= tags.items()
        if not wrong:
            assert known == tags

    def compare(self, fake: Fake) -> None:
        """Another crawl finds nothing that the index didn't know."""
        moves = TagMove.objects.filter(repository=NAME).count()
        sync.run(Registry.objects.get())
        assert indexed() == state(fake)[0]
        assert TagMove.objects.filter(repository=NAME).count() == moves
