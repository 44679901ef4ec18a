"""A registry in which there is something for everybody to be kept from: repositories of a team and others',
an action on each that is done and one that waits, and people with every role over any of it."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client, override_settings
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from regui import oci
from regui.accounts.access import Actor, Role
from regui.accounts.models import Token, User
from regui.actions import delete, run, untag
from regui.actions.models import InUse, Source
from regui.index import book, connect, fetch
from regui.index.models import Registry, Repository
from regui.registries import RegistrySettings
from tests import cleanups
from tests.matrix import EVERYBODY, FOREIGN, GHOST, OWN, VISITOR, Place, Row, Who, kind
from tests.people import SignedIn, grant
from tests.registry import RunningRegistry, open_registry
from tests.web.conftest import Visitor

ROOT = Actor("root", Role.ADMIN)
SECRET = re.compile(rb'(name="csrfmiddlewaretoken" value=|"X-CSRFToken": )"[^"]+"')
NOTHING, NO_ACTION = oci.Digest.of(b"nothing"), "0123456789abcdef"
# Who tells of what runs in a repository; and in one that isn't there.
SOURCES, NO_SOURCE = {"team/app": "teams", "secret/app": "vault"}, "ghost"
# What differs between any two answers.
PASSING = {"Date", "Expires", "Set-Cookie"}


@dataclass
class World:
    """What there is, by the repositories' names: the digest that is tagged, the one that was deleted, the
    action that did that, and one that waits; and by the registries' a run of a policy that asks."""

    registry: RunningRegistry
    digests: dict[str, oci.Digest] = field(default_factory=dict)
    deleted: dict[str, oci.Digest] = field(default_factory=dict)
    done: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)
    browsers: dict[Who, Client] = field(default_factory=dict)
    cookies: dict[Who, str] = field(default_factory=dict)

    def fill(self, place: Place) -> None:
        """Push to a repository, read it, delete an image of it, and leave a tag to be deleted later."""
        name = place.repository
        self.digests[name] = self.registry.push(name, tags=["1.0", "latest"])
        self.deleted[name] = self.registry.push(name, tags=["old"])
        row = Repository(registry=Registry.objects.get(name="main"), name=name, first_seen_at=timezone.now())
        fetch.repository(row, budget=20)
        self.done[name] = run.run(delete.look(row, self.deleted[name]), ROOT).pk
        later = timedelta(hours=1)
        self.waiting[name] = run.start(untag.look(row, "latest"), ROOT, held=False, grace=later).pk
        self.tell(place)

    def tell(self, place: Place) -> None:
        """Have somebody say that an image runs which isn't there, and so locks nothing that is."""
        source = Source.objects.create(
            name=SOURCES[place.repository],
            actor=ROOT.name,
            told_at=timezone.now(),
            expires_at=timezone.now() + timedelta(hours=1),
        )
        InUse.objects.create(
            source=source,
            registry=place.registry,
            repository=place.repository,
            tag="running",
            since=timezone.now(),
        )

    def clean(self, registry: str) -> None:
        """Leave a policy in a registry, and a run of it that asks."""
        run = cleanups.run(cleanups.policy(owner=ROOT.name, registry=registry))
        self.runs[registry] = run.pk

    def values(self, place: Place, about: str = "") -> dict[str, str]:
        """What stands in an address that is about that place. `about` says deleted, waiting or new, where it
        isn't the digest that is there, the action that is done, or a source that there is. What isn't there
        has a name that nobody has."""
        digests = self.deleted if about == "deleted" else self.digests
        actions = self.waiting if about == "waiting" else self.done
        return {
            "registry": place.registry,
            "name": place.repository,
            "tag": "1.0",
            "digest": digests.get(place.repository, NOTHING),
            "pk": actions.get(place.repository, NO_ACTION),
            "policy": "releases",
            "run": self.runs.get(place.registry, NO_ACTION),
            "source": "fresh" if about == "new" else SOURCES.get(place.repository, NO_SOURCE),
        }

    def names(self, row: Row, place: Place) -> list[str]:
        """What may differ between two places in an answer that tells nothing."""
        if kind(row) == "registry":
            return [place.registry, self.values(place)["run"]]
        here, gone, waits = (self.values(place, about) for about in ("", "deleted", "waiting"))
        return [here["name"], here["digest"], here["pk"], here["source"], gone["digest"], waits["pk"]]

    def browser(self, who: Who) -> Client:
        """Their browser, in which they have signed in if they can."""
        if who not in self.browsers:
            self.browsers[who] = Visitor("none") if who == VISITOR else signed_in(who)
            self.cookies[who] = self.browsers[who].cookies.output(header="", sep=";")
        browser = self.browsers[who]
        # Nobody has signed out in an earlier test, or was left something to be told.
        browser.cookies = SimpleCookie(self.cookies[who])
        return browser

    def state(self) -> dict[str, list[Any]]:
        """All that regui remembers and that people entered."""
        models = [
            model
            for label in ("index", "accounts", "actions")
            for model in apps.get_app_config(label).get_models()
        ]
        return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}

    def asked(self) -> int:
        """How many requests the registry has answered, once it has written them all down."""
        count, before = len(self.registry.requests()), -1
        while count != before:
            time.sleep(0.02)
            count, before = len(self.registry.requests()), count
        return count

    @contextmanager
    def untouched(self, what: str) -> Iterator[None]:
        """Nothing is changed meanwhile, neither here nor in the registry, which isn't even asked."""
        before, asked = self.state(), self.asked()
        yield
        assert self.asked() == asked, f"{what}: the registry was asked"
        after = self.state()
        changed = [name for name in before if before[name] != after[name]]
        assert not changed, f"{what}: changed {changed}"


