"""How django-allauth behaves here."""

from allauth.account.adapter import DefaultAccountAdapter

from regui.accounts.ways import OwnWay


class Adapter(OwnWay, DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Of accounts."""
