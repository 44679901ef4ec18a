"""Where no request goes, whoever sends us there and however it is spelled."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import requests

from regui import oci
from regui.oci import addresses
from tests.fake import Fake
from tests.memory import out
from tests.oci.calls import BODY, DIGEST, NAME, Call, every_call
from tests.oci.conftest import SOON

ROOT = Path(__file__).parents[2]
METADATA = "169.254.169.254"
# The same address, as a resolver understands it.
SPELLINGS = [
    METADATA,
    "2852039166",
    "0xa9fea9fe",
    "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "169.16689662",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]",
    "[fd00:ec2::254]",
    "100.100.100.200",
]
PORTS = {"http": 80, "https": 443}


@pytest.mark.parametrize("scheme", PORTS)
@pytest.mark.parametrize("host", SPELLINGS)
def test_a_registry_there_is_not_asked(host: str, scheme: str, direct: bool) -> None:
    with (
        oci.Client(f"{scheme}://{host}", direct=direct, timeout=SOON) as client,
        pytest.raises(oci.OffLimits, match="which regui doesn't connect to") as caught,
    ):
        client.ping()

    assert "never allowed" in caught.value.hint


@every_call
def test_no_call_goes_there(call: Call, direct: bool) -> None:
    with (
        oci.Client("http://169.254.1.1:5000", direct=direct) as client,
        pytest.raises(oci.OffLimits) as caught,
    ):
        call(client)

    assert "REGUI_ALLOW_LINK_LOCAL" in caught.value.hint


@pytest.mark.parametrize("change", ["put", "delete", "upload", "mount"])
def test_no_change_goes_there(change: str, direct: bool) -> None:
    changes: dict[str, Call] = {
        "put": lambda client: client.put_manifest(NAME, "latest", b"{}", oci.OCI_MANIFEST),
        "delete": lambda client: client.delete_manifest(NAME, DIGEST),
        "upload": lambda client: client.push_blob(NAME, BODY),
        "mount": lambda client: client.start_upload(NAME),
    }
    with oci.Client("http://169.254.1.1:5000", direct=direct) as client, pytest.raises(oci.OffLimits):
        changes[change](client)


@pytest.mark.parametrize("host", SPELLINGS)
def test_a_blob_there_is_not_read(fake: Fake, client: oci.Client, host: str) -> None:
    fake.on("GET", ".*/blobs/.*", out(307, Location=f"http://{host}/latest/meta-data/iam/"))

    with pytest.raises(oci.OffLimits):
        client.read_blob(NAME, DIGEST)

    assert len(fake.seen) == 1, "asking again would change nothing"


def test_neither_by_way_of_another_host(fake: Fake, client: oci.Client) -> None:
    with Fake() as store:
        fake.on("GET", ".*/blobs/.*", out(307, Location=f"{store.url}/b"))
        store.on("GET", "/b", out(302, Location=f"http://{METADATA}/latest/meta-data/"))

        with pytest.raises(oci.OffLimits):
            client.read_blob(NAME, DIGEST)


@pytest.mark.parametrize("credentials", [None, oci.Credentials("alice", "s3cret-word")])
@pytest.mark.parametrize("host", SPELLINGS)
def test_a_token_server_there_is_not_asked(
    fake: Fake, direct: bool, host: str, credentials: oci.Credentials | None
) -> None:
    scheme = "https" if credentials else "http"
    realm = f"{scheme}://{host}/latest/api/token"
    fake.on("GET", ".*", out(401, Www_Authenticate=f'Bearer realm="{realm}",service="x"'))

    with (
        oci.Client(fake.url, credentials=credentials, timeout=SOON, direct=direct) as client,
        pytest.raises(oci.OffLimits),
    ):
        list(client.tags(NAME))


def test_a_next_page_there_is_not_read(fake: Fake, client: oci.Client) -> None:
    fake.on(
        "GET",
        ".*/tags/list",
        out(200, {"tags": ["1"]}, Link=f'<http://{METADATA}/v2/team/app/tags/list?last=1>; rel="next"'),
    )

    with pytest.raises(oci.Error):
        list(client.tags(NAME))

    assert {ask.headers["Host"] for ask in fake.seen} == {fake.host}


def test_loopback_and_private_networks_are_fine() -> None:
    for text in (
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "fd12::1",
        "100.64.0.1",
        "8.8.8.8",
    ):
        assert not addresses.is_off_limits(ip_address(text)), text


@pytest.mark.parametrize("text", ["169.254.1.1", "fe80::1", "::ffff:169.254.1.1", "64:ff9b::a9fe:101"])
def test_link_local_addresses_can_be_allowed(text: str) -> None:
    assert addresses.is_off_limits(ip_address(text))
    assert not addresses.is_off_limits(ip_address(text), link_local=True)


@pytest.mark.parametrize("host", SPELLINGS)
def test_a_clouds_metadata_can_not(host: str, direct: bool) -> None:
    with (
        oci.Client(f"http://{host}", direct=direct, link_local=True) as client,
        pytest.raises(oci.OffLimits),
    ):
        client.ping()


def test_of_several_addresses_only_the_others_are_tried(fake: Fake) -> None:
    def resolve(host: str, port: int, *_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (one, port)) for one in (METADATA, "127.0.0.1")]

    with addresses.connect("both.example", fake.port, timeout=5, resolve=resolve) as sock:
        assert sock.getpeername() == ("127.0.0.1", fake.port)


def test_a_name_is_resolved_once_for_each_connection(fake: Fake) -> None:
    """Asked twice, it could be harmless the first time and lead elsewhere the second."""
    answers = [["127.0.0.1"], [METADATA]]

    def resolve(host: str, port: int, *_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (one, port)) for one in answers.pop(0)]

    addresses.connect("rebound.example", fake.port, timeout=5, resolve=resolve).close()
    assert answers == [[METADATA]]
    with pytest.raises(addresses.OffLimits):
        addresses.connect("rebound.example", fake.port, timeout=5, resolve=resolve)


def alone(*ways: str) -> list[str]:
    """What runs a command with a view of its own on file systems or networks; skips where nothing may."""
    start = [shutil.which("unshare") or "unshare", "--map-root-user", *ways]
    if subprocess.run([*start, "true"], capture_output=True, check=False).returncode:
        pytest.skip("nothing here may have names and networks of its own")
    return start


def printed(command: list[str]) -> list[str]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


NAMES = f"{METADATA} metadata.example\n169.254.1.1 near.example\n127.0.0.1 localhost\n"
ASKING = """
import sys
from regui import oci
for host in ("metadata.example", "near.example"):
    for direct in (False, True):
        try:
            oci.Client(f"http://{host}:5000", direct=direct).ping()
        except oci.OffLimits as error:
            print(error)
