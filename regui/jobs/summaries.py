"""Tells of runs that ended, or wait for a person, to whom the settings name. That it fails is written down
with the run, and nothing else comes of it."""

import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend
from django.db import DatabaseError, close_old_connections
from django.db.models import F, Q
from django.utils import timezone

import regui
from regui import oci
from regui.actions.models import Run
from regui.actions.retention import summary
from regui.oci.origin import Origin
from regui.oci.transport import Transport
from regui.outlets import SLACK, Hook, Mail

log = logging.getLogger(__name__)

# How long it is tried; how long after the first time again, each wait being twice as long as the one before,
# up to how long; and for how long one worker has a run to itself meanwhile.
DAY, FIRST, LONGEST = timedelta(days=1), timedelta(minutes=1), timedelta(hours=2)
LEASE = timedelta(minutes=3)
# Seconds that one way may take.
PATIENCE = 15
TIMEOUT = oci.Timeout(connect=5, read=10, total=PATIENCE)
ENDED = [Run.State.DONE, Run.State.PARTIAL, Run.State.FAILED, Run.State.CANCELLED, Run.State.DRY]
BY_HAND = [Run.Trigger.PERSON, Run.Trigger.COMMAND]


# Seconds between two looks, and after the database failed.
LOOK, TROUBLE = 2.0, 5.0


def loop(stop: threading.Event) -> None:
    """Tell of what is due until told to stop: beside the runs, so that a slow server holds none up."""
    while not stop.wait(LOOK):
        try:
            for run in due():
                if stop.is_set():
                    break
                tell(run)
        except DatabaseError as error:
            log.warning("summaries of runs wait: %s", error)
            stop.wait(TROUBLE)
        close_old_connections()


class Untold(Exception):
    """A way that didn't take it. The message is a sentence without any secret."""


def ways() -> dict[str, Callable[[dict[str, Any]], None]]:
    """The ways that the settings name, each of which raises `Untold`."""
    mail: Mail | None = settings.CLEANUP_MAIL
    hook: Hook | None = settings.CLEANUP_HOOK
    found: dict[str, Callable[[dict[str, Any]], None]] = {}
    if mail:
        found["e-mail"] = lambda document: send(mail, document)
    if hook:
        found["webhook"] = lambda document: post(hook, document)
    return found


def due(now: datetime | None = None) -> Sequence[Run]:
    """Runs that are to be told of now: the oldest first, a few at a time, none when nobody wants to know."""
    now = now or timezone.now()
    if not ways():
        return []
    # What is longer ago is no news: whoever has just named an address doesn't want all that ever was.
    news = Q(state__in=ENDED, finished_at__gte=now - DAY - LONGEST) | Q(state=Run.State.ASKING)
    rows = Run.objects.filter(news).exclude(told_state=F("state")).exclude(dry=True, trigger__in=BY_HAND)
    return list(rows.filter(Q(tell_at=None) | Q(tell_at__lte=now)).order_by("started_at", "pk")[:10])


def tell(run: Run, now: datetime | None = None) -> bool:
    """Tell of a run by every way that hasn't taken it yet; whether all is told now. Never raises for what
    went wrong with that."""
    now = now or timezone.now()
    mine = Run.objects.filter(pk=run.pk, state=run.state, told_state=run.told_state, tell_at=run.tell_at)
    if not mine.update(tell_at=now + LEASE):
        return False  # another worker is at it, or it went on
    document, failed = summary.of(run, now), []
    for name, way in ways().items():
        key = f"{run.state} {name}"
        if key in run.told_by:
            continue
        try:
            way(document)
            run.told_by = [*run.told_by, key]
        except Untold as error:
            failed.append(f"{name}: {error}")
    run.untold = " ".join(failed)
    if failed:
        log.warning("the summary of %s wasn't sent by %s", run, run.untold)
        later(run, now)
    else:
        ended(run)
        run.told_at = now
    # The run may go on meanwhile, and then there is more to tell.
    fields = ["told_by", "untold", "tell_tries", "tell_at", "told_state", "told_at"]
    Run.objects.filter(pk=run.pk).update(**{name: getattr(run, name) for name in fields})
    return not failed


def later(run: Run, now: datetime) -> None:
    """Let it be tried again, or give up after a day."""
    run.tell_tries += 1
    run.tell_at = now + min(FIRST * 2 ** min(run.tell_tries - 1, 20), LONGEST)
    if run.tell_at > (run.finished_at or run.decided_at or run.started_at) + DAY:
        run.untold += " It isn't tried any more."
        ended(run)


def ended(run: Run) -> None:
    run.told_state, run.tell_at, run.tell_tries = run.state, None, 0


def send(mail: Mail, document: dict[str, Any]) -> None:
    """Send it by e-mail."""
    server = mail.server
    backend = EmailBackend(
        host=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        use_tls=server.start_tls,
        use_ssl=server.tls,
        timeout=PATIENCE,
    )
    subject, body = summary.heading(document), summary.text(document)
    # Machines that answer by themselves leave such a message alone: RFC 3834, section 5.
    headers = {"Auto-Submitted": "auto-generated"}
    try:
        with backend as connection:
            EmailMessage(subject, body, mail.sender, mail.to, headers=headers, connection=connection).send()
    except (OSError, ValueError) as error:  # all that smtplib raises is one of the former
        # What a server says may repeat what it was told; its code is enough.
        code = getattr(error, "smtp_code", None)
        why = f"answered {code}" if code else f"couldn't be spoken with ({type(error).__name__})"
        raise Untold(f"The server {server.host} {why}.") from error


def post(hook: Hook, document: dict[str, Any]) -> None:
    """Post it; what is answered beyond the status isn't looked at, and no redirect followed."""
    values = summary.slack(document) if hook.format == SLACK else document
    body = json.dumps(values, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "X-Regui-Event": document["event"]}
    if hook.secret:
        headers["X-Regui-Signature-256"] = f"sha256={signature(hook.secret, body)}"
    try:
        origin = Origin.of(hook.url)
        transport = Transport(
            origin,
            verify=True,
            cert=None,
            user_agent=f"regui/{regui.__version__}",
            timeout=TIMEOUT,
            pool_size=1,
            link_local=settings.ALLOW_LINK_LOCAL,
        )
        try:
            reply = transport.send("POST", hook.url, headers, body, time.monotonic() + PATIENCE)
            reply.close()
        finally:
            transport.close()
    except oci.Error as error:
        raise Untold(str(error)) from error
    if not 200 <= reply.status < 300:
        raise Untold(f"{origin} answered {reply.status}.")


def signature(secret: str, body: bytes) -> str:
    """HMAC-SHA256 of the body, in hex."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
