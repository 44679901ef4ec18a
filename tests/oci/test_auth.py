"""Signing in: Basic, tokens, and the difference between a wrong password and a missing right."""

import json
import time

import pytest

from regui import oci
from regui.oci.auth import Attempt, Auth
from regui.oci.headers import Challenge
from regui.oci.origin import Origin
from tests.fake import Fake
from tests.memory import Ask, Out, Repository, out
from tests.oci.signing import (
    ALICE,
    DIGEST,
    NAME,
    TokenFake,
    asks_for_basic,
    asks_for_tokens,
    connect,
)


def test_an_open_registry_never_sees_the_password(fake: Fake) -> None:
    with connect(fake) as client:
        assert client.ping().auth == "none"
        list(client.catalog())

    assert all("Authorization" not in ask.headers for ask in fake.seen)


def test_basic_is_sent_once_it_was_asked_for(fake: Fake) -> None:
    asks_for_basic(fake)

    with connect(fake) as client:
        assert client.ping().auth == "basic"
        list(client.catalog())
        list(client.catalog())

    assert [ask.headers["Authorization"] for ask in fake.seen] == [None] + [ALICE.basic] * 3


def test_a_wrong_password_is_unauthorized(fake: Fake) -> None:
    asks_for_basic(fake, "Basic another")

    with connect(fake) as client, pytest.raises(oci.Unauthorized) as caught:
        client.ping()

    assert "user name and password" in str(caught.value)
    assert ALICE.password not in f"{caught.value!r}{caught.value.hint}"


def test_a_stranger_is_told_to_sign_in(fake: Fake) -> None:
    asks_for_basic(fake)

    with connect(fake, None) as client, pytest.raises(oci.Unauthorized) as caught:
        client.ping()

    assert "sign-in" in str(caught.value)


def test_a_way_to_sign_in_that_nobody_knows(fake: Fake) -> None:
    fake.on("GET", ".*", out(401, Www_Authenticate="Negotiate"))

    with connect(fake) as client, pytest.raises(oci.Unauthorized) as caught:
        client.ping()

    assert "negotiate" in caught.value.hint


def test_two_challenges_in_two_headers_are_a_choice(fake: Fake, tokens: TokenFake) -> None:
    """Gitea; the token is taken, and Basic when there is no token to be had."""
    both = (
        ("WWW-Authenticate", f'Bearer realm="{tokens.url}/token",service="s"'),
        ("WWW-Authenticate", 'Basic realm="Gitea"'),
    )
    fake.on("GET", ".*", lambda ask: None if "Authorization" in ask.headers else Out(401, headers=both))

    with connect(fake) as client:
        assert client.ping().auth == "bearer"
    assert fake.seen[-1].headers["Authorization"].startswith("Bearer ")

    tokens.on("GET", "/token", out(404))
    tokens.on("POST", "/token", out(404))
    with connect(fake) as client:
        assert client.ping()
        assert client.ping()
    assert fake.seen[-1].headers["Authorization"] == ALICE.basic


def test_a_catalog_may_want_another_way_than_the_rest(fake: Fake, tokens: TokenFake) -> None:
    """Harbor."""
    asks_for_tokens(fake, tokens)
    fake.memory.repositories[NAME] = Repository()
    basic = out(401, Www_Authenticate='Basic realm="harbor"')

    def catalog(ask: Ask) -> Out:
        return out(200, {"repositories": [NAME]}) if ask.headers["Authorization"] == ALICE.basic else basic

    fake.on("GET", "/v2/_catalog", catalog)

    with connect(fake) as client:
        assert list(client.catalog()) == [NAME]
        assert list(client.tags(NAME)) == []
        before = len(fake.seen)
        assert list(client.catalog()) == [NAME]
        assert len(fake.seen) == before + 1


def test_a_registry_that_lets_strangers_in_is_signed_in_to_nevertheless(fake: Fake) -> None:
    """zot answers the base with 200 and says how one could sign in; strangers see less of the catalog."""
    fake.on("GET", "/v2/", out(200, {}, Www_Authenticate="Basic realm=zot"))

    with connect(fake) as client:
        list(client.catalog())

    assert fake.seen[-1].headers["Authorization"] == ALICE.basic


@pytest.mark.parametrize(
    ("registry", "realm", "sent"),
    [
        ("http://registry.example:5000", "http://registry.example:5001/token", True),
        ("http://registry.example:5000", "http://other.example/token", False),
        ("https://registry.example", "http://registry.example/token", False),
        ("https://registry.example", "http://127.0.0.1:5001/token", True),
        ("https://registry.example", "http://localhost:5001/token", True),
        ("https://registry.example", "https://auth.example/token", True),
        ("http://registry.example", "https://auth.example/token", True),
        ("https://registry.example", "http://localhost.evil.example/token", False),
        ("https://registry.example", "http://127.0.0.1.evil.example/token", False),
    ],
)
def test_the_password_is_never_sent_in_clear_to_another_host(registry: str, realm: str, sent: bool) -> None:
    asked = list[str]()

    def fetch(method: str, url: str, headers: object, body: bytes | None, deadline: float) -> bytes:
        asked.append(url)
        return b'{"token": "t"}'

    auth = Auth(Origin.of(registry), ALICE, fetch)
    challenge = Challenge("bearer", {"realm": realm})

    if sent:
        attempt = auth.again(Attempt(), [challenge], frozenset(), time.monotonic() + 5)
        assert attempt
        assert attempt.header == "Bearer t"
    else:
        with pytest.raises(oci.Unauthorized, match="unencrypted"):
            auth.again(Attempt(), [challenge], frozenset(), time.monotonic() + 5)
    assert len(asked) == sent


def test_a_400_after_basic_is_a_registry_set_up_wrongly(fake: Fake) -> None:
    """distribution whose password file can't be read."""
    challenge = out(401, Www_Authenticate="Basic realm=x")
    fake.on("GET", ".*", lambda ask: Out(400) if "Authorization" in ask.headers else challenge)

    with connect(fake) as client, pytest.raises(oci.Invalid) as caught:
        client.ping()

    assert "misconfigured" in caught.value.hint


@pytest.mark.parametrize("status", [403, 401])
def test_a_denial_keeps_the_registrys_words(fake: Fake, status: int) -> None:
    asks_for_basic(fake)
    body = json.dumps({"errors": [{"code": "DENIED", "message": "requested access is denied"}]}).encode()
    denial = Out(status, body, (("Content-Type", "application/json"), ("WWW-Authenticate", "Basic realm=x")))
    fake.on("DELETE", ".*", denial)

    with connect(fake) as client, pytest.raises(oci.Refused) as caught:
        client.delete_manifest(NAME, DIGEST)

    assert caught.value.codes == ("DENIED",)
    assert "requested access" in caught.value.detail
