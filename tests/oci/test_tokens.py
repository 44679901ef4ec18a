"""Tokens: asked for as seldom as possible, as narrow as possible, and of the right server."""

import threading
import time
from urllib.parse import parse_qs

import pytest

from regui import oci
from tests.fake import Fake
from tests.memory import Ask, Out, Repository, error, out
from tests.oci.signing import ALICE, DIGEST, METHODS, NAME, TokenFake, asks_for_tokens, connect


def test_a_token_is_fetched_and_kept(fake: Fake, tokens: TokenFake) -> None:
    asks_for_tokens(fake, tokens)
    fake.memory.repositories[NAME] = Repository()

    with connect(fake) as client:
        assert client.ping().auth == "bearer"
        for _ in range(3):
            list(client.tags(NAME))

    assert [parse_qs(ask.raw_query).get("scope") for ask in tokens.seen] == [
        None,
        [f"repository:{NAME}:pull"],
    ]
    assert {ask.query["service"] for ask in tokens.seen} == {"s"}
    assert {ask.query["account"] for ask in tokens.seen} == {"alice"}
    assert {ask.headers["Authorization"] for ask in tokens.seen} == {ALICE.basic}
    assert ALICE.basic not in {ask.headers["Authorization"] for ask in fake.seen}


def test_a_stranger_gets_a_token_too(fake: Fake, tokens: TokenFake) -> None:
    asks_for_tokens(fake, tokens)
    fake.memory.repositories[NAME] = Repository()

    with connect(fake, None) as client:
        list(client.tags(NAME))
        list(client.tags(NAME))

    assert len(tokens.seen) == 1
    assert "Authorization" not in tokens.seen[0].headers
    assert len(fake.seen) == 3


def test_each_kind_of_request_has_its_scope(fake: Fake, tokens: TokenFake) -> None:
    asks_for_tokens(fake, tokens)

    with connect(fake) as client:
        list(client.catalog())
        client.push_blob(NAME, b"x")
        client.mount_blob(NAME, DIGEST, "other/app")
        client.delete_blob(NAME, DIGEST)

    scopes = [sorted(parse_qs(ask.raw_query)["scope"]) for ask in tokens.seen]
    assert scopes == [
        ["registry:catalog:*"],
        [f"repository:{NAME}:pull"],
        [f"repository:{NAME}:pull,push"],
        ["repository:other/app:pull", f"repository:{NAME}:pull,push"],
        # Cancelling the upload that the mount opened is a delete too.
        [f"repository:{NAME}:delete"],
    ]


def test_a_token_that_is_too_narrow_is_widened_once(fake: Fake, tokens: TokenFake) -> None:
    """Quay wants `push` for a delete, which nobody can know beforehand."""

    def enough(token: str, ask: Ask) -> bool:
        return ask.path == "/v2/" or f"repository:{NAME}:delete,push" in token.split("!")

    def guard(ask: Ask) -> Out | None:
        token = ask.headers.get("Authorization", "").removeprefix("Bearer ")
        if enough(token, ask) and token:
            return None
        challenge = f'Bearer realm="{tokens.url}/token",service="s",scope="repository:{NAME}:push"'
        return error(401, "UNAUTHORIZED", Www_Authenticate=challenge)

    for method in METHODS:
        fake.on(method, ".*", guard)
    fake.memory.repositories[NAME] = Repository(blobs={DIGEST})

    with connect(fake) as client:
        client.delete_blob(NAME, DIGEST)

    assert sum(ask.method == "DELETE" for ask in fake.seen) == 2


def test_a_right_that_is_missing_is_denied(fake: Fake, tokens: TokenFake) -> None:
    """A token server leaves out what isn't granted and still answers 200."""
    asks_for_tokens(fake, tokens, lambda token, ask: ask.method != "DELETE")

    with connect(fake) as client, pytest.raises(oci.Denied) as caught:
        client.delete_manifest(NAME, DIGEST)

    assert caught.value.status == 401
    assert sum(ask.method == "DELETE" for ask in fake.seen) == 1
    with connect(fake, None) as stranger, pytest.raises(oci.Unauthorized):
        stranger.delete_manifest(NAME, DIGEST)


@pytest.mark.parametrize("credentials", [ALICE, None], ids=["alice", "a stranger"])
def test_a_token_server_that_says_no(
    fake: Fake, tokens: TokenFake, credentials: oci.Credentials | None
) -> None:
    asks_for_tokens(fake, tokens)
    tokens.on("GET", "/token", error(401, "UNAUTHORIZED"))

    with connect(fake, credentials) as client, pytest.raises(oci.Unauthorized) as caught:
        client.ping()

    assert ("doesn't accept" in str(caught.value)) == bool(credentials)
    assert len(tokens.seen) == 1


