"""`regui reseal`: seal what is kept sealed with the secret key of today."""

from typing import Any

from django.core.management.base import CommandError

from regui import sealed
from regui.management.speaking import Sitting


class Command(Sitting):
    help = (
        "Seal the secrets in the database with REGUI_SECRET_KEY, which keys in REGUI_SECRET_KEY_OLD sealed. "
        "Those aren't needed for them any more once it ends well."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        unopened = 0
        for count in sealed.reseal():
            unopened += len(count.unopened)
            self.stdout.write(f"{count.place}: {count.anew} sealed anew, {count.current} were already")
            for row in count.unopened:
                self.stderr.write(f"{count.place} of {row}: no key that is named opens it")
        if unopened:
            raise CommandError(
                f"{unopened} can't be opened: name the key they were sealed with in REGUI_SECRET_KEY_OLD, or "
                "enter them again"
            )
