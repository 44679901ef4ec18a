"""The settings with everything written to the log that anybody has to say who isn't kept quiet on purpose."""

from regui.settings import *  # noqa: F403
from regui.settings import LOGGING

for name, logger in LOGGING["loggers"].items():  # type: ignore[attr-defined]
    if name not in {"urllib3", "django.template"}:
        logger["level"] = "DEBUG"
LOGGING["root"]["level"] = "DEBUG"  # type: ignore[index]
