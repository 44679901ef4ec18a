"""Credentials stay with the registry, wherever it sends us."""

from collections.abc import Iterator

import pytest

from regui import oci
from tests import images
from tests.fake import Fake
from tests.memory import Out, out
from tests.oci.calls import BODY, DIGEST, NAME, Call

ALICE = oci.Credentials("alice", "s3cret-word")
ASKS_FOR_BASIC = out(401, Www_Authenticate='Basic realm="x"')


def signed_in(fake: Fake) -> None:
    """Have the fake ask for Basic."""
    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        fake.on(method, ".*", lambda ask: None if "Authorization" in ask.headers else ASKS_FOR_BASIC)


@pytest.fixture
def store() -> Iterator[Fake]:
    """Another host, which keeps the blobs."""
    with Fake() as running:
        running.on("GET", ".*", out(200, BODY))
        yield running


@pytest.fixture
def alice(fake: Fake) -> Iterator[oci.Client]:
    """A client that signs in."""
    signed_in(fake)
    with oci.Client(fake.url, credentials=ALICE) as client:
        yield client


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_blob_elsewhere_is_read_without_credentials(
    fake: Fake, store: Fake, alice: oci.Client, status: int
) -> None:
    fake.on(
        "GET",
        ".*/blobs/.*",
        lambda ask: out(status, Location=f"{store.url}/b?sig=1") if ask.headers["Authorization"] else None,
    )

    assert alice.read_blob(NAME, DIGEST) == BODY
    assert b"".join(alice.blob(NAME, DIGEST)) == BODY
    assert alice.has_blob(NAME, DIGEST)

    assert len(store.seen) == 3
    assert all("Authorization" not in ask.headers and "Cookie" not in ask.headers for ask in store.seen)
    assert {ask.raw_query for ask in store.seen} == {"sig=1"}
    assert store.seen[-1].headers["Range"] == "bytes=0-0"


def test_another_port_of_the_same_host_is_another_host(fake: Fake, store: Fake, alice: oci.Client) -> None:
    fake.on("GET", ".*/blobs/.*", out(307, Location=f"http://127.0.0.1:{store.port}/b"))

    alice.read_blob(NAME, DIGEST)

    assert "Authorization" not in store.seen[0].headers


def test_a_redirect_within_the_registry_stays_signed_in(fake: Fake, alice: oci.Client) -> None:
    fake.on("GET", ".*/blobs/.*", out(307, Location="/v2/elsewhere"))
    fake.on("GET", "/v2/elsewhere", out(200, BODY))
    signed_in(fake)

    assert alice.read_blob(NAME, DIGEST) == BODY
    assert "Authorization" in fake.seen[-1].headers


def test_a_redirect_elsewhere_and_back_signs_in_again(fake: Fake, store: Fake, alice: oci.Client) -> None:
    fake.on("GET", ".*/blobs/.*", out(307, Location=f"{store.url}/there"))
    store.on("GET", "/there", out(307, Location=f"{fake.url}/v2/back"))
    fake.on("GET", "/v2/back", out(200, BODY))

    assert alice.read_blob(NAME, DIGEST) == BODY
    assert "Authorization" not in store.seen[0].headers
    assert "Authorization" in fake.seen[-1].headers


def test_a_401_elsewhere_gets_no_password(fake: Fake, store: Fake, alice: oci.Client) -> None:
    fake.on("GET", ".*/blobs/.*", out(307, Location=f"{store.url}/b"))
    store.on("GET", ".*", ASKS_FOR_BASIC)

    with pytest.raises(oci.Refused) as caught:
        alice.read_blob(NAME, DIGEST)

    assert store.host in str(caught.value)
    assert len(store.seen) == 1
    assert "Authorization" not in store.seen[0].headers


def test_a_blob_that_has_gone_elsewhere_is_not_found(fake: Fake, store: Fake, client: oci.Client) -> None:
    fake.on("GET", ".*/blobs/.*", out(307, Location=f"{store.url}/b?X-Signature=hidden"))
    store.on("GET", ".*", out(404, b"<Error>/b?X-Signature=hidden</Error>", "application/xml"))

    assert not client.has_blob(NAME, DIGEST)
    with pytest.raises(oci.BlobUnknown) as caught:
        client.read_blob(NAME, DIGEST)
    assert "hidden" not in f"{caught.value} {caught.value.hint} {caught.value.detail}"


def test_a_manifest_may_be_elsewhere_too(fake: Fake, store: Fake, alice: oci.Client) -> None:
    """registry.k8s.io sends every reader on to another host."""
    built = images.image()
    fake.on("GET", ".*/manifests/.*", out(307, Location=f"{store.url}/m"))
    store.on("GET", "/m", out(200, built.body, built.media_type))

    content = alice.manifest(NAME, built.digest)

    assert content
    assert content.digest == built.digest
    assert "Authorization" not in store.seen[0].headers


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/v2/", lambda client: client.ping()),
        ("/v2/_catalog", lambda client: list(client.catalog())),
        ("/v2/team/app/tags/list", lambda client: list(client.tags(NAME))),
    ],
)
def test_listings_come_from_the_registry_alone(
    fake: Fake, store: Fake, alice: oci.Client, path: str, call: Call
) -> None:
    fake.on("GET", path, out(302, Location=f"{store.url}/login"))

    with pytest.raises(oci.NotARegistry):
        call(alice)

    assert store.seen == []


