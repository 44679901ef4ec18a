"""Static files by their plain names: the hashed ones need a run of collectstatic first."""

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def plain_names(settings: Settings) -> None:
    settings.STORAGES = {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
