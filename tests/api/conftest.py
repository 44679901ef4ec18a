"""Fixtures for tests of the addresses for machines."""

import pytest
from pytest_django import Settings

from regui.paths import resource


@pytest.fixture(autouse=True)
def plain_static(settings: Settings) -> None:
    """Static files as they lie in the source: gathering them first is the server's business."""
    settings.STATIC_ROOT = resource("static")
