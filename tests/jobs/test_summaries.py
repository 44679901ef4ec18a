"""What is told of runs, by a real mail server and a real place to post to."""

import base64
import hashlib
import hmac
import json
import logging
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trustme
from django.urls import resolve
from pytest_django import Settings

from regui import outlets
from regui.actions.models import Part, Run
from regui.actions.retention import summary
from regui.env import Env
from regui.jobs import summaries
from tests.fake import Fake
from tests.mailbox import Mailbox
from tests.memory import out

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
HOSTILE = "team/<!channel>&<https://evil.example|x>\r\nBcc: x@evil.example"
SECRET = "hidden-hook-9a8b"


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with Mailbox() as one:
        yield one


@pytest.fixture
def place() -> Iterator[Fake]:
    """Somewhere to post to."""
    with Fake() as one:
        one.on("POST", ".*", out(200))
        yield one


@pytest.fixture(autouse=True)
def nobody_else(settings: Settings) -> None:
    settings.CLEANUP_MAIL = settings.CLEANUP_HOOK = None
    settings.URL, settings.BASE_PATH = "https://regui.example.com/sub", "sub"


def by_mail(settings: Settings, port: int, query: str = "?tls=off", scheme: str = "smtp") -> None:
    settings.CLEANUP_MAIL = outlets.mail(
        Env(
            {
                "REGUI_EMAIL_URL": f"{scheme}://me:pass%40word@127.0.0.1:{port}{query}",
                "REGUI_EMAIL_FROM": "regui <regui@example.com>",
                "REGUI_CLEANUP_EMAIL_TO": "a@example.com, b@example.com",
            }
        )
    )


def by_hook(settings: Settings, url: str, form: str = "json", secret: str = SECRET) -> None:
    settings.CLEANUP_HOOK = outlets.hook(
        Env(
            {
                "REGUI_CLEANUP_WEBHOOK_URL": url,
                "REGUI_CLEANUP_WEBHOOK_SECRET": secret,
                "REGUI_CLEANUP_WEBHOOK_FORMAT": form,
            }
        )
    )


def a_run(state: Run.State = Run.State.PARTIAL, **more: Any) -> Run:
    values: dict[str, Any] = {
        "registry": "main",
        "policy": "builds",
        "document": {},
        "trigger": Run.Trigger.SCHEDULE,
        "actor": "alice",
        "state": state,
        "started_at": NOW - timedelta(minutes=2),
        "finished_at": None if state in {Run.State.ASKING, Run.State.RUNNING} else NOW,
        "repositories": 3,
        "tags": 100,
        "keeps": 70,
        "drops": 30,
        "manifests": 20,
        "untagged": 1,
        "frees": 6_300_000_000,
        "went": 28,
        "deleted": 19,
        "bare": 1,
        "freed": 5_300_000_000,
    }
    run = Run.objects.create(**(values | more))
    Part.objects.create(run=run, repository=HOSTILE, tags=3, reason="the registry said: <b>&no</b>")
    return run


def asked(place: Fake) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(place.seen[-1].body)
    return found


def test_it_is_told_by_mail_in_plain_text(settings: Settings, box: Mailbox) -> None:
    by_mail(settings, box.port)
    run = a_run()

    assert summaries.tell(run, NOW)
    (message,) = box.messages
    assert message["Subject"] == "Clean-up builds of main has done a part"
    assert message["From"] == "regui <regui@example.com>"
    assert message["To"] == "a@example.com, b@example.com"
    assert message["Bcc"] is None
    assert message.get_content_type() == "text/plain"
    text = message.get_content()
    assert "It dropped 28 of the 30 tags that were to go, and left 2." in text
    assert "19 manifests are deleted, 1 of them without a tag before" in text
    assert "5.3 GB" in text
    assert "team/<!channel>&<https://evil.example|x>  Bcc: x@evil.example: the registry said: <b>&no" in text
    assert f"https://regui.example.com/sub/main/-/cleanup/runs/{run.pk}/" in text
    assert base64.b64decode(box.signed_in[0]) == b"\0me\0pass@word"