def test_a_token_is_renewed_before_it_ends(fake: Fake, tokens: TokenFake) -> None:
    asks_for_tokens(fake, tokens, lambda token, ask: True)
    tokens.lifetime = 1

    with connect(fake) as client:
        client.ping()
        client.ping()
        assert len(tokens.seen) == 1
        time.sleep(0.8)
        client.ping()

    assert len(tokens.seen) == 2
    assert len(fake.seen) == 4  # asked without a token only once: no 401 afterwards


def test_a_token_that_was_revoked_is_replaced(fake: Fake, tokens: TokenFake) -> None:
    revoked = set[str]()
    asks_for_tokens(fake, tokens, lambda token, ask: token not in revoked)

    with connect(fake) as client:
        client.ping()
        revoked.add("1!")
        client.ping()

    assert len(tokens.seen) == 2


@pytest.mark.parametrize("lifetime", [None, "soon", 0, -5, True, 10**12])
def test_any_lifetime_is_survived(fake: Fake, tokens: TokenFake, lifetime: object) -> None:
    asks_for_tokens(fake, tokens)
    tokens.lifetime = lifetime

    with connect(fake) as client:
        assert client.ping()


@pytest.mark.parametrize(
    "answer",
    [
        out(200, {}),
        out(200, {"token": ""}),
        out(200, {"token": "a\nb"}),
        out(200, {"token": 5}),
        out(200, b"<html>"),
    ],
)
def test_a_token_server_without_a_token(fake: Fake, tokens: TokenFake, answer: Out) -> None:
    asks_for_tokens(fake, tokens)
    tokens.on("GET", "/token", answer)

    with connect(fake) as client, pytest.raises(oci.Malformed):
        client.ping()


def test_either_name_of_the_token_will_do(fake: Fake, tokens: TokenFake) -> None:
    asks_for_tokens(fake, tokens)
    tokens.on("GET", "/token", out(200, {"access_token": "1!"}))
    asks_for_tokens(fake, tokens, lambda token, ask: token == "1!")

    with connect(fake) as client:
        assert client.ping()


@pytest.mark.parametrize("status", [404, 405])
def test_a_token_server_that_wants_a_post(fake: Fake, tokens: TokenFake, status: int) -> None:
    asks_for_tokens(fake, tokens, lambda token, ask: token == "posted")
    tokens.on("GET", "/token", out(status))
    tokens.on("POST", "/token", out(200, {"access_token": "posted"}))

    with connect(fake) as client:
        list(client.catalog())

    form = parse_qs(tokens.seen[-1].body.decode())
    assert form["grant_type"] == ["password"]
    assert form["password"] == [ALICE.password]
    assert form["scope"] == ["registry:catalog:*"]


def test_threads_share_one_request_for_a_token(fake: Fake, tokens: TokenFake) -> None:
    asks_for_tokens(fake, tokens)
    slow = tokens.token
    tokens.on("GET", "/token", lambda ask: Out(200, slow(ask).body, stall=0.2))
    fake.memory.repositories[NAME] = Repository()

    with connect(fake) as client:
        threads = [threading.Thread(target=lambda: list(client.tags(NAME))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(tokens.seen) == 1


def test_a_token_server_that_moved_is_found_again(fake: Fake, tokens: TokenFake) -> None:
    asks_for_tokens(fake, tokens)
    tokens.lifetime = 1
    with connect(fake) as client:
        client.ping()
        with TokenFake() as new:
            asks_for_tokens(fake, new)
            tokens.close()
            time.sleep(0.8)

            assert client.ping()


@pytest.mark.parametrize(
    "realm", ["ftp://x/token", "/token", "http://", "https://a:b@x/token", "http://[/token"]
)
@pytest.mark.parametrize("credentials", [ALICE, None], ids=["alice", "a stranger"])
def test_a_realm_that_is_no_address(fake: Fake, realm: str, credentials: oci.Credentials | None) -> None:
    fake.on("GET", ".*", out(401, Www_Authenticate=f'Bearer realm="{realm}"'))

    with connect(fake, credentials) as client, pytest.raises(oci.Malformed):
        client.ping()


def test_a_token_server_that_redirects_gets_no_further(fake: Fake, tokens: TokenFake) -> None:
    asks_for_tokens(fake, tokens)
    with Fake() as other:
        tokens.on("GET", "/token", out(307, Location=f"{other.url}/token"))

        with connect(fake) as client, pytest.raises(oci.NotARegistry):
            client.ping()

        assert other.seen == []
