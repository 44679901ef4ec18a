"""The console script: `regui` serves, `regui <command>` runs one of our commands or Django's."""

import difflib
import json
import os
import signal
import sys
from collections.abc import Mapping, Set
from types import FrameType
from typing import NoReturn

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line, get_commands
from django.db import DatabaseError
from django.utils.module_loading import import_string

import regui
from regui.env import env

# They read no rows, or see to it themselves as the demo does; everything else finds the database migrated.
WITHOUT_DATABASE = frozenset(
    {
        "check",
        "collectstatic",
        "demo",
        "diffsettings",
        "findstatic",
        "help",
        "makemigrations",
        "migrate",
        "showmigrations",
        "sqlmigrate",
    }
)
# What shows regui to people, or works for them.
SERVING = frozenset({"serve", "worker"})
# Whose commands know who runs them; and those of Django's that may run beside a token, for the others know
# nothing of rights.
OURS = "regui"
HARMLESS = frozenset({"check", "help"})
BAD_CONFIGURATION = 2
REFUSED = 2
INTERRUPTED = 130  # what a shell says of a process that Ctrl C ended


def main(arguments: list[str] | None = None) -> None:
    """Run one command; ends by SystemExit when it fails: 2 when the configuration is at fault, else 1."""
    arguments = sys.argv[1:] if arguments is None else arguments
    command, *rest = arguments or ["serve"]
    if command in {"version", "--version"}:
        print(f"regui {regui.__version__}")
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regui.settings")
    signal.signal(signal.SIGTERM, end)
    try:
        run(command, rest)
    except ImproperlyConfigured as error:
        fail(str(error), "configuration", BAD_CONFIGURATION, as_json="--json" in rest)
    except DatabaseError as error:
        fail(f"the database can't be used: {error}".rstrip(), "database", 1, as_json="--json" in rest)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def run(command: str, arguments: list[str]) -> None:
    """Run one command with Django set up and, where it needs one, the database prepared."""
    django.setup()
    for line in without_effect(env.values, env.asked):
        print(f"regui: {line}", file=sys.stderr)
    if settings.TOKEN and get_commands().get(command, OURS) != OURS and command not in HARMLESS:
        said = f"REGUI_TOKEN is set, and {command} would go beyond what a token allows"
        fail(said, "forbidden", REFUSED, as_json="--json" in arguments)
    if command in get_commands().keys() - WITHOUT_DATABASE and not {"--help", "-h"} & set(arguments):
        # Models can't be imported before Django is set up.
        import_string("regui.prepare.database")(serves=command in SERVING)
    execute_from_command_line(["regui", command, *arguments])


def fail(message: str, code: str, status: int, *, as_json: bool) -> NoReturn:
    """End with one line, and where a program waits for an object with that too, as a command's refusals."""
    if as_json:
        error = {"code": code, "message": message, "hint": "", "details": {}}
        print(json.dumps({"error": error}, indent=2, ensure_ascii=False))
    print(f"regui: {message}", file=sys.stderr)
    sys.exit(status)


def end(number: int, frame: FrameType | None) -> None:
    """On a signal: leave through every `finally`, so that what was started is ended."""
    raise SystemExit(128 + number)


def without_effect(values: Mapping[str, str], known: Set[str]) -> list[str]:
    """One line for each variable that looks like a setting and is none, such as a misspelt one."""
    lines = []
    for name in sorted(name for name in values if name.startswith("REGUI_") and name not in known):
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
        lines.append(f"{name} is set but has no effect{f'; did you mean {near[0]}?' if near else ''}")
    return lines