def test_a_document_is_posted_and_signed(settings: Settings, place: Fake) -> None:
    by_hook(settings, f"{place.url}/hook?key=1")
    run = a_run()

    assert summaries.tell(run, NOW)
    found, ask = asked(place), place.seen[-1]
    assert (ask.path, ask.raw_query, ask.headers["Content-Type"]) == ("/hook", "key=1", "application/json")
    expected = hmac.new(SECRET.encode(), ask.body, hashlib.sha256).hexdigest()
    assert ask.headers["X-Regui-Signature-256"] == f"sha256={expected}"
    assert found == {
        "id": f"{run.pk}-partial",
        "event": "cleanup-run",
        "sent_at": "2026-05-04T03:02:01+00:00",
        "registry": "main",
        "policy": "builds",
        "run": run.pk,
        "state": "partial",
        "reason": "",
        "trigger": "schedule",
        "dry_run": False,
        "started_at": "2026-05-04T03:00:01+00:00",
        "finished_at": "2026-05-04T03:02:01+00:00",
        "repositories": 3,
        "tags": 100,
        "keeps": 70,
        "drops": 30,
        "dropped": 28,
        "left_count": 2,
        "left": [],
        "manifests": 19,
        "untagged": 1,
        "bytes": 5_300_000_000,
        "skipped_count": 1,
        "skipped": [{"repository": HOSTILE, "reason": "the registry said: <b>&no</b>"}],
        "url": f"https://regui.example.com/sub/main/-/cleanup/runs/{run.pk}/",
    }


def test_nothing_is_signed_without_a_secret_and_nothing_linked_without_an_address(
    settings: Settings, place: Fake
) -> None:
    by_hook(settings, place.url, secret="")
    settings.URL = ""

    assert summaries.tell(a_run(), NOW)
    assert "X-Regui-Signature-256" not in place.seen[-1].headers
    assert asked(place)["url"] is None


def test_slack_gets_text_that_stays_text_within_its_limits(settings: Settings, place: Fake) -> None:
    by_hook(settings, place.url, "slack")
    run = a_run(reason="<!here> " * 2000)
    for number in range(60):
        Part.objects.create(run=run, repository=f"r{number}&" + "<" * 200, tags=1, reason="because")

    assert summaries.tell(run, NOW)
    found = asked(place)
    assert found.keys() == {"text", "blocks"}
    assert len(found["text"]) <= 4000
    assert len(found["blocks"]) <= 50
    texts = [block["text"] for block in found["blocks"]]
    assert all(len(one["text"]) <= (150 if one["type"] == "plain_text" else 3000) for one in texts)
    marked = [one for one in texts if one["type"] == "mrkdwn"]
    assert all(one["verbatim"] for one in marked)
    link = f"<https://regui.example.com/sub/main/-/cleanup/runs/{run.pk}/|Look at the run>"
    assert [one["text"] for one in marked if "<" in one["text"]] == [link]
    assert "<" not in found["text"]
    assert "&lt;!here&gt;" in found["text"]


def test_what_is_due_is_told_once(settings: Settings, place: Fake) -> None:
    a_run()
    assert summaries.due(NOW) == []  # nobody wants to know

    by_hook(settings, place.url)
    for run in summaries.due(NOW):
        assert summaries.tell(run, NOW)
    assert summaries.due(NOW) == []
    assert len(place.seen) == 1
    assert Run.objects.get().told_at == NOW


def test_a_run_that_asks_is_told_and_told_again_when_it_has_ended(settings: Settings, place: Fake) -> None:
    by_hook(settings, place.url)
    run = a_run(Run.State.ASKING)
    assert [summaries.tell(one, NOW) for one in summaries.due(NOW)] == [True]
    assert asked(place)["state"] == "asking"

    Run.objects.update(state=Run.State.RUNNING)
    assert summaries.due(NOW) == []
    Run.objects.update(state=Run.State.DONE, finished_at=NOW)
    assert [summaries.tell(one, NOW) for one in summaries.due(NOW)] == [True]
    assert asked(place)["state"] == "done"
    assert len({json.loads(ask.body)["id"] for ask in place.seen}) == 2
    assert run.pk == asked(place)["run"]


def test_what_is_no_news_is_not_told(settings: Settings, place: Fake) -> None:
    by_hook(settings, place.url)
    a_run(Run.State.DRY, dry=True, trigger=Run.Trigger.PERSON)
    a_run(Run.State.DRY, dry=True, trigger=Run.Trigger.COMMAND)
    a_run(Run.State.RUNNING)
    a_run(Run.State.DONE, finished_at=NOW - timedelta(days=2))

    assert summaries.due(NOW) == []
    expected = a_run(Run.State.DONE, trigger=Run.Trigger.PERSON)
    assert summaries.due(NOW) == [expected]


