"""The commands that fetch: right for the tool, the kind and the way the registry speaks."""

import pytest

from regui.index.models import Manifest, Registry
from regui.web import pulls

Kind = Manifest.Kind


def registry(url: str, pull_host: str = "") -> Registry:
    return Registry(name="main", url=url, pull_host=pull_host)


def texts(url: str, kind: str, reference: str, pull_host: str = "") -> dict[str, str]:
    found = pulls.commands(registry(url, pull_host), "team/app", kind, reference)
    return {one.tool: one.text for one in found}


def test_an_image_is_pulled_by_whatever_tool_is_at_hand() -> None:
    assert texts("https://r.example.com", Kind.IMAGE, ":1.0") == {
        "docker": "docker pull r.example.com/team/app:1.0",
        "podman": "podman pull r.example.com/team/app:1.0",
        "skopeo": "skopeo copy docker://r.example.com/team/app:1.0 oci:app",
        "crane": "crane pull r.example.com/team/app:1.0 app.tar",
    }


def test_a_registry_without_tls_needs_a_word_from_every_tool_but_docker() -> None:
    found = texts("http://10.0.0.5:5000", Kind.INDEX, "@sha256:abc")
    assert found["docker"] == "docker pull 10.0.0.5:5000/team/app@sha256:abc"
    assert "--tls-verify=false" in found["podman"]
    assert "--src-tls-verify=false" in found["skopeo"]
    assert "--insecure" in found["crane"]


def test_a_pull_host_set_by_hand_is_trusted_to_speak_tls() -> None:
    found = texts("http://registry:5000", Kind.IMAGE, ":1.0", pull_host="r.example.com")
    assert found["podman"] == "podman pull r.example.com/team/app:1.0"
    assert not pulls.needs_insecure(registry("http://registry:5000", "r.example.com"))


def test_a_chart_is_pulled_by_its_version() -> None:
    found = texts("https://r.example.com", Kind.HELM, ":1.2.3_build.4")
    assert found["helm"] == "helm pull oci://r.example.com/team/app --version 1.2.3+build.4"
    assert "docker" not in found
    assert "helm" not in texts("https://r.example.com", Kind.HELM, "@sha256:abc")


def test_an_artifact_is_pulled_by_oras_first() -> None:
    found = pulls.commands(registry("http://127.0.0.1:5000"), "team/app", Kind.ARTIFACT, ":1")
    assert found[0].text == "oras pull --plain-http 127.0.0.1:5000/team/app:1"


@pytest.mark.parametrize(
    ("url", "needed"),
    [
        ("http://registry.example.com:5000", True),
        ("http://10.0.0.5", True),
        ("https://registry.example.com", False),
        ("http://localhost:5000", False),
        ("http://127.0.0.1:5000", False),
        ("http://127.9.9.9:5000", False),
        ("http://[::1]:5000", False),
    ],
)
def test_docker_must_be_told_of_plain_http_everywhere_but_here(url: str, needed: bool) -> None:
    assert pulls.needs_insecure(registry(url)) is needed
