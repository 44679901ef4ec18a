"""Whoever copies may die around any of the requests that change something: someone else goes on, and in the
end the target has all of it, and its tag nothing else."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.actions import copying, run
from regui.actions.models import Action
from regui.actions.plans import Plan
from regui.actions.transfer import SMALL
from regui.demo.images import index, noise, signature
from regui.index.connect import close, ensure_registries
from regui.index.models import Registry, Repository
from regui.registries import RegistrySettings
from tests import images
from tests.actions.stand import ALICE
from tests.actions.test_crashes import Driver, address, killing
from tests.fake import Fake
from tests.memory import Ask, Memory, Out

pytestmark = pytest.mark.django_db(transaction=True)

NAME, TAG = "team/app", "1.0"
WRITES = ("POST", "PATCH", "PUT", "DELETE")
LARGE = images.image(layers=[noise("layer", SMALL + 4096)])
BOTH = index([LARGE, images.image(layers=[], platform="linux/arm64")])
NOTE = images.artifact(subject=LARGE)
OLD = images.image()
SIGNED = f"{oci.referrers_tag(BOTH.digest)}.sig"
LISTED = oci.referrers_tag(LARGE.digest)


@pytest.fixture
def source(settings: Settings) -> Iterator[Fake]:
    with Fake() as fake:
        with oci.Client(fake.url) as client:
            images.push(client, NAME, BOTH, [TAG])
            images.push(client, NAME, signature(BOTH, NAME), [SIGNED])
            images.push(client, NAME, NOTE)
        yield fake


@pytest.fixture
def target() -> Iterator[Fake]:
    """A registry without a referrers API."""
    with Fake() as fake:
        fake.on("GET", r"/v2/.+/referrers/.+", Out(404, b"404 page not found\n"))
        yield fake


@pytest.fixture
def driver(source: Fake, target: Fake, settings: Settings) -> Iterator[Driver]:
    """Works on this test's database and registries."""
    addresses = {"main": source.url, "other": target.url}
    settings.REGISTRIES = {name: RegistrySettings(name, url) for name, url in addresses.items()}
    environs = {f"REGUI_REGISTRY_{name.upper()}_URL": url for name, url in addresses.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.actions.driver"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | environs | {"REGUI_DATABASE_URL": address(), "REGUI_REGISTRIES": "main other"},
    )
    with process:
        yield Driver(process)
    close()


def repository(registry: str) -> Repository:
    row = Registry.objects.get(name=registry)
    found = row.repositories.filter(name=NAME).select_related("registry").first()
    return found or Repository(registry=row, name=NAME, first_seen_at=timezone.now())


def look() -> Plan:
    return copying.look(repository("main"), TAG, repository("other"), TAG)


def anew(target: Fake) -> None:
    """An old image under the tag at the target, and nothing else there or here."""
    target.memory.repositories.clear()
    target.memory.blobs.clear()
    target.memory.uploads.clear()
    Registry.objects.all().delete()
    ensure_registries()
    close()
    with oci.Client(target.url) as client:
        images.push(client, NAME, OLD, [TAG])


def lacks(memory: Memory) -> list[str]:
    """The blobs that manifests of the target need and it doesn't have."""
    there = memory.repositories[NAME]
    documents = [oci.parse(body, kind) for kind, body in there.manifests.values()]
    blobs = [one for document in documents if isinstance(document, oci.Manifest) for one in document.blobs]
    return [one.digest for one in blobs if one.digest not in there.blobs]


def test_somebody_goes_on_with_a_copy_after_a_kill(source: Fake, target: Fake, driver: Driver) -> None:
    fatal: list[Callable[[Ask], Out | None]] = []
    for method in WRITES:
        target.on(method, r"/v2/.*", lambda ask: fatal[0](ask) if fatal else None)
    expected = {one.digest for one in (BOTH, *BOTH.children, signature(BOTH, NAME), NOTE, OLD)}
    turn, ended = 0, False
    while not ended:
        turn += 1
        # What the registry has after one request is what it has before the next: to die after each is enough,
        # and before some of them, when it isn't noted yet that the one before is done.
        for after in (False, True) if turn % 4 == 1 else (True,):
            anew(target)
            action = run.start(look(), ALICE)
            fatal.append(killing(target, driver, turn, after=after))
            driver.begin(action)
            how = driver.ended()
            fatal.clear()
            assert how in {0, -signal.SIGKILL}
            ended = how == 0
            there = target.memory.repositories[NAME]
            assert there.tags[TAG] == (BOTH.digest if ended else there.tags[TAG])
            assert there.tags[TAG] in {OLD.digest, BOTH.digest}
            if not ended:
                Action.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
                mine = run.next_due(timezone.now())
                assert mine is not None
                run.carry_out(mine)
            done = Action.objects.get(pk=action.pk)
            assert (done.state, done.reason) == ("done", ""), (turn, after)
            assert done.bytes_done == done.bytes_total
            assert there.tags.keys() == {TAG, SIGNED, LISTED}, (turn, after)
            assert there.tags[TAG] == BOTH.digest
            assert there.manifests.keys() == expected | {there.tags[LISTED]}
            assert lacks(target.memory) == []
            document = oci.parse(there.manifests[there.tags[LISTED]][1])
            assert isinstance(document, oci.Index)
            assert [one.digest for one in document.manifests] == [NOTE.digest]
    assert turn > len(expected)