"""


def test_a_name_that_leads_there_is_told_by_where_it_leads(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text(NAMES)
    mounted = f'mount --bind "{hosts}" /etc/hosts && exec "$@"'

    said = printed([*alone("--mount"), "sh", "-c", mounted, "sh", sys.executable, "-c", ASKING])

    assert said == [
        *[f"metadata.example:5000 leads to {METADATA}, which regui doesn't connect to."] * 2,
        *["near.example:5000 leads to 169.254.1.1, which regui doesn't connect to."] * 2,
    ]


NEAR = """
import threading
from regui import oci
from tests.fake import Fake, Server, handler
with Fake() as fake, Server(("169.254.1.1", 0), handler(fake)) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for allowed in (False, True):
        for direct in (False, True):
            client = oci.Client(f"http://169.254.1.1:{server.server_port}", direct=direct, link_local=allowed)
            try:
                print(client.ping().api_version)
            except oci.OffLimits:
                print("off limits")
"""


def test_a_registry_on_a_link_local_address_is_read_when_that_is_allowed() -> None:
    near = 'ip link set lo up && ip addr add 169.254.1.1/16 dev lo && exec "$@"'

    said = printed([*alone("--net"), "sh", "-c", near, "sh", sys.executable, "-c", NEAR])

    assert said == ["off limits", "off limits", "registry/2.0", "registry/2.0"]


@pytest.fixture
def session() -> Iterator[oci.Session]:
    with oci.Session() as opened:
        yield opened


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_session_goes_there(session: oci.Session, fake: Fake, host: str) -> None:
    fake.on("GET", "/there", out(302, Location=f"http://{host}/latest/"))

    for url in (f"http://{host}/", f"https://{host}/", f"{fake.url}/there"):
        with pytest.raises(requests.ConnectionError, match="off limits"):
            session.get(url)


def test_a_session_takes_nothing_from_the_environment(
    session: oci.Session, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    fake.on("GET", "/here", out(200, {"fine": True}))

    assert session.get(f"{fake.url}/here").json() == {"fine": True}


def test_a_session_follows_few_redirects(session: oci.Session, fake: Fake) -> None:
    fake.on("GET", ".*", out(302, Location="/again"))

    with pytest.raises(requests.TooManyRedirects):
        session.get(f"{fake.url}/")

    assert len(fake.seen) == 4
