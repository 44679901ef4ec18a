"""Carries actions out in processes that may be killed: for each action named on a line of standard input one
is forked, which says its number and begins at the next line. When it has ended, how is said.
"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regui.settings")
django.setup()

from regui.actions import run  # noqa: E402 — models can't be imported before Django is set up
from regui.actions.models import Action  # noqa: E402


def say(words: object) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            say(os.getpid())
            os.read(0, 16)
            run.carry_out(Action.objects.get(pk=line.strip()))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        say(status)


if __name__ == "__main__":
    main()
