"""Reading through when the registry is slow, breaks off, or answers nonsense."""

import time

import pytest
from django.utils import timezone

from regui import oci
from regui.demo import images as demo
from regui.index import connect, fetch
from regui.index.models import Registry, Repository, Tag
from tests import images
from tests.fake import Fake
from tests.index.conftest import NAME, count, slow
from tests.memory import Out, error, out


@pytest.mark.django_db
class TestSlow:
    def test_a_page_stops_in_time_and_goes_on_at_the_next_visit(
        self, pushed: Fake, unsaved: Repository
    ) -> None:
        pushed.on("GET", r"/v2/.*/manifests/.*", slow(0.4))
        began = time.monotonic()
        reading = fetch.repository(unsaved, budget=0.9)

        assert time.monotonic() - began < 5
        assert (reading.complete, reading.problem) == (False, "")
        assert unsaved.tag_count == 20
        assert (unsaved.size, unsaved.changed_at) == (None, None)
        for _ in range(10):
            if fetch.repository(unsaved, budget=0.9).complete:
                break
        assert not Tag.objects.filter(seen_at=None).exists()
        assert unsaved.size is not None
        # What was read once is not read again, though the listing is as fresh as it was.
        assert count(pushed, "/tags/list") == 1
        asked = len(pushed.seen)
        fetch.repository(unsaved, budget=0.9)
        assert len(pushed.seen) == asked

    def test_the_rows_shown_are_read_first(self, pushed: Fake, unsaved: Repository) -> None:
        pushed.on("GET", r"/v2/.*/manifests/.*", slow(0.2))
        fetch.repository(unsaved, first=lambda: ["18", "19"], budget=0.7)

        assert Tag.objects.filter(name__in=["18", "19"], manifest=None).count() == 0
        assert Tag.objects.filter(seen_at=None).exists()

    def test_a_listing_that_hangs_costs_one_page_its_budget_and_the_next_nothing(
        self, pushed: Fake, known: Repository
    ) -> None:
        pushed.on("GET", r"/v2/.*/tags/list", Out(stall=30))
        began = time.monotonic()
        first = fetch.repository(known, budget=0.4)
        assert time.monotonic() - began < 5
        asked = len(pushed.seen)
        second = fetch.repository(known, budget=0.4)
        assert len(pushed.seen) == asked

        assert first.error_code == second.error_code == "timed-out"
        assert (first.complete, first.as_of) == (False, known.listed_at)
        # That one repository is slow says nothing about another.
        with oci.Client(pushed.url) as client:
            images.push(client, "other/app", images.image(), ["1"])
        pushed.on("GET", r"/v2/other/app/tags/list", pushed.memory.answer)
        other = Repository(registry=known.registry, name="other/app", first_seen_at=timezone.now())
        assert fetch.repository(other).problem == ""

    def test_a_catalog_that_takes_a_minute_does_not_block_the_rest(
        self, pushed: Fake, fake_row: Registry, unsaved: Repository
    ) -> None:
        Registry.objects.update(listed_at=None)
        fake_row.refresh_from_db()
        pushed.on("GET", r"/v2/_catalog", Out(stall=60))

        assert fetch.catalog(fake_row, budget=0.3).error_code == "timed-out"
        assert fetch.repository(unsaved).problem == ""

    def test_a_check_that_runs_out_of_time_is_incomplete(self, pushed: Fake, known: Repository) -> None:
        pushed.on("GET", r"/v2/.*/manifests/.*", slow(1))
        reading = fetch.repository(known, every=True, budget=2)

        assert not reading.complete
        assert 0 < reading.checked < reading.total == 20
        assert reading.problem == ""