def signed_in(who: Who) -> Client:
    browser = SignedIn(who.name)
    if who.role:
        grant(Role(who.role), who.pattern, user=browser.person, registry=who.registry)
    return browser


def people() -> None:
    """A group in which there is somebody, and a robot's token."""
    Group.objects.create(name="group").user_set.add(User.objects.earliest("pk"))
    moment = timezone.now()
    Token.objects.create(name="ci", hint="regui_", digest="0" * 64, role="reader", created_at=moment)


@contextmanager
def undone() -> Iterator[None]:
    """What is changed meanwhile in the database is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[World]:
    """The world, with everybody in it, made once for a module. Its tests are to be marked with `django_db`:
    what one changes in the database is taken back after it; in the registry none may change anything."""
    registry = open_registry(tmp_path_factory.mktemp("world"))
    settings = {"REGISTRIES": {}, "STALE_AFTER": timedelta(hours=1)}
    with (
        django_db_blocker.unblock(),
        transaction.atomic(),
        override_settings(**settings),
    ):
        for name in ("main", "beyond"):
            book.write(RegistrySettings(name, registry.url), ROOT.name, timezone.now(), new=True)
        made = World(registry)
        for place in (OWN["repository"], FOREIGN["repository"]):
            made.fill(place)
        for name in ("main", "beyond"):
            made.clean(name)
        for who in EVERYBODY:
            made.browser(who)
        people()
        yield made
        transaction.set_rollback(True)
    connect.close()
    registry.stop()


def told(answer: Any, *names: str) -> tuple[int, dict[str, str], bytes]:
    """All that an answer says, with what is secret, or a name, taken out."""
    body = SECRET.sub(b"", answer.content)
    headers = {name: value for name, value in answer.headers.items() if name not in PASSING}
    for name in (*names, *(quote(name, safe="") for name in names)):
        body = body.replace(name.encode(), b"NAME")
        headers = {header: value.replace(name, "NAME") for header, value in headers.items()}
    return answer.status_code, headers, body


def alike(row: Row, world: World, answers: Mapping[tuple[Who, Place], Any]) -> None:
    """Raise AssertionError when somebody was answered otherwise about what is hidden than about what isn't
    there, but for its name."""
    for (who, place), answer in answers.items():
        if place in GHOST.values():
            there = FOREIGN[kind(row)]
            hidden = told(answers[who, there], *world.names(row, there))
            assert told(answer, *world.names(row, place)) == hidden, f"{row} by {who}"


def hidden_fields(answer: Any) -> dict[str, str]:
    """The hidden fields of the form that asks for a change."""
    text = answer.content.decode().partition('id="confirm"')[2]
    return {
        name: unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text)
    }
