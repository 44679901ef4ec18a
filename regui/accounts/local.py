"""Who sits at the command line of the machine itself."""

import os
import pwd

from django.conf import settings
from django.utils import timezone

from regui.accounts import tokens
from regui.accounts.access import Actor, Role

PLACE = "the command line"


class BadToken(Exception):
    """What REGUI_TOKEN holds opens nothing."""


def local() -> Actor:
    """Whom REGUI_TOKEN stands for where it is set, with the rights of that alone; raises `BadToken`. Else the
    person whose process this is, as `local:<user>`: whoever can read the settings and the database may do
    everything anyway. By the number where the system has no name for it, as in many containers."""
    if settings.TOKEN:
        actor = tokens.enter(settings.TOKEN, "", timezone.now(), PLACE)
        if actor is None:
            raise BadToken
        return actor
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = str(number)
    return Actor(f"local:{name}", Role.ADMIN, trusted=True)
