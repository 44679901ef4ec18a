"""Passwords and tokens at a real registry."""

import time
from collections.abc import Iterator

import pytest

from regui import oci
from tests import registry
from tests.registry import USER, RunningRegistry
from tests.tokens import TokenServer

NAME = "team/app"
USERS = {USER.username: USER.password, "bob": "builder", "charlie": "brown"}
BOB, CHARLIE = oci.Credentials("bob", "builder"), oci.Credentials("charlie", "brown")


@pytest.fixture(scope="module")
def tokens() -> Iterator[TokenServer]:
    with TokenServer(USERS) as server:
        yield server


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, tokens: TokenServer) -> Iterator[RunningRegistry]:
    """A registry with tokens, that holds an image."""
    running = registry.bearer_registry(tmp_path_factory.mktemp("guarded"), tokens)
    running.push(NAME)
    running.push("public/app")
    yield running
    running.stop()


def test_bob_reads_and_may_not_delete(guarded: RunningRegistry) -> None:
    with guarded.connect(credentials=BOB) as bob:
        content = bob.manifest(NAME, "latest")
        assert content
        with pytest.raises(oci.Denied):
            bob.delete_manifest(NAME, content.digest)
        with pytest.raises(oci.Denied):
            list(bob.catalog())
        with pytest.raises(oci.Denied):
            bob.push_blob(NAME, b"x")


def test_charlie_is_let_in_and_sees_nothing(guarded: RunningRegistry) -> None:
    with guarded.connect(credentials=CHARLIE) as charlie:
        assert charlie.ping().auth == "bearer"
        with pytest.raises(oci.Denied):
            charlie.manifest(NAME, "latest")


def test_strangers_see_what_is_public(guarded: RunningRegistry) -> None:
    with guarded.connect(credentials=None) as stranger:
        assert stranger.manifest("public/app", "latest")
        with pytest.raises(oci.Unauthorized):
            stranger.manifest(NAME, "latest")


@pytest.mark.parametrize("user", [oci.Credentials("alice", "wrong"), oci.Credentials("nobody", "x")])
def test_a_wrong_password_is_unauthorized(guarded: RunningRegistry, user: oci.Credentials) -> None:
    with guarded.connect(credentials=user) as client, pytest.raises(oci.Unauthorized):
        client.ping()


def test_many_requests_need_few_tokens(guarded: RunningRegistry, tokens: TokenServer) -> None:
    with guarded.connect() as client:
        list(client.tags(NAME))
        before = len(tokens.seen)
        for _ in range(5):
            client.manifest(NAME, "latest")
        assert len(tokens.seen) == before


def test_a_token_server_for_oauth2_alone(guarded: RunningRegistry, tokens: TokenServer) -> None:
    tokens.post_only = True
    try:
        with guarded.connect() as client:
            assert client.manifest(NAME, "latest")
        assert tokens.seen[-1].method == "POST"
        wrong = oci.Credentials("alice", "wrong")
        with guarded.connect(credentials=wrong) as client, pytest.raises(oci.Unauthorized):
            client.ping()
    finally:
        tokens.post_only = False


def test_a_token_that_ended_is_replaced(guarded: RunningRegistry, tokens: TokenServer) -> None:
    tokens.lifetime = 1
    try:
        with guarded.connect() as client:
            client.manifest(NAME, "latest")
            before = len(tokens.seen)
            time.sleep(1)
            client.manifest(NAME, "latest")
            assert len(tokens.seen) == before + 1
    finally:
        tokens.lifetime = 300


def test_passwords_at_a_real_registry(tmp_path_factory: pytest.TempPathFactory) -> None:
    running = registry.basic_registry(tmp_path_factory.mktemp("basic"))
    try:
        digest = running.push(NAME)
        with running.connect() as alice:
            assert alice.ping().auth == "basic"
            assert alice.head_manifest(NAME, "latest").digest == digest
        with running.connect(credentials=BOB) as bob, pytest.raises(oci.Unauthorized):
            bob.ping()
        with running.connect(credentials=None) as stranger, pytest.raises(oci.Unauthorized):
            stranger.head_manifest(NAME, "latest")
    finally:
        running.stop()


def test_a_password_file_that_is_none(tmp_path_factory: pytest.TempPathFactory) -> None:
    """As Debian's package has it: anybody without a password gets 401, anybody with one 400."""
    folder = tmp_path_factory.mktemp("misconfigured")
    running = RunningRegistry(folder, auth={"htpasswd": {"realm": "x", "path": str(folder)}})
    try:
        with running.connect(credentials=USER) as client, pytest.raises(oci.Refused) as caught:
            client.ping()
        assert caught.value.hint
    finally:
        running.stop()
