"""No secret appears in a log, on a page, in an error or in the database.

regui runs for real, its log as loud as it gets, while all is done to it that can go wrong. Who adds a secret
to regui adds it to `SECRETS`, or hands it to `Outcome.made` where it comes into being, and does in `drive`
whatever could let it out.
"""

import base64
import html
import http.client
import json
import re
import shutil
import sqlite3
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
import trustme

from regui import oci
from tests import images
from tests.addresses import API, addresses
from tests.fake import Fake
from tests.memory import Ask, Out, out
from tests.notifications import V1, envelope, event
from tests.secrecy import files, leaks
from tests.serving import Running, regui, serving

ROOT = Path(__file__).parent.parent
ALICE = "alice-of-the-registry"
# By the setting. The odd characters are those that something might escape.
SECRETS = {
    "REGUI_SECRET_KEY": "hidden-key-of-regui-5b2c8f1d7e9a0346c1f5e8d2b7a9034655aa",
    "REGUI_SECRET_KEY_OLD": "hidden-older-key-of-regui-9d8c7b6a5f4e3d2c1b0a99887766554433",
    "REGUI_REGISTRY_MAIN_PASSWORD": 'hidden-main-7f3a"&<%@/é',
    "REGUI_REGISTRY_MAIN_EVENTS_TOKEN": "hidden-events-19ce&<4d",
    "REGUI_REGISTRY_WRONG_PASSWORD": "hidden-wrong-88b1",
    "REGUI_REGISTRY_TOKENS_PASSWORD": "hidden-tokens-e02f",
    "REGUI_REGISTRY_TLS_PASSWORD": "hidden-tls-55d7",
    "REGUI_REGISTRY_GONE_PASSWORD": "hidden-gone-c3c3",
    "REGUI_REGISTRY_METADATA_PASSWORD": "hidden-metadata-0d1e",
    "REGUI_OIDC_CLIENT_SECRET": "hidden-client-1f2e",
    "REGUI_LDAP_BIND_PASSWORD": "hidden-bind-3d4c",
    "REGUI_REGISTRY_OWN_PASSWORD": "hidden-own-6e2f",
    "REGUI_EMAIL_URL": "smtp://regui:hidden-mail-2b6d@127.0.0.1:1",
    "REGUI_CLEANUP_WEBHOOK_URL": "http://127.0.0.1:1/hidden-hook-77c2",
    "REGUI_CLEANUP_WEBHOOK_SECRET": "hidden-signing-5a1c",
}
REGISTRIES = ("main", "wrong", "tokens", "tls", "gone", "metadata", "own")
# Pages and answers that tell how it stands with a registry.
TELLING = (
    *("/{}/", "/{}/team/app/", "/{}/team/app/-/tags/1.0/", "/{}/-/capabilities/", "/{}/-/storage/"),
    *("/api/v1/registries/{}", "/api/v1/registries/{}/repositories"),
)
# What a token server gave for a password, and what a storage wants to see in an address.
TOKEN, SIGNED = "hidden-bearer-3a91f7", "hidden-signature-77ab"
GUESS = "hidden-guess-at-a-hook"
# What people enter into forms.
TYPED, MISTYPED = "hidden-typed-a1b2&<", "hidden-mistyped-c3d4"


