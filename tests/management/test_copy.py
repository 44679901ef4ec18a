"""`regui copy`, as a person or a pipeline runs it."""

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from regui import oci
from regui.actions.plans import shortened
from regui.actions.transfer import PIECE
from regui.demo.images import Built, noise
from tests import images
from tests.fake import Fake
from tests.serving import PATIENCE, PYTHON, environment, regui
from tests.test_sync_command import read


@dataclass(frozen=True)
class Pair:
    """Two registries, and a regui that knows both."""

    data: Path
    source: Fake
    target: Fake

    def copy(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return regui(self.data, "copy", *arguments, **self.settings)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "REGUI_REGISTRIES": "main other",
            "REGUI_REGISTRY_MAIN_URL": self.source.url,
            "REGUI_REGISTRY_OTHER_URL": self.target.url,
        }

    def push(self, built: Built, *tags: str) -> oci.Digest:
        with oci.Client(self.source.url) as client:
            return images.push(client, "team/app", built, tags)

    @property
    def tags(self) -> dict[str, str]:
        found = self.target.memory.repositories.get("prod/app")
        return found.tags if found else {}


@pytest.fixture
def pair(data: Path) -> Iterator[Pair]:
    with Fake() as source, Fake() as target:
        yield Pair(data, source, target)


FROM_TO = ("main", "team/app:1.0", "other", "prod/app")


def test_it_copies_and_says_what(pair: Pair) -> None:
    digest = pair.push(images.index(), "1.0")
    shown = pair.copy(*FROM_TO, "--dry-run")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "index" in shown.stdout
    assert shortened(digest) in shown.stdout
    assert "already" in shown.stdout
    told = json.loads(pair.copy(*FROM_TO, "--dry-run", "--json").stdout)
    assert told["state"] == "planned"
    assert told["load"]["sent"] > 0
    assert [one["role"] for one in told["copied"]] == ["index", "image", "image"]
    assert pair.tags == {}
    done = pair.copy(*FROM_TO, "--yes", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["state"], found["digest"]) == (0, "done", digest)
    assert re.fullmatch(r"[0-9a-f]{16}", found["id"])
    assert pair.tags == {"1.0": digest}


def test_one_platform_by_digest_under_another_tag(pair: Pair) -> None:
    built = images.index()
    pair.push(built, "1.0")
    arguments = ("main", f"team/app@{built.digest}", "other", "prod/app:2.0")
    done = pair.copy(*arguments, "--platform", "linux/arm64", "--no-referrers", "--yes")
    assert done.returncode == 0
    assert pair.tags == {"2.0": built.children[1].digest}


def test_the_status_says_why_not(pair: Pair) -> None:
    image = images.image()
    pair.push(image, "1.0")
    assert pair.copy(*FROM_TO).returncode == 3
    for wrong in (
        ("main", "team/app:9", "other", "prod/app"),
        ("main", "team/app:1.0", "nowhere", "prod/app"),
        ("main", "team/app:1.0", "other", "Prod/"),
        ("main", f"team/app@{image.digest}", "other", "prod/app"),
        ("main", "team/app:1.0", "other", f"prod/app@{image.digest}"),
        (*FROM_TO, "--platform", "linux/arm64"),
    ):
        assert pair.copy(*wrong, "--yes").returncode == 2, wrong
    lost = oci.Digest.of(image.blobs[1])
    pair.source.memory.repositories["team/app"].blobs.remove(lost)
    failed = pair.copy(*FROM_TO, "--yes")
    assert failed.returncode == 1
    assert f"main/team/app no longer has the blob {shortened(lost)}." in failed.stderr
    assert pair.tags == {}


def test_at_a_terminal_it_asks_and_shows_how_far_it_is(pair: Pair) -> None:
    digest = pair.push(images.image(layers=[noise("large", 3 * PIECE)]), "1.0")
    settings = environment(pair.data, **pair.settings, TERM="xterm", COLUMNS="160")
    ours, theirs = pty.openpty()
    command = [*PYTHON, "-m", "regui", "copy", *FROM_TO]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=settings) as process:
        os.close(theirs)
        os.write(ours, b"yes\n")
        coloured = b"".join(iter(lambda: read(ours), b"")).decode()
        assert process.wait(PATIENCE) == 0, coloured
    os.close(ours)
    shown = re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", coloured)
    assert 'Type "yes" to go on' in shown
    assert re.search(r"/25\.2 MB", shown), shown
    assert pair.tags == {"1.0": digest}
