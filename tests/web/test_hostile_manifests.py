"""Manifests and configs written to do harm: a page each, and nothing runs."""

import json

import pytest
from pytest_django import Settings

from regui import oci
from regui.demo import images as build
from tests.fake import Fake
from tests.memory import out
from tests.registry import RunningRegistry
from tests.web.conftest import Visitor, registered
from tests.web.test_manifests import Pushed

pytestmark = pytest.mark.usefixtures("index_registry")


@pytest.mark.parametrize(
    "body", [b"garbage", b"{}", b"[" * 100_000, b'{"schemaVersion": 2, "layers": [{"digest": "x"}]}']
)
def test_a_manifest_that_is_none_is_a_page_that_says_so(
    body: bytes, bob: Visitor, settings: Settings
) -> None:
    with Fake() as fake:
        fake.on("GET", "/v2/team/app/tags/list", out(200, {"name": "team/app", "tags": ["bad"]}))
        fake.on("GET", "/v2/team/app/manifests/.*", out(200, body, oci.OCI_MANIFEST))
        fake.on("HEAD", "/v2/team/app/manifests/.*", out(405))
        registered(settings, fake.url)
        page, row = bob.get("/main/team/app/-/tags/bad/"), bob.get("/main/team/app/")
    assert page.status_code == 502
    assert "unreadable" in page.text
    assert row.status_code == 200
    assert "broken" in row.text


def test_a_hostile_config_shows_what_can_be_shown(registry: RunningRegistry, bob: Visitor) -> None:
    config = {
        "os": "<b>",
        "architecture": ["x"],
        "created": {"a": 1},
        "config": {"Env": ["A=<img src=x>", 7, "NOVALUE"], "Labels": ["no"], "Cmd": "echo <b>", "Volumes": 3},
        "history": [{"created_by": "<script>alert(1)</script>"}, "x", None],
    }
    built = build.manifest(oci.OCI_MANIFEST, (oci.OCI_CONFIG, json.dumps(config).encode()), [])
    pushed = Pushed(registry, built)
    for tab in ("layers", "config", "history", "raw", "pull"):
        page = bob.get(pushed.by_tag, {"tab": tab})
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert "<b><" not in page.text
    assert "NOVALUE" in bob.get(pushed.by_tag, {"tab": "config"}).text
