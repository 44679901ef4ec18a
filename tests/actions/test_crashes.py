"""Whoever carries an action out may die between any two of its requests: someone else finishes it, and no tag
is ever left on what was to lie there for a moment."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.actions import delete, many, retag, retain, run, undo, untag
from regui.actions.models import Action
from regui.actions.plans import Plan
from regui.index.bearing import Bearer
from regui.index.connect import close, ensure_registries
from regui.index.models import Registry, Repository
from regui.registries import RegistrySettings
from regui.retention.policy import Policy
from tests import images
from tests.actions.stand import ALICE
from tests.fake import Fake
from tests.memory import Ask, Out, error, out

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "team/app"
# What may change something: to die between two that can't is to die after the last that could.
WRITES = frozenset({"PUT", "DELETE"})
ONE, TWO = images.image(), images.image()
BOTH = images.index()
TAGS = {"1.0": ONE.digest, "latest": ONE.digest, "2.0": TWO.digest, "multi": BOTH.digest}


@pytest.fixture
def fake(settings: Settings) -> Iterator[Fake]:
    """A registry that deletes by digest alone, as distribution 2 does."""
    with Fake() as one:
        one.on("DELETE", r"/v2/.+/manifests/[^:]+", error(400, "DIGEST_INVALID"))
        settings.REGISTRIES = {"main": RegistrySettings("main", one.url)}
        ensure_registries()
        yield one
    close()


@dataclass
class Driver:
    """A process that carries actions out, each in a child of its own."""

    process: subprocess.Popen[str]
    pid: int = 0

    def begin(self, action: Action) -> None:
        self.say(action.pk)
        self.pid = int(self.hear())
        self.say("go")

    def ended(self) -> int:
        """The signal that ended the child; 0 when it came to its end."""
        return os.waitstatus_to_exitcode(int(self.hear()))

    def say(self, words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{words}\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@pytest.fixture
def driver(fake: Fake) -> Iterator[Driver]:
    """Works on this test's database and registry."""
    environs = os.environ | {"REGUI_DATABASE_URL": address(), "REGUI_REGISTRY_URL": fake.url}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.actions.driver"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environs,
    )
    with process:
        yield Driver(process)


def address() -> str:
    """This test's database."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    port = f":{found['PORT']}" if found["PORT"] else ""
    return f"postgres://{found['USER']}@{quote(found['HOST'], safe='')}{port}/{found['NAME']}"


def repository() -> Repository:
    registry = Registry.objects.get()
    found = registry.repositories.filter(name=NAME).select_related("registry").first()
    return found or Repository(registry=registry, name=NAME, first_seen_at=timezone.now())


def deleted() -> Plan:
    return delete.look(repository(), ONE.digest)


def retained() -> Plan:
    """The plan of a policy by which one of two siblings goes, and an index with its children."""
    said = {"name": "tidy", "registry": "main", "repositories": [NAME], "otherwise": "keep"}
    rules = [{"drop": "matching", "tags": ["1.0", "multi"]}]
    policy = Policy.read(said | {"rules": rules})
    return retain.look(repository(), policy, [], timezone.now())


def undone() -> Plan:
    """The plan to bring back an index that went along with its children."""
    return undo.look(run.run(delete.look(repository(), BOTH.digest, along=True), ALICE))


CHANGES: dict[str, tuple[Callable[[], Plan], dict[str, str]]] = {
    "untag": (lambda: untag.look(repository(), "1.0"), {"1.0": ""}),
    "delete": (deleted, {"1.0": "", "latest": ""}),
    "tags": (lambda: many.tags(repository(), ["1.0", "2.0"]), {"1.0": "", "2.0": ""}),
    "retain": (retained, {"1.0": "", "multi": ""}),
    "retag": (lambda: retag.look(repository(), "2.0", "latest"), {"latest": TWO.digest}),
    "undo": (undone, {}),
}


def fill(fake: Fake) -> None:
    """The registry as it is at first."""
    with oci.Client(fake.url) as client:
        for built in (ONE, TWO, BOTH):
            images.push(client, NAME, built)
    fake.memory.repositories[NAME].tags = dict(TAGS)


def expected(changes: dict[str, str]) -> dict[str, str]:
    return {tag: digest for tag, digest in (TAGS | changes).items() if digest}


def killing(fake: Fake, driver: Driver, turn: int, *, after: bool) -> Callable[[Ask], Out | None]:
    """Answers as ever, and kills the driver's child around the write of that turn."""
    count = 0

    def answer(ask: Ask) -> Out | None:
        nonlocal count
        count += 1
        if count != turn:
            return None
        if not after:
            os.kill(driver.pid, signal.SIGKILL)
            return Out(raw=b"")
        by_tag = ask.method == "DELETE" and ":" not in ask.path
        answered = error(400, "DIGEST_INVALID") if by_tag else fake.memory.answer(ask)
        os.kill(driver.pid, signal.SIGKILL)
        return answered

    return answer


