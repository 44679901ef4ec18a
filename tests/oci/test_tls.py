"""TLS: authorities of one's own, client certificates, and every way it goes wrong."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from regui import oci
from regui.oci import faults
from tests import registry
from tests.fake import Fake
from tests.memory import out
from tests.registry import RunningRegistry

BODY = b"some bytes"
DIGEST = oci.Digest.of(BODY)


@dataclass(frozen=True)
class Authority:
    """A certificate authority, and the file that says so."""

    made: trustme.CA
    file: Path

    def server(self, *names: str, expired: bool = False) -> ssl.SSLContext:
        """What a server of that name speaks TLS with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        end = datetime.now(UTC) + timedelta(days=-1 if expired else 1)
        self.made.issue_cert(*names, not_before=end - timedelta(days=30), not_after=end).configure_cert(
            context
        )
        return context

    def client(self, folder: Path) -> tuple[str, str]:
        """A client certificate's file and its key's."""
        issued = self.made.issue_cert("regui@example.com")
        cert, key = folder / "client.pem", folder / "client.key"
        issued.cert_chain_pems[0].write_to_path(str(cert))
        issued.private_key_pem.write_to_path(str(key))
        return str(cert), str(key)


def authority(folder: Path) -> Authority:
    made = trustme.CA()
    made.cert_pem.write_to_path(str(folder / "ca.pem"))
    return Authority(made, folder / "ca.pem")


def refused(client: oci.Client, why: str) -> oci.Error:
    """The error that says so when the client's first call is refused for a certificate."""
    with client, pytest.raises(oci.BadCertificate, match=why) as caught:
        client.ping()
    return caught.value


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("others"))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, others: Authority) -> Iterator[RunningRegistry]:
    """A real registry that wants a client certificate from the other authority."""
    running = registry.tls_registry(tmp_path_factory.mktemp("tls"), client_ca=others.file)
    yield running
    running.stop()


def test_a_private_authority_is_trusted_when_named(ours: Authority, direct: bool) -> None:
    with Fake(context=ours.server("127.0.0.1")) as fake:
        with oci.Client(fake.url, verify=str(ours.file), direct=direct) as client:
            assert client.ping()
        assert "CA file" in refused(oci.Client(fake.url, direct=direct), "unable to get local issuer").hint


def test_another_authority_does_not_vouch(ours: Authority, others: Authority, direct: bool) -> None:
    with Fake(context=ours.server("127.0.0.1")) as fake:
        refused(oci.Client(fake.url, verify=str(others.file), direct=direct), "unable to get local issuer")
        assert fake.seen == []