@pytest.mark.django_db
class TestBroken:
    def test_nothing_is_pruned_for_a_listing_that_breaks_off(self, pushed: Fake, known: Repository) -> None:
        """The first of two pages comes, the second doesn't."""
        page = out(
            200, {"name": NAME, "tags": ["00"]}, Link=f'</v2/{NAME}/tags/list?last=00&n=1>; rel="next"'
        )
        broken = Out(200, b'{"tags": [', cut=5)
        pushed.on("GET", r"/v2/.*/tags/list", [page, broken])
        reading = fetch.repository(known, budget=3)

        assert reading.problem
        assert not reading.complete
        assert known.tags.listed().count() == 20

    @pytest.mark.parametrize(
        "answer",
        [
            error(503, "UNAVAILABLE"),
            error(429, "TOOMANYREQUESTS", Retry_After="30"),
            error(401, "UNAUTHORIZED"),
            error(403, "DENIED"),
            error(500, "UNKNOWN"),
            Out(404, b"404 page not found\n", (("Content-Type", "text/plain"),)),
            Out(200, b"<html>", (("Content-Type", "text/html"),)),
            Out(200, b'{"tags": 5}', (("Content-Type", "application/json"),)),
        ],
        ids=["503", "429", "401", "403", "500", "foreign 404", "web page", "no list"],
    )
    def test_no_error_prunes_or_is_swallowed(self, pushed: Fake, known: Repository, answer: Out) -> None:
        pushed.on("GET", r"/v2/.*/tags/list", answer)
        reading = fetch.repository(known, budget=3)

        assert reading.problem
        assert reading.error_code
        assert known.tags.listed().count() == 20
        assert known.problem == reading.problem

    def test_a_registry_that_asks_for_a_pause_gets_it(self, pushed: Fake, known: Repository) -> None:
        pushed.on("GET", r"/v2/.*/tags/list", error(429, "TOOMANYREQUESTS", Retry_After="30"))
        fetch.repository(known)
        before = len(pushed.seen)

        assert fetch.repository(known).error_code == "too-many-requests"
        assert len(pushed.seen) == before

    def test_a_tag_whose_manifest_makes_no_sense_keeps_that_as_its_problem(
        self, pushed: Fake, unsaved: Repository
    ) -> None:
        body = b"[]"
        digest = oci.Digest.of(body)
        answer = out(200, body, oci.OCI_MANIFEST, Docker_Content_Digest=digest)
        pushed.on("GET", rf"/v2/{NAME}/manifests/03", answer)
        reading = fetch.repository(unsaved)

        assert reading.complete
        tag = Tag.objects.get(name="03")
        assert tag.problem
        assert tag.manifest is None
        assert unsaved.tag_count == 20

    def test_a_child_that_makes_no_sense_is_asked_for_once(self, pushed: Fake, fake_row: Registry) -> None:
        """No registry should take such an index, but one that did must not be asked about it for ever."""
        body = b"[]"
        digest = oci.Digest.of(body)
        child = {"mediaType": oci.OCI_INDEX, "digest": digest, "size": len(body)}
        index = demo.index([images.image()], entries=[child])
        answer = out(200, body, oci.OCI_INDEX, Docker_Content_Digest=digest)
        pushed.on("GET", rf"/v2/odd/manifests/{digest}", answer)
        told = out(200, index.body, index.media_type, Docker_Content_Digest=index.digest)
        for reference in ("1", index.digest):
            pushed.on("GET", rf"/v2/odd/manifests/{reference}", told)
        pushed.on("GET", r"/v2/odd/tags/list", out(200, {"name": "odd", "tags": ["1"]}))
        repository = Repository(registry=fake_row, name="odd", first_seen_at=timezone.now())

        for _ in range(3):
            assert fetch.repository(repository, every=True).complete
            manifest, reading = fetch.manifest(repository, "1")
            assert reading.complete
        assert manifest.size is None
        assert count(pushed, f"/manifests/{digest}") == 1

    def test_a_child_index_that_cannot_be_read_leaves_a_check_incomplete_and_says_why(
        self, pushed: Fake, unsaved: Repository
    ) -> None:
        inner = images.index()
        with oci.Client(pushed.url) as client:
            images.push(client, NAME, demo.index([inner]), ["nested"])
        pushed.on("GET", rf"/v2/{NAME}/manifests/{inner.digest}", error(500, "UNKNOWN"))
        reading = fetch.repository(unsaved, every=True, budget=fetch.CHECK_BUDGET)

        assert (reading.complete, reading.checked, reading.total) == (False, 21, 21)
        assert inner.digest in reading.problem

    def test_a_repository_that_left_the_catalog_and_is_denied_is_not_found(
        self, pushed: Fake, known: Repository
    ) -> None:
        Repository.objects.update(gone_at=timezone.now())
        known.refresh_from_db()
        pushed.on("GET", r"/v2/.*/tags/list", error(404, "NAME_UNKNOWN"))

        with pytest.raises(oci.NotFound):
            fetch.repository(known)
        known.refresh_from_db()
        assert known.gone_at is not None

    def test_a_registry_that_stumbles_over_one_manifest_shows_the_others(
        self, pushed: Fake, unsaved: Repository
    ) -> None:
        """distribution 3 answers 500 for schema 1."""
        pushed.on("GET", rf"/v2/{NAME}/manifests/03", error(500, "UNKNOWN"))
        reading = fetch.repository(unsaved)

        assert reading.problem == ""
        assert Tag.objects.get(name="03").problem
        assert Tag.objects.exclude(manifest=None).count() == 19

    def test_a_config_that_is_gone_leaves_the_date_unknown(self, pushed: Fake, unsaved: Repository) -> None:
        pushed.on("GET", r"/v2/.*/blobs/.*", error(404, "BLOB_UNKNOWN"))
        reading = fetch.repository(unsaved)

        assert reading.complete
        tag = Tag.objects.select_related("manifest").get(name="00")
        assert tag.manifest
        assert (tag.manifest.created_at, tag.manifest.platform) == (None, "")
        assert tag.manifest.size is not None

    def test_a_config_that_could_not_be_read_this_time_is_read_the_next(
        self, pushed: Fake, unsaved: Repository
    ) -> None:
        pushed.on("GET", r"/v2/.*/blobs/.*", error(401, "UNAUTHORIZED"))
        assert fetch.repository(unsaved).error_code == "unauthorized"
        assert Tag.objects.exclude(manifest=None).count() == 0

        pushed.on("GET", r"/v2/.*/blobs/.*", pushed.memory.answer)
        connect.link(unsaved.registry).rests.clear()
        assert fetch.repository(unsaved).problem == ""
        assert Tag.objects.exclude(manifest=None).count() == 20

    def test_other_bytes_than_the_digest_says_are_not_kept(self, pushed: Fake, unsaved: Repository) -> None:
        wrong = out(200, b"{}", oci.OCI_MANIFEST, Docker_Content_Digest=oci.Digest.of(b"else"))
        pushed.on("GET", rf"/v2/{NAME}/manifests/03", wrong)
        fetch.repository(unsaved)

        tag = Tag.objects.get(name="03")
        assert (tag.manifest, bool(tag.problem)) == (None, True)
