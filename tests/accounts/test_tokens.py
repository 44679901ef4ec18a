"""Tokens: made once, kept as a digest, standing for whom they do, and only within their scope."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import Settings

from regui.accounts import access, people, tokens, wishes
from regui.accounts.access import ANY, Actor, Right, Role
from regui.accounts.local import BadToken, local
from regui.accounts.models import AuditEntry, Token, User
from regui.accounts.wishes import Wish
from regui.patterns import ANYWHERE
from tests.people import grant, person, token

ALICE = Actor("alice", Role.ADMIN, "192.0.2.1")
TEAM = access.Grant(Role.DEVELOPER, "main", "team/**")


@pytest.fixture(autouse=True)
def nobody(settings: Settings, db: None) -> None:
    """Who hasn't signed in may nothing."""
    settings.ANONYMOUS_ROLE = "none"


def enter(secret: str, address: str = "192.0.2.7") -> Actor | None:
    return tokens.enter(secret, address, timezone.now())


def entered(secret: str) -> Actor:
    actor = enter(secret)
    assert actor is not None
    return actor


# What is kept


def test_a_secret_is_long_tells_what_it_is_and_is_made_once() -> None:
    made = {token(Role.READER, name=str(number)) for number in range(20)}
    assert len(made) == 20
    for secret in made:
        assert secret.startswith("regui_")
        assert len(secret) == 49
    assert {row.hint for row in Token.objects.all()} == {secret[:12] for secret in made}


@pytest.mark.django_db(transaction=True)
def test_a_dump_of_the_database_holds_no_secret() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("dumps are of SQLite's files here")
    secret = token(Role.ADMIN, owner=person("bob"))
    enter(secret)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("PRAGMA database_list")
        folder = Path(cursor.fetchone()[2])
    dumped = b"".join(path.read_bytes() for path in folder.parent.glob(f"{folder.name}*"))
    assert secret[:12].encode() in dumped
    assert secret[:14].encode() not in dumped
    assert secret[12:].encode() not in dumped


def test_the_journal_of_access_tells_who_made_and_revoked_it() -> None:
    row, secret = tokens.make(person("bob"), "ci", TEAM, ALICE, timezone.now(), None)
    assert tokens.revoke(row, ALICE, timezone.now())
    assert not tokens.revoke(row, ALICE, timezone.now()), "once is enough"
    revoked, made = AuditEntry.objects.all()
    assert (made.what, made.who, made.address, made.about) == (
        AuditEntry.What.TOKEN_MADE,
        "alice",
        "192.0.2.1",
        "bob (token ci)",
    )
    assert made.detail == "developer of team/** in main, until it is revoked"
    assert (revoked.what, revoked.about) == (AuditEntry.What.TOKEN_REVOKED, "bob (token ci)")
    assert secret not in f"{vars(made)}{vars(revoked)}"


# What opens


def test_what_is_no_token_opens_nothing() -> None:
    secret = token(Role.ADMIN)
    for wrong in (
        "",
        "regui_",
        secret[:-1],
        f"{secret}x",
        secret[6:],
        secret.upper(),
        "ключ",
        "regui_\udcff",
    ):
        assert enter(wrong) is None, wrong
    digest = Token.objects.get().digest
    assert enter(digest) is None
    assert enter(f"regui_{digest}") is None
    assert entered(secret).name == "robot:ci"


def test_it_opens_until_its_time_is_over() -> None:
    now = timezone.now()
    secret = token(Role.READER, until=now + timedelta(days=1))
    assert tokens.enter(secret, "", now + timedelta(hours=23)) is not None
    assert tokens.enter(secret, "", now + timedelta(days=1)) is None


def test_it_opens_until_it_is_revoked() -> None:
    secret = token(Role.READER)
    assert enter(secret) is not None
    tokens.revoke(Token.objects.get(), ALICE, timezone.now())
    assert enter(secret) is None


def test_that_of_somebody_who_may_not_enter_opens_nothing() -> None:
    bob = person("bob")
    secret = token(Role.READER, owner=bob)
    assert enter(secret) is not None
    User.objects.update(is_active=False)
    assert enter(secret) is None
    User.objects.update(is_active=True)
    bob.delete()
    assert enter(secret) is None


# Whom it stands for


