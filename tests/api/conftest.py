"""Fixtures for tests of the addresses for machines."""

import pytest

from regui.accounts.access import Role
from tests.api.calling import Caller
from tests.people import grant, person


@pytest.fixture
def alice(db: None) -> Caller:
    """Alice administers."""
    return Caller("admin")


@pytest.fixture
def bob(db: None) -> Caller:
    """Bob reads."""
    reader = person("bob")
    grant(Role.READER, user=reader)
    return Caller(person=reader)


@pytest.fixture
def charlie(db: None) -> Caller:
    """Charlie is a stranger."""
    return Caller(person=person("charlie"))
