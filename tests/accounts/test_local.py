"""Who sits at the command line."""

import os
import pwd

from regui.accounts.access import Right, Role
from regui.accounts.local import local


def test_it_is_the_process_s_user_whatever_the_environment_says() -> None:
    actor = local()
    assert (actor.name, actor.role) == (f"local:{pwd.getpwuid(os.getuid()).pw_name}", Role.ADMIN)
    assert all(actor.may(right) for right in Right)
