"""The address book: registries that the environment names, and those that people entered."""

import gc
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import trustme
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.utils import timezone
from pytest_django import Settings

from regui import oci, sealed, secrets
from regui.index import book, connect, fetch, sync
from regui.index.models import Entry, Registry
from regui.registries import RegistrySettings
from tests.fake import Fake
from tests.registry import USER, RunningRegistry, basic_registry, tls_registry

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A real registry that wants a password."""
    running = basic_registry(tmp_path_factory.mktemp("locked"))
    running.push("team/app", tags=["1.0"])
    yield running
    running.stop()


def enter(url: str, name: str = "prod", *, new: bool = True, **fields: object) -> Registry:
    """The row of a registry that Alice entered."""
    record = replace(RegistrySettings(name, url, prefix=""), **fields)  # type: ignore[arg-type]
    book.write(record, "alice", timezone.now(), new=new)
    return Registry.objects.get(name=name)


def names() -> list[str]:
    """What pages show."""
    return list(Registry.objects.filter(active=True).values_list("name", flat=True))


class TestEntering:
    def test_an_entered_registry_is_read_with_its_password(self, locked: RunningRegistry) -> None:
        row = enter(locked.url, username=USER.username, password=USER.password)
        assert sync.run(row).problem == ""
        assert list(row.repositories.values_list("name", flat=True)) == ["team/app"]

    def test_the_password_lies_in_the_database_sealed(self, locked: RunningRegistry) -> None:
        enter(locked.url, username=USER.username, password=USER.password)
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM index_entry")
            kept = str(cursor.fetchall())
        assert USER.username in kept
        assert USER.password not in kept
        assert USER.password not in repr(book.look_up("prod"))

    def test_certificates_lie_in_the_database_and_the_key_sealed(self, tmp_path: Path) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        issued = authority.issue_cert("regui")
        cert, key = issued.cert_chain_pems[0].bytes().decode(), issued.private_key_pem.bytes().decode()
        running = tls_registry(tmp_path / "tls", client_ca=tmp_path / "ca.pem")
        try:
            assert running.ca is not None
            row = enter(running.url, ca=running.ca.read_text(), cert=cert, key=key)
            assert connect.connect(row).ping()
            assert Entry.objects.get().cert == cert
            assert "PRIVATE KEY" not in Entry.objects.get().key
            without = enter(running.url, ca=running.ca.read_text(), new=False)
            with pytest.raises(oci.Unreachable):
                connect.connect(without).ping()
            stranger = enter(running.url, cert=cert, key=key, new=False)
            with pytest.raises(oci.BadCertificate):
                connect.connect(stranger).ping()
        finally:
            running.stop()

    def test_a_name_is_entered_once(self) -> None:
        enter("http://127.0.0.1:9")
        with pytest.raises(IntegrityError):
            enter("http://127.0.0.1:8")

    def test_what_was_found_out_about_another_address_is_forgotten(self) -> None:
        row = enter("http://127.0.0.1:9")
        Registry.objects.update(capabilities={"deletes": {"state": "no"}}, examined_at=timezone.now())
        assert enter("http://127.0.0.1:9", username="u", new=False).capabilities
        row = enter("http://127.0.0.1:8", new=False)
        assert (row.capabilities, row.examined_at, row.url) == ({}, None, "http://127.0.0.1:8")


class TestRowsFollow:
    def test_starting_does_not_hide_what_people_entered(self, settings: Settings) -> None:
        settings.REGISTRIES = {"main": RegistrySettings("main", "http://127.0.0.1:9")}
        enter("http://127.0.0.1:8")
        connect.ensure_registries()
        assert names() == ["main", "prod"]

    def test_hiding_forgets_nothing_and_showing_brings_it_back(self, locked: RunningRegistry) -> None:
        row = enter(locked.url, username=USER.username, password=USER.password)
        sync.run(row)
        book.hide("prod", "bob", timezone.now())
        connect.ensure_registries()
        assert names() == []
        with pytest.raises(oci.Unreachable):
            connect.connect(row)
        book.show("prod", "bob", timezone.now())
        assert names() == ["prod"]
        assert connect.connect(row).ping()
        assert [one.name for one in row.repositories.all()] == ["team/app"]

    def test_the_environment_comes_before_the_same_name_entered(self, settings: Settings) -> None:
        enter("http://127.0.0.1:8")
        settings.REGISTRIES = {"prod": RegistrySettings("prod", "http://127.0.0.1:9")}
        connect.ensure_registries()
        row = Registry.objects.get()
        assert (row.url, connect.connect(row).url) == ("http://127.0.0.1:9", "http://127.0.0.1:9")
        [line] = book.lines()
        assert (line.given, line.entry, line.url) == (
            settings.REGISTRIES["prod"],
            Entry.objects.get(),
            row.url,
        )

    def test_the_entered_one_is_back_when_the_environment_lets_go_of_the_name(
        self, settings: Settings
    ) -> None:
        enter("http://127.0.0.1:8")
        settings.REGISTRIES = {"prod": RegistrySettings("prod", "http://127.0.0.1:9")}
        connect.ensure_registries()
        settings.REGISTRIES = {}
        connect.ensure_registries()
        row = Registry.objects.get()
        assert (row.active, row.url, connect.connect(row).url) == (
            True,
            "http://127.0.0.1:8",
            "http://127.0.0.1:8",
        )

    def test_hiding_does_not_hide_the_environment_s(self, settings: Settings) -> None:
        enter("http://127.0.0.1:8")
        settings.REGISTRIES = {"prod": RegistrySettings("prod", "http://127.0.0.1:9")}
        book.hide("prod", "bob", timezone.now())
        assert names() == ["prod"]


class TestLinks:
    def test_an_edit_counts_at_once_and_the_old_way_is_closed(self) -> None:
        with Fake() as old, Fake() as new:
            row = enter(old.url)
            connect.connect(row).ping()
            enter(new.url, new=False)
            connect.connect(row).ping()  # the row as it was loaded before the edit
            assert (len(old.seen), len(new.seen)) == (1, 1)
            before = connect.connect(row)
            assert connect.connect(Registry.objects.get()) is before
        gc.collect()
        ours = [one.name for one in threading.enumerate() if one.name.startswith("registry")]
        assert ours == []

    def test_whoever_is_at_something_ends_it_the_way_it_was_begun(self) -> None:
        with Fake() as old:
            row = enter(old.url)
            link = connect.link(row)
            enter("http://127.0.0.1:9", new=False)
            assert connect.link(row) is not link
            answers = link.map(lambda _: link.client.ping(), range(3), None)
            assert [type(answer) for _, answer in answers] == [oci.Base] * 3

    def test_a_crawl_stops_when_the_registry_is_reached_another_way(self) -> None:
        with Fake() as old:
            row = enter(old.url)

            def move(_: object) -> None:
                Entry.objects.update(url="http://127.0.0.1:9")

            result = sync.run(row, move)
        assert "another way" in result.problem


class TestSealed:
    def test_without_the_key_the_registry_says_so_and_nothing_breaks(
        self, locked: RunningRegistry, settings: Settings
    ) -> None:
        row = enter(locked.url, username=USER.username, password=USER.password)
        settings.SECRET_KEY = "another"
        with pytest.raises(book.Locked) as caught:
            connect.connect(row)
        assert "Settings" in caught.value.hint
        reading = fetch.catalog(row, max_age=timedelta(0))
        assert reading.error_code == "locked"
        assert "can't be opened" in sync.run(row).problem
        connect.ensure_registries()
        assert [line.is_locked for line in book.lines()] == [True]
        row = enter(locked.url, username=USER.username, password=USER.password, new=False)
        assert connect.connect(row).ping()

    def test_a_password_moved_into_another_column_is_of_no_use(self) -> None:
        enter("http://127.0.0.1:9", username="u", password="hunter2")
        entry = Entry.objects.get()
        Entry.objects.update(key=entry.password)
        record = book.look_up("prod")
        assert record is not None
        assert record.locked
        assert record.key == ""

    def test_resealing_follows_the_key(self, settings: Settings) -> None:
        settings.SECRET_KEY = "first"
        enter("http://127.0.0.1:9", username="u", password="hunter2", cert="cert", key="key")
        enter("http://127.0.0.1:9", "open")
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "second", ["first"]
        enter("http://127.0.0.1:9", "new", username="u", password="hunter3")
        counts = list(sealed.reseal())
        assert [(str(one.place), one.anew, one.current) for one in counts if one.anew or one.current] == [
            ("index.Entry password", 1, 1),
            ("index.Entry key", 1, 0),
        ]
        settings.SECRET_KEY_FALLBACKS = []
        record = book.look_up("prod")
        assert record is not None
        assert (record.password, record.key, record.locked) == ("hunter2", "key", False)
        before = Entry.objects.get(name="prod").password
        assert not any(one.anew for one in sealed.reseal())
        assert Entry.objects.get(name="prod").password == before

    def test_what_no_key_opens_is_named_and_left_as_it_is(
        self, settings: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings.SECRET_KEY = "lost"
        enter("http://127.0.0.1:9", username="u", password="hunter2")
        before = Entry.objects.get().password
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "second", ["first"]
        enter("http://127.0.0.1:9", "other", username="u", password="hunter3")
        counts = list(sealed.reseal())
        assert counts[0].unopened == ["prod"]
        assert counts[0].current == 1
        assert Entry.objects.get(name="prod").password == before
        call_command("registries")
        assert "prod\thttp://127.0.0.1:9\tadded by alice; what is sealed can't be opened" in (
            capsys.readouterr().out
        )

    def test_sealed_values_inside_json_follow_too(self, settings: Settings) -> None:
        place = sealed.Place("index.Registry", "capabilities", "codes", ("seed", "codes"))
        settings.SECRET_KEY = "first"
        kept = {"seed": secrets.seal("s", "codes"), "codes": [secrets.seal("c", "codes"), ""], "used": 1}
        row = enter("http://127.0.0.1:9")
        Registry.objects.update(capabilities=kept)
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "second", ["first"]
        assert [one.anew for one in sealed.reseal((place,))] == [1]
        settings.SECRET_KEY_FALLBACKS = []
        row.refresh_from_db()
        found = row.capabilities
        assert secrets.unseal(found["seed"], "codes") == "s"
        assert [secrets.unseal(one, "codes") for one in found["codes"]] == ["c", ""]
        assert found["used"] == 1
        assert [(one.anew, one.current) for one in sealed.reseal((place,))] == [(0, 1)]