def test_a_person_s_stands_for_what_they_may_within_its_scope() -> None:
    bob = person("bob")
    grant(Role.MAINTAINER, "team/**", user=bob)
    grant(Role.READER, "shop/**", user=bob)
    actor = entered(token(Role.DEVELOPER, owner=bob))
    assert (actor.name, actor.address, actor.visitor) == ("bob (token ci)", "192.0.2.7", False)
    assert actor.decide("main", "team/app").rights == {Right.SEE, Right.PUSH}
    assert actor.decide("main", "shop/app").rights == {Right.SEE}
    assert actor.decide("main", "other").rights == frozenset()


def test_it_follows_what_its_owner_may() -> None:
    bob = person("bob")
    given = grant(Role.MAINTAINER, "team/**", user=bob)
    secret = token(Role.MAINTAINER, owner=bob)
    assert entered(secret).may(Right.DELETE, "main", "team/app")
    given.delete()
    assert not entered(secret).may(Right.SEE, "main", "team/app")


def test_a_robot_has_its_scope_and_nothing_else(settings: Settings) -> None:
    settings.ANONYMOUS_ROLE = "admin"
    grant(Role.ADMIN)  # everyone's: of people who sign in
    actor = entered(token(Role.DEVELOPER, "team/**", registry="main", name="build"))
    assert actor.name == "robot:build"
    assert actor.decide("main", "team/app").rights == {Right.SEE, Right.PUSH}
    assert actor.decide("other", "team/app").rights == frozenset()
    assert actor.decide("main", "shop/app").rights == frozenset()
    assert not actor.may(Right.SEE)


def test_what_everybody_may_a_token_may_only_within_its_scope(settings: Settings) -> None:
    settings.ANONYMOUS_ROLE = "admin"
    actor = entered(token(Role.READER, "team/**", owner=person("bob")))
    assert actor.decide("main", "team/app").rights == {Right.SEE}
    assert actor.decide("main", "shop/app").rights == frozenset()


def test_names_fit_into_the_journal_of_actions() -> None:
    long = person("b" * 150)
    assert len(entered(token(Role.READER, owner=long, name="c" * 40)).name) <= 150
    assert len(entered(token(Role.READER, name="c" * 40)).name) <= 150


ROLE = st.sampled_from(Role)
PATTERN = st.sampled_from(["**", "team/**", "team/*", "team/app", "**/app", "shop/**"])
REGISTRY = st.sampled_from([ANY, "main", "other"])
NAME = st.sampled_from(["team/app", "team/web", "shop/app", "app", "team/deep/app"])


class Scopes(TestCase):
    @given(
        st.lists(st.tuples(ROLE, PATTERN, REGISTRY), max_size=4, unique=True), ROLE, PATTERN, REGISTRY, NAME
    )
    def test_a_token_never_gives_more_than_its_scope_nor_than_its_owner_has(
        self, granted: list[tuple[Role, str, str]], role: Role, pattern: str, registry: str, name: str
    ) -> None:
        bob = person("bob")
        for one in granted:
            grant(one[0], one[1], user=bob, registry=one[2])
        scope = access.Grant(role, registry, pattern)
        row, _ = tokens.make(bob, "ci", scope, ALICE, timezone.now(), None)
        robot, _ = tokens.make(None, "ci", scope, ALICE, timezone.now(), None)
        theirs = people.actor_of(bob)
        for where in ("main", "other"):
            most = access.RIGHTS[role] if scope.covers(where, name) else frozenset()
            assert tokens.actor_of(robot).decide(where, name).rights == most
            had = theirs.decide(where, name).rights
            assert tokens.actor_of(row).decide(where, name).rights == most & had


# Its last use


def test_its_last_use_is_written_down_once_a_minute(settings: Settings) -> None:
    secret, now = token(Role.READER), timezone.now()

    def used() -> tuple[object, str]:
        row = Token.objects.get()
        return row.used_at, row.used_from

    assert used() == (None, "")
    tokens.enter(secret, "192.0.2.1", now)
    assert used() == (now, "192.0.2.1")
    tokens.enter(secret, "192.0.2.2", now + timedelta(seconds=59))
    assert used() == (now, "192.0.2.1")
    later = now + timedelta(seconds=60)
    tokens.enter(secret, "192.0.2.2", later)
    assert used() == (later, "192.0.2.2")
    settings.TOKEN = secret
    assert local().name == "robot:ci"
    assert used() == (later, "192.0.2.2")


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_it_while_others_write() -> None:
    secret = token(Role.READER)
    writing, done = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with transaction.atomic():
                Token.objects.update(name="another")
                writing.set()
                assert done.wait(60)
        finally:
            connections.close_all()

    other = threading.Thread(target=write)
    other.start()
    try:
        assert writing.wait(60)
        began = timezone.now()
        assert enter(secret) is not None
        assert timezone.now() - began < timedelta(seconds=10)
    finally:
        done.set()
        other.join()
    assert Token.objects.get().used_at is None
    assert enter(secret) is not None
    assert Token.objects.get().used_at is not None


