"""Signing in: Basic, tokens, and the difference between a wrong password and a missing right."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs

import pytest

from regui import oci
from regui.oci.auth import Attempt, Auth
from regui.oci.headers import Challenge
from regui.oci.transport import Origin
from tests.fake import Fake
from tests.memory import Ask, Out, Repository, error, out

NAME = "team/app"
DIGEST = oci.Digest.of(b"x")
ALICE = oci.Credentials("alice", "pä:ss wörd")
METHODS = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE")
Call = Callable[[oci.Client], object]


class TokenFake(Fake):
    """A token server that says yes to everything: the token holds the scopes it was asked for."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.lifetime: object = 300
        self.on("GET", "/token", self.token)

    def token(self, ask: Ask) -> Out:
        scopes = parse_qs(ask.raw_query).get("scope", [])
        answer = {"token": f"{len(self.seen)}!{'!'.join(sorted(scopes))}"}
        return out(200, answer | ({"expires_in": self.lifetime} if self.lifetime is not None else {}))


@pytest.fixture
def tokens(fake: Fake) -> Iterator[TokenFake]:
    """The token server that the fake sends its clients to."""
    with TokenFake() as server:
        yield server


def asks_for_tokens(fake: Fake, tokens: Fake, enough: Callable[[str, Ask], bool] | None = None) -> None:
    """Have the fake ask for a token with the scope that distribution wants for such a request."""

    def guard(ask: Ask) -> Out | None:
        scheme, _, token = ask.headers.get("Authorization", "").partition(" ")
        fits = enough or (lambda token, ask: wanted(ask) in token.split("!"))
        if scheme == "Bearer" and fits(token, ask):
            return None
        scope = f',scope="{wanted(ask)}"' if wanted(ask) else ""
        problem = ',error="insufficient_scope"' if scheme else ""
        challenge = f'Bearer realm="{tokens.url}/token",service="s"{scope}{problem}'
        return error(401, "UNAUTHORIZED", Www_Authenticate=challenge)

    for method in METHODS:
        fake.on(method, ".*", guard)


def wanted(ask: Ask) -> str:
    if ask.path == "/v2/":
        return ""
    if ask.path == "/v2/_catalog":
        return "registry:catalog:*"
    actions = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}.get(ask.method, "pull,push")
    return f"repository:{NAME}:{actions}"


def asks_for_basic(fake: Fake, header: str = ALICE.basic) -> None:
    def guard(ask: Ask) -> Out | None:
        if ask.headers.get("Authorization") == header:
            return None
        return error(401, "UNAUTHORIZED", Www_Authenticate='Basic realm="x"')

    for method in METHODS:
        fake.on(method, ".*", guard)


def connect(fake: Fake, credentials: oci.Credentials | None = ALICE) -> oci.Client:
    return oci.Client(fake.url, credentials=credentials, timeout=oci.Timeout(pause=0.01))


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
