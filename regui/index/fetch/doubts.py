"""Believes, at a person's word, what sounds too odd to be true."""

import time

from django.utils import timezone

from regui import oci
from regui.index import connect, listing, usage
from regui.index.fetch.reading import CHECK_BUDGET
from regui.index.models import Registry, Repository
from regui.index.reader import is_unknown


def confirm(row: Registry | Repository, *, budget: float = CHECK_BUDGET) -> None:
    """List a registry's repositories, or a repository's tags, once more, and let what is missing leave,
    however much it is. Raises `oci.Error` when that can't be listed now: then the doubt stays."""
    deadline, began = time.monotonic() + budget, timezone.now()
    if isinstance(row, Registry):
        names = list(connect.link(row).client.until(deadline).catalog())
        listing.repositories(row, names, began, complete=True, believe=True)
        return
    client = connect.link(row.registry).client.until(deadline)
    try:
        tags = list(client.tags(row.name))
    except oci.NotFound as error:
        if not is_unknown(row, error):
            raise
        tags = []
    listing.tags([listing.Listing(row, tags, began)], believe=True)
    usage.total(row)