def test_the_database_is_waited_for_as_before_after_it() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL forgets it with the transaction")
    enter(token(Role.READER))
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone()[0] == 20_000


# At the command line


def test_a_token_in_the_settings_sits_at_the_command_line(settings: Settings) -> None:
    settings.TOKEN = token(Role.READER, "team/**")
    actor = local()
    assert (actor.name, actor.role) == ("robot:ci", Role.NONE)
    assert not actor.may(Right.PUSH, "main", "team/app")
    assert Token.objects.get().used_from == "the command line"


def test_a_bad_token_in_the_settings_is_nobody(settings: Settings) -> None:
    settings.TOKEN = "regui_nothing"
    with pytest.raises(BadToken):
        local()


# What may be asked for


def wrong(wish: Wish, owner: User | None = None) -> set[str]:
    return set(wishes.faults(wish, owner, wishes.ROLES, ["main"]))


GOOD = Wish("ci", "reader", "main", "team/**", "90d")


@pytest.mark.parametrize(
    ("wish", "parts"),
    [
        (GOOD, set()),
        (Wish("ci", "auditor", ANY, ANYWHERE, "never"), set()),
        (Wish("", "reader", life="1d"), {"name"}),
        (Wish("x" * 41, "reader", life="1d"), {"name"}),
        (Wish("a\nb", "reader", life="1d"), {"name"}),
        (Wish("a\u202eb", "reader", life="1d"), {"name"}),
        (Wish("ci", "none", life="1d"), {"role"}),
        (Wish("ci", "owner", life="1d"), {"role"}),
        (Wish("ci", "reader", "other", life="1d"), {"registry"}),
        (Wish("ci", "reader", pattern="te**am", life="1d"), {"pattern"}),
        (Wish("ci", "reader", pattern="", life="1d"), {"pattern"}),
        (Wish("ci", "reader", life="0"), {"life"}),
        (Wish("ci", "reader", life="soon"), {"life"}),
        (Wish("ci", "reader", life=""), {"life"}),
    ],
)
def test_what_is_wrong_with_a_wish_is_told_part_by_part(wish: Wish, parts: set[str]) -> None:
    assert wrong(wish) == parts


def test_a_name_is_given_once_to_each_owner() -> None:
    bob = person("bob")
    token(Role.READER, owner=bob)
    assert wrong(GOOD, bob) == {"name"}
    assert wrong(GOOD) == set()
    tokens.revoke(Token.objects.get(), ALICE, timezone.now())
    assert wrong(GOOD, bob) == set()


def test_the_settings_may_bound_how_long_tokens_live(settings: Settings) -> None:
    assert [life for life, _ in wishes.lives()] == ["30d", "90d", "365d", "never"]
    settings.TOKEN_MAX_AGE = timedelta(days=100)
    assert wishes.lives() == [("30d", "30 days"), ("90d", "90 days"), ("100d", "100 days")]
    assert wrong(Wish("ci", "reader", life="never")) == {"life"}
    assert wrong(Wish("ci", "reader", life="101d")) == {"life"}
    assert wrong(Wish("ci", "reader", life="100d")) == set()
    settings.TOKEN_MAX_AGE = timedelta(hours=36)
    assert wishes.lives() == [("36h", "36 hours")]


def test_nobody_is_offered_a_role_beyond_what_they_may() -> None:
    bob = person("bob")
    assert wishes.offered(people.actor_of(bob)) == []
    grant(Role.DEVELOPER, "team/**", user=bob)
    assert wishes.offered(people.actor_of(bob)) == [Role.READER, Role.DEVELOPER]
    grant(Role.AUDITOR, user=bob)
    offered = wishes.offered(people.actor_of(bob))
    assert offered == [Role.READER, Role.DEVELOPER, Role.AUDITOR]
    assert wishes.offered(ALICE) == list(wishes.ROLES)
