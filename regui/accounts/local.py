"""Who sits at the command line of the machine itself."""

import os
import pwd

from regui.accounts.access import Actor, Role


def local() -> Actor:
    """The person whose process this is, as `local:<user>`: whoever can read the settings and the database may
    do everything anyway. By the number where the system has no name for it, as in many containers."""
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = str(number)
    return Actor(f"local:{name}", Role.ADMIN, trusted=True)