def test_http_that_wants_to_be_https_says_which_address_to_use(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", "/v2/", out(301, Location=f"https://127.0.0.1:{fake.port}/v2/"))

    with pytest.raises(oci.NotARegistry) as caught:
        client.ping()

    assert f"https://127.0.0.1:{fake.port}" in caught.value.hint


@pytest.mark.parametrize(
    ("method", "change"),
    [
        ("PUT", lambda client: client.put_manifest(NAME, "latest", b"{}", oci.OCI_MANIFEST)),
        ("POST", lambda client: client.start_upload(NAME)),
        ("DELETE", lambda client: client.delete_manifest(NAME, DIGEST)),
    ],
)
def test_changes_are_not_redirected(
    fake: Fake, store: Fake, alice: oci.Client, method: str, change: Call
) -> None:
    fake.on(method, ".*", out(307, Location=f"{store.url}/v2/team/app"))

    with pytest.raises(oci.NotARegistry):
        change(alice)

    assert store.seen == []


@pytest.mark.parametrize("location", ["", "ftp://x/y", "http://", "http://a:b@127.0.0.1/x", "http://[", "//"])
def test_a_redirect_to_nowhere(fake: Fake, client: oci.Client, location: str) -> None:
    fake.on("GET", ".*", out(307, Location=location))

    with pytest.raises(oci.Misbehaved):
        client.read_blob(NAME, DIGEST)


def test_the_body_of_a_redirect_is_not_read(fake: Fake, store: Fake, client: oci.Client) -> None:
    fake.on(
        "GET",
        ".*/blobs/.*",
        Out(307, b"x", (("Location", f"{store.url}/b"), ("Content-Length", "9999999999"))),
    )

    assert client.read_blob(NAME, DIGEST) == BODY


def test_a_redirect_in_circles_ends(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", ".*", out(307, Location="/v2/again"))

    with pytest.raises(oci.Misbehaved):
        client.read_blob(NAME, DIGEST)

    assert len(fake.seen) == 5


def test_an_upload_goes_on_at_the_registry_whatever_host_it_names(
    fake: Fake, store: Fake, alice: oci.Client
) -> None:
    """Behind a proxy the registry often names itself by an inner address."""
    place = f"{store.url}/v2/team/app/blobs/uploads/1?_state=a%2Bb"
    fake.on("POST", ".*", out(202, Location=place))
    fake.on("PUT", ".*", out(201))
    signed_in(fake)

    alice.push_blob(NAME, BODY)

    assert store.seen == []
    assert fake.seen[-1].path == "/v2/team/app/blobs/uploads/1"
    assert fake.seen[-1].query == {"_state": "a+b", "digest": DIGEST}


@pytest.mark.parametrize("location", ["", "/elsewhere", "https://[", "ftp://x"])
def test_an_upload_without_a_place(fake: Fake, client: oci.Client, location: str) -> None:
    fake.on("POST", ".*", out(202, Location=location))

    with pytest.raises(oci.Misbehaved):
        client.start_upload(NAME)


def test_an_upload_behind_a_prefix() -> None:
    for place in (
        "/proxy/v2/team/app/blobs/uploads/1",
        "/v2/team/app/blobs/uploads/1",
        "1",
        "http://inner/v2/team/app/blobs/uploads/1",
    ):
        with Fake(base="/proxy") as fake, oci.Client(fake.url) as client:
            fake.on("POST", ".*", out(202, Location=place))
            fake.on("PUT", "/v2/team/app/blobs/uploads/1", out(201))

            assert client.push_blob(NAME, BODY) == DIGEST


def test_no_cookie_is_kept(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", "/v2/", out(200, {}, Set_Cookie="session=1"))

    client.ping()
    client.ping()

    assert "Cookie" not in fake.seen[1].headers


def test_nothing_is_taken_from_a_netrc(
    fake: Fake, client: oci.Client, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    client.ping()

    assert "Authorization" not in fake.seen[0].headers


def test_a_registry_that_repeats_the_password_is_not_quoted(fake: Fake, alice: oci.Client) -> None:
    words = f"no {ALICE.password} nor {ALICE.basic}"
    fake.on("GET", ".*/tags/list", Out(400, words.encode(), (("Content-Type", "text/plain"),)))

    with pytest.raises(oci.Invalid) as caught:
        list(alice.tags(NAME))

    assert "no ••• nor Basic •••" in caught.value.detail
    assert ALICE.password not in repr(ALICE)
