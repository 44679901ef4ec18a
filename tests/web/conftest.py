"""Static files as they lie in the source: gathering and hashing them first is the server's business."""

import pytest
from pytest_django import Settings

from regui.paths import resource


@pytest.fixture(autouse=True)
def plain_static(settings: Settings) -> None:
    """Static files go by their plain names, and the server finds them without a run of collectstatic."""
    settings.STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    settings.STATIC_ROOT = resource("static")