def test_the_environment_overrides_nothing(ours: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """requests takes the authorities from the environment, unless it is kept from it."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(ours.file))
    with Fake(context=ours.server("127.0.0.1")) as fake:
        refused(oci.Client(fake.url), "unable to get local issuer")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "/nowhere")
    with (
        Fake(context=ours.server("127.0.0.1")) as fake,
        oci.Client(fake.url, verify=str(ours.file)) as client,
    ):
        assert client.ping()


def test_verification_can_be_switched_off_without_a_warning(ours: Authority, direct: bool) -> None:
    with (
        Fake(context=ours.server("elsewhere.example")) as fake,
        oci.Client(fake.url, verify=False, direct=direct) as client,
    ):
        assert client.ping()


def test_a_certificate_for_another_host(ours: Authority, direct: bool) -> None:
    with Fake(context=ours.server("elsewhere.example")) as fake:
        refused(oci.Client(fake.url, verify=str(ours.file), direct=direct), "IP address mismatch")


def test_a_certificate_that_has_expired(ours: Authority, direct: bool) -> None:
    context = ours.server("127.0.0.1", expired=True)
    with Fake(context=context) as fake:
        refused(oci.Client(fake.url, verify=str(ours.file), direct=direct), "expired")


def test_a_client_certificate_is_shown_to_the_registry_alone(
    ours: Authority, others: Authority, tmp_path_factory: pytest.TempPathFactory, direct: bool
) -> None:
    pair = others.client(tmp_path_factory.mktemp("client"))
    context = ours.server("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(others.file)
    with Fake(context=context) as fake, Fake(context=context) as store:
        fake.on("GET", ".*/blobs/.*", out(307, Location=f"{store.url}/b"))
        store.on("GET", ".*", out(200, BODY))
        with oci.Client(fake.url, verify=str(ours.file), cert=pair, direct=direct) as client:
            assert client.ping()
            with pytest.raises(oci.Unreachable):
                client.read_blob("team/app", DIGEST)
        assert store.seen == []


def test_a_private_authority_vouches_for_the_blob_store_too(ours: Authority, direct: bool) -> None:
    with Fake(context=ours.server("127.0.0.1")) as fake, Fake(context=ours.server("127.0.0.1")) as store:
        fake.on("GET", ".*/blobs/.*", out(307, Location=f"{store.url}/b"))
        store.on("GET", ".*", out(200, BODY))
        with oci.Client(fake.url, verify=str(ours.file), direct=direct) as client:
            assert client.read_blob("team/app", DIGEST) == BODY


def test_no_redirect_leads_out_of_tls(ours: Authority, fake: Fake, direct: bool) -> None:
    with Fake(context=ours.server("127.0.0.1")) as safe:
        safe.on("GET", ".*/blobs/.*", out(307, Location=f"{fake.url}/b"))
        with (
            oci.Client(safe.url, verify=str(ours.file), direct=direct) as client,
            pytest.raises(oci.Misbehaved),
        ):
            client.read_blob("team/app", DIGEST)

    assert fake.seen == []


def test_a_real_registry_that_wants_a_client_certificate(
    real: RunningRegistry, others: Authority, ours: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with real.connect(cert=others.client(tmp_path_factory.mktemp("right"))) as client:
        assert client.ping()
        assert client.push_blob("team/app", BODY) == DIGEST
    # Whether the registry's reason arrives before its end of the connection does is a matter of luck.
    with real.connect() as client, pytest.raises(oci.Unreachable):
        client.ping()
    wrong = ours.client(tmp_path_factory.mktemp("wrong"))
    with real.connect(cert=wrong) as client, pytest.raises(oci.Unreachable):
        client.ping()


def test_certificates_may_be_text_instead_of_files(
    ours: Authority, others: Authority, tmp_path_factory: pytest.TempPathFactory, direct: bool
) -> None:
    cert, key = (Path(path).read_text() for path in others.client(tmp_path_factory.mktemp("client")))
    context = ours.server("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(others.file)
    authorities = oci.Pem(ours.file.read_text())
    with Fake(context=context) as fake:
        with oci.Client(fake.url, verify=authorities, cert=oci.Pem(cert + key), direct=direct) as client:
            assert client.ping()
        refused(oci.Client(fake.url, verify=oci.Pem(others.file.read_text()), direct=direct), "certificate")


def test_text_that_holds_no_certificate_is_an_error_that_does_not_repeat_it(
    others: Authority, ours: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cert, key = (Path(path).read_text() for path in others.client(tmp_path_factory.mktemp("client")))
    foreign = Path(ours.client(tmp_path_factory.mktemp("foreign"))[1]).read_text()
    oci.check_identity(oci.Pem(cert + key))
    for text in ("", "hunter2", cert, key, cert + foreign, "ä"):
        with pytest.raises(oci.BadCertificate) as caught:
            oci.check_identity(oci.Pem(text))
        assert not text or text not in f"{caught.value} {caught.value.hint}"
    oci.check_authorities(oci.Pem(others.file.read_text()))
    for text in ("", "hunter2", key, "ä"):
        with pytest.raises(oci.BadCertificate):
            oci.check_authorities(oci.Pem(text))
    assert "hunter2" not in repr(oci.Pem("hunter2"))


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required", oci.BadCertificate),
        ("[SSL: SSLV3_ALERT_BAD_CERTIFICATE] sslv3 alert bad certificate", oci.BadCertificate),
        ("[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca", oci.BadCertificate),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", oci.NotARegistry),
        ("[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version", oci.Unreachable),
    ],
)
def test_what_a_failed_handshake_means(reason: str, kind: type[oci.Error]) -> None:
    assert type(faults.translate(ssl.SSLError(1, reason), "host")) is kind


def test_http_to_a_port_that_speaks_https(real: RunningRegistry) -> None:
    with oci.Client(f"http://127.0.0.1:{real.port}") as client, pytest.raises(oci.NotARegistry) as caught:
        client.ping()

    assert "https://" in caught.value.hint


def test_https_to_a_port_that_speaks_http(fake: Fake, direct: bool) -> None:
    with (
        oci.Client(f"https://{fake.host}", direct=direct) as client,
        pytest.raises(oci.NotARegistry) as caught,
    ):
        client.ping()

    assert "http://" in caught.value.hint


@pytest.mark.parametrize("content", ["", "not a certificate"])
def test_files_that_are_no_certificates(tmp_path: Path, content: str) -> None:
    file = tmp_path / "file.pem"
    file.write_text(content)

    for options in ({"verify": str(file)}, {"cert": str(file)}, {"cert": (str(file), str(file))}):
        with pytest.raises(oci.BadCertificate):
            oci.Client("https://registry.example", **options)
    with pytest.raises(oci.BadCertificate):
        oci.Client("https://registry.example", verify=str(tmp_path / "missing.pem"))