@dataclass
class Outcome:
    """What came out, by where it did; the secrets that were made on the way; and the settings it ran with."""

    places: dict[str, bytes] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class Visitor:
    """A browser that keeps what it is told."""

    site: Running
    outcome: Outcome
    token: str = "t" * 32
    session: str = ""

    def ask(
        self, method: str, path: str, body: str = "", *, note: bool = True, **headers: str
    ) -> tuple[int, str]:
        """Status and text of the answer, which is among the places unless it is told not to `note` it."""
        connection = http.client.HTTPConnection(urlsplit(self.site.url).netloc, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        cookies = f"regui_csrftoken={self.token}; {self.session}"
        connection.request(method, path, body.encode(), {"Cookie": cookies} | named)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            if cookie.startswith("regui_session="):
                self.session = cookie.partition(";")[0]
        if note:
            place = f"{method} {path} ({len(self.outcome.places)})"
            self.outcome.places[place] = str(answer.headers).encode() + text
        return answer.status, text.decode("utf-8", "replace")

    def form(self, path: str, *, note: bool = True, **fields: str) -> tuple[int, str]:
        """The same, of a form with these fields."""
        body = urlencode({"csrfmiddlewaretoken": self.token, **fields})
        return self.ask("POST", path, body, note=note, Content_Type="application/x-www-form-urlencoded")


def setting(registry: str) -> str:
    """The setting that holds that registry's password."""
    return f"REGUI_REGISTRY_{registry.upper()}_PASSWORD"


def pair(registry: str) -> str:
    """What Basic authentication makes of that registry's user and password."""
    return oci.Credentials(ALICE, SECRETS[setting(registry)]).basic


def locked(fake: Fake, header: str, challenge: str) -> None:
    """Have the fake let in only who sends this header."""
    refusal = out(401, Www_Authenticate=challenge)
    for method in ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"):
        fake.on(method, ".*", lambda ask: None if ask.headers["Authorization"] == header else refusal)


def repeats(ask: Ask) -> Out:
    """A refusal that quotes what it was asked with."""
    words = f"{ask.headers['Authorization']} {SECRETS['REGUI_REGISTRY_MAIN_PASSWORD']}"
    return Out(400, words.encode(), (("Content-Type", "text/plain; charset=utf-8"),))


def tried(fake: Fake) -> set[str]:
    return {ask.headers.get("Authorization", "") for ask in fake.seen}


# A directory that nobody runs.
DIRECTORY = {
    "REGUI_LDAP_URL": "ldap://127.0.0.1:1",
    "REGUI_LDAP_USER_BASE": "ou=people,dc=example",
    "REGUI_LDAP_BIND_DN": "cn=regui,dc=example",
}
# To whom summaries of runs go.
READERS = {"REGUI_EMAIL_FROM": "regui@example.com", "REGUI_CLEANUP_EMAIL_TO": "team@example.com"}


def endpoints(url: str) -> dict[str, str]:
    """How a provider of sign-in describes itself."""
    places = {"authorization_endpoint": "sign-in", "token_endpoint": "token", "jwks_uri": "keys"}
    return {"issuer": url} | {name: f"{url}/{path}" for name, path in places.items()}


@contextmanager
def registries(folder: Path, outcome: Outcome) -> Iterator[dict[str, str]]:
    """A registry for each kind of trouble, as settings."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    client = folder / "client.pem"
    authority.issue_cert("regui").private_key_and_cert_chain_pem.write_to_path(str(client))
    outcome.made["the client certificate's key"] = client.read_text().splitlines()[2]
    with Fake() as gone:
        pass
    with (
        Fake() as main,
        Fake() as wrong,
        Fake() as tokens,
        Fake(context=context) as tls,
        Fake() as metadata,
        Fake() as own,
        Fake() as provider,
        Fake() as server,
        Fake() as store,
    ):
        for fake in (main, tokens):
            with oci.Client(fake.url) as pushing:
                images.push(pushing, "team/app", images.image(), ["1.0"])
                images.push(pushing, "team/echo", images.image(), ["1.0"])
        main.on("GET", "/v2/team/echo/tags/list", repeats)
        main.on("GET", "/v2/.*/blobs/.*", out(307, Location=f"{store.url}/b?X-Signature={SIGNED}"))
        store.on("GET", "/b", out(403, f"no {SIGNED}".encode(), "text/plain"))
        server.on("GET", "/token", out(200, {"token": TOKEN}))
        provider.on("GET", "/.well-known/openid-configuration", out(200, endpoints(provider.url)))
        provider.on("POST", "/token", lambda ask: out(400, {"error": f"{ask.headers} {ask.body!r}"}))
        found = DIRECTORY | READERS | {"REGUI_OIDC_ISSUER": provider.url, "REGUI_OIDC_CLIENT_ID": "regui"}
        locked(main, pair("main"), 'Basic realm="x"')
        locked(wrong, "nobody", 'Basic realm="x"')
        locked(tokens, f"Bearer {TOKEN}", f'Bearer realm="{server.url}/token",service="x"')
        locked(own, pair("own"), 'Basic realm="x"')
        locked(metadata, "nobody", 'Bearer realm="https://169.254.169.254/token"')
        fakes = dict(zip(REGISTRIES, (main, wrong, tokens, tls, gone, metadata, own), strict=True))
        found |= {"REGUI_REGISTRIES": " ".join(fakes), "REGUI_REGISTRY_TLS_CLIENT_CERT": str(client)}
        for name, fake in fakes.items():
            prefix = f"REGUI_REGISTRY_{name.upper()}"
            found |= {f"{prefix}_URL": fake.url, f"{prefix}_USERNAME": ALICE}
        found["REGUI_REGISTRY_OWN_OWN_CREDENTIALS"] = "on"
        yield found
        # All were tried, or there was nothing to give away.
        assert pair("main") in tried(main)
        assert pair("wrong") in tried(wrong)
        assert pair("own") in tried(own)
        assert oci.Credentials("regui", SECRETS["REGUI_OIDC_CLIENT_SECRET"]).basic in tried(provider)
        assert pair("tokens") in tried(server)
        assert f"Bearer {TOKEN}" in tried(tokens)
        assert {ask.raw_query for ask in store.seen} == {f"X-Signature={SIGNED}"}


def drive(site: Running, data: Path, outcome: Outcome) -> None:
    """Ask everything of it, go wrong in every way, and have it change something."""
    visitor = Visitor(site, outcome)
    for path in (addresses() | addresses(API)).values():
        visitor.ask("GET", path)
    for registry in REGISTRIES:
        for path in TELLING:
            visitor.ask("GET", path.format(registry))
    visitor.ask("POST", "/-/theme/")
    visitor.ask("GET", "/main/team/echo/")
    visitor.ask("GET", "/nothing/there/", Host="evil.example")
    visitor.ask("GET", "/metrics")
    program: dict[str, Any] = {"Content-Type": "application/json"}
    wish = {"kind": "untag", "registry": "main", "repository": "team/app", "tags": ["1.0"]}
    planned = visitor.ask("POST", "/api/v1/plans", json.dumps(wish), **program)
    assert planned[0] == 200, planned
    assert visitor.ask("POST", "/api/v1/actions", planned[1], **program)[0] == 202
    visitor.ask("POST", "/api/v1/actions", "{", **program)
    for registry in REGISTRIES:
        visitor.form(f"/{registry}/-/capabilities/look/")
        visitor.form(f"/-/jobs/{registry}/read/")
    hooks(visitor)
    enter(visitor, outcome.settings)
    come_in(visitor)
    command(data, outcome, "sync", "main")
    command(data, outcome, "sync", "wrong")
    command(data, outcome, "dumpdata")


def hooks(visitor: Visitor) -> None:
    """Events with right and wrong secrets, one of which is made on a page, which shows it once."""
    _, page = visitor.form("/tokens/-/settings/secret/", note=False)
    made = re.findall(r"Bearer ([\w-]{43})", page)
    assert made
    visitor.outcome.made["the secret made for events"] = made[0]
    body = envelope([event("push", "team/app", tag="1.0", digest=oci.Digest.of(b"x"))]).decode()
    sent = {"main": SECRETS["REGUI_REGISTRY_MAIN_EVENTS_TOKEN"], "tokens": made[0], "wrong": GUESS}
    for registry, secret in sent.items():
        for some in (body, "{"):
            headers: dict[str, Any] = {"Authorization": f"Bearer {secret}", "Content-Type": V1}
            status, _ = visitor.ask("POST", f"/hooks/{registry}", some, **headers)
            assert status == (401 if registry == "wrong" else 202 if some == body else 400)


def enter(visitor: Visitor, settings: Mapping[str, str]) -> None:
    """Passwords and a client's key, typed into the forms of registries, with and without faults."""
    pem = Path(settings["REGUI_REGISTRY_TLS_CLIENT_CERT"]).read_text()
    key, cert = pem[: pem.index("-----BEGIN CERTIFICATE")], pem[pem.index("-----BEGIN CERTIFICATE") :]
    reached = {"url": settings["REGUI_REGISTRY_MAIN_URL"], "username": ALICE}
    tls = {"url": settings["REGUI_REGISTRY_TLS_URL"], "username": ALICE, "cert": cert, "key": key}
    right, wrong = reached | {"password": TYPED}, reached | {"password": MISTYPED}
    forms: list[tuple[str, dict[str, Any], int]] = [
        ("/-/settings/registries/test/", wrong | {"name": "added"}, 200),
        ("/-/settings/registries/test/", tls | {"name": "added", "password": TYPED}, 200),
        ("/-/settings/registries/add/", right | {"name": "no such name"}, 422),
        ("/-/settings/registries/add/", tls | {"name": "added", "key": key[:-40], "password": TYPED}, 422),
        ("/-/settings/registries/add/", right | {"name": "added"}, 303),
        ("/-/settings/registries/add/", tls | {"name": "added-too", "password": TYPED}, 303),
        ("/added/-/settings/connection/", wrong | {"url": "nowhere"}, 422),
        ("/added/-/settings/connection/test/", wrong, 200),
        ("/added/-/settings/connection/", wrong, 303),
        ("/added-too/-/settings/connection/hide/", {}, 303),
    ]
    for path, fields, expected in forms:
        status, text = visitor.form(path, **fields)
        assert status == expected, (path, text)
    shown: dict[str, Any] = {"username": ALICE, "password": MISTYPED, "next": "/own/"}
    assert visitor.form("/own/-/sign-in/", **shown)[0] == 422
    shown["password"] = SECRETS[setting("own")]
    assert visitor.form("/own/-/sign-in/", **shown)[0] == 303
    for path in ("/own/", "/own/team/app/", "/own/-/sign-in/", "/api/v1/registries/own/repositories"):
        visitor.ask("GET", path)
    for path in ("/added/", "/added/-/settings/connection/", "/-/settings/", "/-/access/", "/-/activity/"):
        visitor.ask("GET", path)


def come_in(visitor: Visitor) -> None:
    """Sign-ins that fail: with a password that a directory is asked about, and through a provider."""
    visitor.form("/-/account/sign-in/", login="alice", password=MISTYPED)
    visitor.form("/-/account/sign-in/oidc/")
    sent = re.search(rb"Location: \S*[?&]state=([^&\s]+)", list(visitor.outcome.places.values())[-1])
    assert sent
    answer = f"/-/account/sign-in/oidc/answer/?code=no-code-of-theirs&state={sent[1].decode()}"
    assert visitor.ask("GET", answer)[0] == 403


def command(data: Path, outcome: Outcome, *arguments: str) -> None:
    done = regui(data, *arguments, **outcome.settings)
    outcome.places[f"regui {' '.join(arguments)}"] = f"{done.stdout}{done.stderr}".encode()


def break_down(site: Running, data: Path, outcome: Outcome) -> None:
    """Take a table away, so that pages fail for a reason nobody foresaw."""
    with sqlite3.connect(data / "regui.sqlite3", timeout=20) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("DROP TABLE actions_action")
    database.close()
    visitor = Visitor(site, outcome)
    assert visitor.ask("GET", "/-/activity/")[0] == 500
    assert visitor.ask("GET", "/api/v1/actions")[0] == 500


@pytest.fixture(scope="module")
def outcome(started: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What came out of all that."""
    folder = tmp_path_factory.mktemp("secrecy")
    data = Path(shutil.copytree(started, folder / "data"))
    kept = {"a bearer token": TOKEN, "a signature": SIGNED, "a guess": GUESS}
    found = Outcome(made=kept | {"a password from a form": TYPED, "a mistyped one": MISTYPED})
    with registries(folder, found) as there:
        found.settings = {**there, **SECRETS, "DJANGO_SETTINGS_MODULE": "tests.loud"}
        with serving(data, cwd=ROOT, **found.settings) as site:
            assert site.get("/readyz").status == 200
            drive(site, data, found)
            break_down(site, data, found)
    found.places["the log"] = "\n".join(site.output).encode()
    found.places |= files(data)
    return found


def test_no_secret_comes_out(outcome: Outcome) -> None:
    pairs = {f"user and password of {name}": f"{ALICE}:{SECRETS[setting(name)]}" for name in REGISTRIES}

    assert list(leaks(SECRETS | pairs | outcome.made, outcome.places)) == []


def test_there_was_something_to_look_at(outcome: Outcome) -> None:
    log = outcome.places["the log"].decode()
    for words in (
        " DEBUG ",
        "Traceback",
        "The registry doesn't accept the user name and password.",
        "The certificate of 127.0.0.1",
        "refuses connections.",
        "leads to 169.254.169.254",
    ):
        assert words in log
    # What isn't secret is found where it belongs, in the database too.
    assert "team/app" in set(re.findall("team/app", outcome.places["regui.sqlite3"].decode("latin-1")))
    assert len(outcome.places) > 150


@pytest.mark.parametrize("secret", [*SECRETS.values(), TOKEN])
def test_a_secret_would_be_found_however_it_is_written(secret: str) -> None:
    for before in ("", "a", "ab", "abc", f"{ALICE}:"):
        for after in ("", "z", "yz"):
            coded = base64.b64encode(f"{before}{secret}{after}".encode())
            assert list(leaks({"it": secret}, {"there": coded}))
    for written in (html.escape(secret), quote(secret), json.dumps({"x": secret}), repr([secret])):
        assert list(leaks({"it": secret}, {"there": written.encode()}))
    assert not list(leaks({"it": secret}, {"there": secret[:-3].encode()}))


HIDDEN = "hidden-in-an-address-4e1b"


@pytest.mark.parametrize(
    "settings",
    [
        {"REGUI_DATABASE_URL": f"postgres://regui:{HIDDEN}@127.0.0.1:1/regui"},
        {"REGUI_DATABASE_URL": f"mysql://regui:{HIDDEN}@127.0.0.1/regui"},
        {"REGUI_DATABASE_URL": HIDDEN},
        {"REGUI_TASKS": "rq", "REGUI_REDIS_URL": f"redis://:{HIDDEN}@127.0.0.1:1/0"},
        {"REGUI_REGISTRY_URL": f"https://alice:{HIDDEN}@registry.example"},
        {"REGUI_REGISTRY_URL": "https://registry.example", "REGUI_REGISTRY_EVENTS_TOKEN": f"{HIDDEN} two"},
        {"REGUI_REGISTRY_PASWORD": HIDDEN},
    ],
)
def test_settings_that_cannot_be_used_are_not_repeated(data: Path, settings: dict[str, str]) -> None:
    loud = {"DJANGO_SETTINGS_MODULE": "tests.loud", **settings}
    done = regui(data, "worker" if "REGUI_TASKS" in settings else "sync", **loud)

    assert done.stderr
    assert list(leaks({"it": HIDDEN}, {"out": done.stdout.encode(), "err": done.stderr.encode()})) == []
