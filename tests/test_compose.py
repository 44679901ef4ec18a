"""What the compose file sets up works: its registry, told by its own words, sends events that regui takes."""

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml
from django.test import RequestFactory
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from regui import oci, registries
from regui.env import Env
from regui.index.connect import ensure_registries
from regui.index.models import Event, Registry
from regui.web import notifications
from tests import images
from tests.notifications import configured, wait
from tests.registry import binary

TEXT = (Path(__file__).parent.parent / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
REGISTRY, REGUI = COMPOSE["services"]["registry"], COMPOSE["services"]["regui"]


def command(folder: Path, regui: str = "http://regui:8000") -> list[str]:
    """What the registry's container runs, with what it finds there in this folder."""
    *shell, script = REGISTRY["entrypoint"]
    for there, here in {
        "$$": "$",
        "/events/": f"{folder}/",
        "/etc/distribution/": f"{folder}/",
        "http://regui:8000": regui,
    }.items():
        assert there in script
        script = script.replace(there, here)
    return [*shell, script]


def environment(folder: Path, program: str) -> dict[str, str]:
    """One whose `registry` is that shell script."""
    path = folder / "bin" / "registry"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{program}\n")
    path.chmod(0o755)
    return {**os.environ, "PATH": f"{path.parent}:{os.environ['PATH']}"}


def test_no_dollar_is_left_to_compose() -> None:
    assert "$" not in TEXT.replace("$$", "")


def test_both_sides_read_one_secret_that_is_nowhere_in_the_file() -> None:
    token = REGUI["environment"]["REGUI_REGISTRY_EVENTS_TOKEN_FILE"]
    assert f"$$(cat {token})" in REGISTRY["entrypoint"][-1]
    assert "events:/events" in REGISTRY["volumes"]
    assert "events:/events:ro" in REGUI["volumes"]


def test_the_registry_is_told_what_the_settings_page_says(tmp_path: Path, settings: Settings) -> None:
    given = REGUI["environment"]
    settings.URL, settings.EVENTS_URL = given["REGUI_URL"], given["REGUI_EVENTS_URL"]
    shows = environment(tmp_path, 'printf %s "$REGISTRY_NOTIFICATIONS_ENDPOINTS"')
    first, second = (
        subprocess.run(command(tmp_path), env=shows, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )
    assert first == second, "the secret is made once"
    secret = (tmp_path / "secret").read_text().strip()
    assert len(secret) == 44
    setup = notifications.setup(RequestFactory().get("/"), Registry(name="main"), secret)
    shown = next(recipe.text for recipe in setup.recipes if recipe.versions == "3.x")
    assert yaml.safe_load(first) == yaml.safe_load(shown)["notifications"]["endpoints"]


def test_its_registry_sends_events_that_regui_takes(
    tmp_path: Path, live_server: LiveServer, settings: Settings
) -> None:
    real = environment(tmp_path, f'exec "{binary()}" "${{@}}"')
    with configured(tmp_path, command=command(tmp_path, live_server.url), environment=real) as url:
        token = {"REGUI_REGISTRY_EVENTS_TOKEN_FILE": str(tmp_path / "secret")}
        settings.REGISTRIES = registries.from_env(Env(REGUI["environment"] | token))
        ensure_registries()
        with oci.Client(url) as client:
            images.push(client, "team/app", images.image(), ["v1"])
        wait(Event.objects.exists)
    told = Event.objects.get()
    assert (told.action, told.repository, told.tag) == ("push", "team/app", "v1")
