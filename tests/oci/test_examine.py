"""What a registry can do, as found out without changing it: on real ones set up in different ways, and on
fakes of other vendors."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from regui import oci
from regui.oci.examine import NOBODY
from tests import registry as registries
from tests.fake import Fake
from tests.memory import Ask, Out, error, out
from tests.registry import USER, RunningRegistry
from tests.tokens import TokenServer

READ_ONLY = {"uploadpurging": {"enabled": False}, "readonly": {"enabled": True}}
CHANGING = {"PUT", "POST", "PATCH"}


def examined(running: RunningRegistry, sample: oci.Sample | None = None) -> dict[str, oci.Finding]:
    with running.connect() as client:
        return oci.examine(client, sample or oci.Sample())


def states(found: dict[str, oci.Finding]) -> dict[str, str]:
    return {key: finding.state for key, finding in found.items()}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[RunningRegistry]:
    """A registry as it comes: with deletes switched off."""
    running = RunningRegistry(tmp_path / "registry", delete=False)
    yield running
    running.stop()


def sample_of(running: RunningRegistry, name: str = "team/app") -> oci.Sample:
    """An image pushed just now, and its config."""
    digest = running.push(name)
    with running.connect() as client:
        content = client.manifest(name, digest)
    assert content is not None
    assert isinstance(content.document, oci.Manifest)
    assert content.document.config is not None
    return oci.Sample(name, digest, content.document.config.digest)


def test_a_real_registry_says_what_it_can_and_keeps_all_it_has(registry: RunningRegistry) -> None:
    sample = sample_of(registry, registry.unique())
    asked = len(registry.requests())
    found = examined(registry, sample)
    assert found["family"].detail == oci.families.DISTRIBUTION_2
    assert states(found) == {
        "reachable": "yes",
        "auth": "yes",
        "clock": "yes",
        "family": "yes",
        "catalog": "yes",
        "writes": "yes",
        "deletes": "yes",
        "untags": "no",
        "referrers": "no",
        "ranges": "yes",
    }
    assert found["auth"].detail == "nobody is asked who they are"
    assert not {one.method for one in registry.requests()[asked:]} & CHANGING
    with registry.connect() as client:
        assert list(client.tags(sample.name)) == ["latest"]
        assert client.has_blob(sample.name, oci.Digest(sample.blob))


def test_deletes_that_are_off_are_told_from_a_registry_that_takes_nothing(own: RunningRegistry) -> None:
    sample = sample_of(own)
    found = examined(own, sample)
    assert (found["writes"].state, found["deletes"].state) == ("yes", "no")
    assert found["deletes"].evidence.endswith("405 UNSUPPORTED")
    own.stop()
    own._sections["storage__maintenance"] = READ_ONLY
    own.start()
    found = examined(own, sample)
    assert (found["writes"].state, found["deletes"].state) == ("no", "unknown")
    assert found["writes"].evidence.endswith("Allow: GET, HEAD")


def test_an_empty_registry_of_distribution_answers_for_what_is_not_there(own: RunningRegistry) -> None:
    found = examined(own)
    assert found["deletes"].state == "no"
    assert NOBODY in found["deletes"].evidence
    assert "referrers" not in found
    assert own.storage.exists() is False or not list(own.storage.rglob("_manifests"))


def test_basic_and_tokens_are_told_apart_and_the_token_server_named(tmp_path: Path) -> None:
    basic = registries.basic_registry(tmp_path / "basic")
    found = examined(basic)
    assert found["auth"] == oci.Finding(
        "yes", "user name and password (Basic)", "GET /v2/ without a sign-in: 401"
    )
    assert found["deletes"].state == "yes"
    with oci.Client(basic.url) as stranger:
        found = oci.examine(stranger, oci.Sample())
    assert states(found) == {"clock": "yes", "reachable": "yes", "auth": "no"}
    basic.stop()
    with TokenServer({USER.username: USER.password}) as tokens:
        bearer = registries.bearer_registry(tmp_path / "bearer", tokens)
        found = examined(bearer)
        bearer.stop()
    assert found["auth"].detail == f"tokens (Bearer) from {tokens.realm}"


def test_a_registry_that_is_away_says_nothing_of_the_rest(own: RunningRegistry) -> None:
    own.stop()
    assert states(examined(own)) == {"reachable": "no"}


@pytest.mark.parametrize(
    ("challenge", "family"),
    [
        ('Bearer realm="https://hub.example/service/token",service="harbor-registry"', "Harbor"),
        ('Bearer realm="https://git.example/jwt/auth",service="container_registry"', "GitLab"),
        ('Bearer realm="https://quay.example/v2/auth",service="quay.example"', "Quay"),
        ('Basic realm="https://x.example/",service="ecr.amazonaws.com"', "Amazon ECR"),
    ],
)
def test_a_vendor_is_known_by_how_it_asks_for_a_sign_in(challenge: str, family: str) -> None:
    # It lets strangers in, and says beside that how it would know them.
    with Fake() as fake, oci.Client(fake.url) as client:
        fake.on("GET", r"/v2/", out(200, {}, WWW_Authenticate=challenge))
        found = oci.examine(client, oci.Sample())
    assert found["family"].detail == family
    assert found["family"].evidence.startswith("GET /v2/ without a sign-in: 200, ")


@pytest.mark.parametrize(
    ("host", "family"),
    [
        ("team.azurecr.io", "Azure"),
        ("1234.dkr.ecr.eu-central-1.amazonaws.com", "Amazon ECR"),
        ("ghcr.io", "GitHub"),
        ("registry-1.docker.io", "Docker Hub"),
        ("quay.io", "Quay"),
        ("registry.gitlab.com", "GitLab"),
    ],
)
def test_a_vendors_own_host_says_enough(host: str, family: str) -> None:
    found = oci.families.named(host, oci.families.Greeting(200, {}))
    assert found is not None
    assert found[0] == family


def test_a_host_that_only_sounds_like_a_vendors_proves_nothing() -> None:
    for host in ("ghcr.io.example", "notquay.io", "azurecr.io.example.com"):
        assert oci.families.named(host, oci.families.Greeting(200, {})) is None


def test_gitlab_tells_its_version() -> None:
    with Fake() as fake, oci.Client(fake.url) as client:
        fake.on("GET", r"/v2/", out(200, {}, Gitlab_Container_Registry_Version="4.36.0-gitlab"))
        found = oci.examine(client, oci.Sample())
    assert found["family"].detail == "GitLab 4.36.0-gitlab"


def test_zot_is_known_by_its_extensions_and_untags() -> None:
    with Fake() as fake, oci.Client(fake.url) as client:
        fake.on("GET", r"/v2/_oci/ext/discover", out(200, {"extensions": []}))
        found = oci.examine(client, oci.Sample("team/app"))
    assert found["family"].detail == "zot"
    assert found["untags"].state == "yes"


def test_what_gives_no_proof_stays_unknown() -> None:
    with Fake() as fake, oci.Client(fake.url) as client:
        fake.on("GET", r"/v2/", out(200, {}, Server="Nexus/3.70.0"))
        fake.on("GET", r"/v2/_catalog", error(403, "DENIED"))
        fake.on("DELETE", r".*", error(403, "DENIED"))
        found = oci.examine(client, oci.Sample("team/app"))
    assert found["family"].state == "unknown"
    assert found["family"].detail == "It calls itself Nexus/3.70.0"
    assert found["catalog"].state == "no"
    assert found["deletes"].state == "unknown"
    assert found["writes"].state == "unknown"


def test_without_a_repository_only_distribution_is_believed_about_deletes() -> None:
    with Fake() as fake, oci.Client(fake.url) as client:
        fake.on("GET", r"/v2/_oci/ext/discover", out(200, {"extensions": []}))
        found = oci.examine(client, oci.Sample())
    assert found["deletes"] == oci.Finding("unknown", "No repository is known to ask about.")


def test_a_gateway_that_answers_for_a_registry_does_not_make_it_read_only() -> None:
    with Fake() as fake, oci.Client(fake.url) as client:
        fake.on("OPTIONS", r".*", out(200, Allow="GET, HEAD, OPTIONS"))
        assert oci.examine(client, oci.Sample("team/app"))["writes"].state == "unknown"
        fake.on("DELETE", r".*", error(405, "UNSUPPORTED"))
        found = oci.examine(client, oci.Sample("team/app"))
        assert (found["writes"].state, found["deletes"].state) == ("unknown", "no")
        fake.on("DELETE", r".*", out(405, b"Method not allowed", "text/plain"))
        assert oci.examine(client, oci.Sample("team/app"))["writes"].state == "no"


def test_a_registry_that_dies_meanwhile_leaves_the_rest_unsaid() -> None:
    with Fake() as fake, oci.Client(fake.url, timeout=oci.Timeout(pause=0.01)) as client:
        fake.on("OPTIONS", r".*", Out(raw=b""))
        found = oci.examine(client, oci.Sample("team/app"))
    assert "catalog" in found
    assert not {"writes", "deletes", "untags"} & found.keys()


@pytest.mark.parametrize(("date", "state"), [("Thu, 01 Jan 2015 00:00:00 GMT", "no"), ("soon", "unknown")])
def test_a_clock_that_is_wrong_shows(date: str, state: str) -> None:
    with Fake() as fake, oci.Client(fake.url) as client:
        fake.on("GET", r"/v2/", out(200, {}, Date=date))
        assert oci.examine(client, oci.Sample())["clock"].state == state


def test_a_registry_that_ignores_ranges_and_one_that_has_the_referrers_api() -> None:
    with Fake() as fake, oci.Client(fake.url) as client:

        def whole(ask: Ask) -> Out | None:
            return out(200, b"all of it") if "Range" in ask.headers else None

        fake.on("GET", r".*/blobs/.*", whole)
        digest = oci.Digest.of(b"x")
        found = oci.examine(client, oci.Sample("team/app", digest, digest))
    assert found["ranges"].state == "no"
    assert found["referrers"].state == "yes"