@pytest.mark.parametrize("kind", CHANGES)
def test_somebody_goes_on_after_a_kill(fake: Fake, driver: Driver, kind: str) -> None:
    look, changes = CHANGES[kind]
    fatal: list[Callable[[Ask], Out | None]] = []
    for method in WRITES:
        fake.on(method, r"/v2/.*", lambda ask: fatal[0](ask) if fatal else None)
    turn, ended = 0, False
    while not ended:
        turn += 1
        for after in (False, True):
            anew(fake)
            action = run.start(look(), ALICE)
            fatal.append(killing(fake, driver, turn, after=after))
            driver.begin(action)
            how = driver.ended()
            fatal.clear()
            assert how in {0, -signal.SIGKILL}
            ended = how == 0
            if not ended:
                Action.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
                mine = run.next_due(timezone.now())
                assert mine is not None
                run.carry_out(mine)
            done = Action.objects.get(pk=action.pk)
            assert (done.state, done.reason) == ("done", ""), (turn, after)
            there = fake.memory.repositories[NAME]
            assert there.tags == expected(changes), (turn, after)
            assert there.manifests.keys() <= {one.digest for one in (ONE, TWO, BOTH, *BOTH.children)}
            assert set(repository().tags.listed().values_list("name", flat=True)) == expected(changes).keys()
    assert turn > 1


def anew(fake: Fake) -> None:
    """Everything as it was at first, in the registry and here."""
    fake.memory.repositories.clear()
    Registry.objects.all().delete()
    ensure_registries()
    close()
    fill(fake)


def test_somebody_goes_on_with_the_credentials_of_whoever_asked(
    fake: Fake, driver: Driver, settings: Settings
) -> None:
    regui, alice = oci.Credentials("regui", "of-regui"), oci.Credentials("alice", "of-alice")
    settings.REGISTRIES = {
        "main": RegistrySettings("main", fake.url, regui.username, regui.password, own=True)
    }
    anew(fake)
    writers: list[str] = []

    def guard(ask: Ask) -> Out | None:
        shown = ask.headers.get("Authorization", "")
        if shown not in {regui.basic, alice.basic}:
            return out(401, WWW_Authenticate='Basic realm="here"')
        if ask.method in WRITES:
            writers.append(shown)
            return None if shown == alice.basic else error(403, "DENIED")
        return None

    fatal = [killing(fake, driver, 1, after=True)]
    fake.on("DELETE", r"/v2/.*", lambda ask: fatal[0](ask) if fatal else None)
    for method in ("GET", "HEAD", *WRITES):
        fake.on(method, r"/v2/.*", guard)
    asks = replace(ALICE, bearers=(Bearer("main", "a" * 64, alice, fake.url),))
    action = run.start(deleted(), asks)
    driver.begin(action)
    assert driver.ended() == -signal.SIGKILL
    fatal.clear()
    left = Action.objects.get()
    assert left.state == Action.State.RUNNING
    assert left.credentials, "whoever goes on needs them"
    assert alice.password not in left.credentials
    Action.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    mine = run.next_due(timezone.now())
    assert mine is not None
    run.carry_out(mine)
    done = Action.objects.get()
    assert (done.state, done.reason, done.credentials) == ("done", "", "")
    assert set(writers) == {alice.basic}
    assert fake.memory.repositories[NAME].tags == expected({"1.0": "", "latest": ""})