def test_what_one_way_took_is_not_sent_there_again(settings: Settings, box: Mailbox, place: Fake) -> None:
    by_mail(settings, box.port)
    by_hook(settings, place.url)
    place.on("POST", ".*", [out(503), out(200)])
    run = a_run()

    assert not summaries.tell(run, NOW)
    run.refresh_from_db()
    assert run.untold == f"webhook: {place.host} answered 503."
    assert summaries.due(NOW) == []
    later = NOW + timedelta(minutes=1)
    assert [summaries.tell(one, later) for one in summaries.due(later)] == [True]
    run.refresh_from_db()
    assert (len(box.messages), len(place.seen), run.untold) == (1, 2, "")


def test_it_is_tried_for_a_day_and_then_given_up(settings: Settings, place: Fake) -> None:
    by_hook(settings, place.url)
    place.on("POST", ".*", out(500))
    run, now, times = a_run(), NOW, []
    while now < NOW + timedelta(days=3):
        for one in summaries.due(now):
            assert not summaries.tell(one, now)
            times.append(now)
        now += timedelta(minutes=1)
    run.refresh_from_db()

    waits = [after - before for before, after in pairwise(times)]
    assert waits[:3] == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]
    assert max(waits) == timedelta(hours=2)
    assert times[-1] < NOW + timedelta(days=1)
    assert run.untold.endswith("answered 500. It isn't tried any more.")
    assert (run.told_at, run.state) == (None, Run.State.PARTIAL)


def test_a_run_that_another_worker_tells_of_is_left_to_it(settings: Settings, place: Fake) -> None:
    by_hook(settings, place.url)
    a_run()
    (mine,), (theirs,) = summaries.due(NOW), summaries.due(NOW)

    assert summaries.tell(mine, NOW)
    assert not summaries.tell(theirs, NOW)
    assert len(place.seen) == 1


def test_no_redirect_is_followed(settings: Settings, place: Fake) -> None:
    by_hook(settings, place.url)
    place.on("POST", ".*", out(307, Location=f"{place.url}/elsewhere"))

    assert not summaries.tell(a_run(), NOW)
    assert [ask.path for ask in place.seen] == ["/"]


@pytest.mark.parametrize("host", ["169.254.169.254", "[::ffff:169.254.169.254]", "169.254.1.1"])
def test_nothing_is_posted_to_where_no_request_goes(settings: Settings, host: str) -> None:
    by_hook(settings, f"http://{host}/hook")
    run = a_run()

    assert not summaries.tell(run, NOW)
    assert "which regui doesn't connect to" in Run.objects.get(pk=run.pk).untold


def test_what_fails_says_why_without_a_secret(
    settings: Settings, box: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    box.refusal = "550 no such person pass@word"
    by_mail(settings, box.port)
    with Fake() as gone:
        pass
    by_hook(settings, f"{gone.url}/hidden-path?hidden-query")
    run = a_run()

    assert not summaries.tell(run, NOW)
    run.refresh_from_db()
    assert "e-mail: The server 127.0.0.1" in run.untold
    assert f"webhook: {gone.host} refuses connections." in run.untold
    for secret in ("pass@word", "hidden-path", "hidden-query", SECRET):
        assert secret not in f"{run.untold} {caplog.text} {settings.CLEANUP_HOOK} {settings.CLEANUP_MAIL}"


def test_a_server_that_offers_no_encryption_gets_no_password(settings: Settings, box: Mailbox) -> None:
    by_mail(settings, box.port, query="")

    assert not summaries.tell(a_run(), NOW)
    assert box.signed_in == []
    assert box.messages == []


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
@pytest.mark.parametrize("vouched", [True, False], ids=["an authority we know", "nobody we know"])
def test_mail_is_encrypted_by_who_can_prove_who_they_are(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, vouched: bool
) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    (authority if vouched else trustme.CA()).cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with Mailbox(context=context, tls=scheme == "smtps") as box:
        by_mail(settings, box.port, query="", scheme=scheme)
        run = a_run()

        assert summaries.tell(run, NOW) is vouched
        assert box.encrypted == [True] * vouched
        assert len(box.signed_in) == vouched, "no password without that"
        assert ("SSLCertVerificationError" in run.untold) is not vouched


def test_the_link_leads_to_the_page_of_the_run(settings: Settings) -> None:
    settings.URL, settings.BASE_PATH = "https://regui.example.com", ""
    run = a_run()
    found = resolve(str(summary.address(run)).removeprefix(settings.URL))

    assert (found.url_name, found.kwargs["run"]) == ("run", run.pk)
