"""When tags were last pulled: a column only where events say so."""

import pytest
from django.utils import timezone
from pytest_django import Settings

from tests import factories
from tests.web.conftest import Visitor, registered


@pytest.mark.parametrize("told", [True, False])
def test_pulls_are_shown_where_events_come_in(alice: Visitor, settings: Settings, told: bool) -> None:
    now = timezone.now()
    registry = registered(settings, "http://127.0.0.1:9")
    if told:
        registry.events_at = registry.events_since = now
        registry.save()
    repository = factories.repository(of=registry, listed_at=now, tried_at=now)
    factories.tag(repository, "pulled", factories.manifest(repository), pulled_at=now if told else None)
    factories.tag(repository, "quiet", factories.manifest(repository))
    page = alice.get("/main/team/app/").text
    assert ("Pulled</th>" in page) is told
    assert page.count("none seen") == (1 if told else 0)
