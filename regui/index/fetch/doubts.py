"""Believes, at a person's word, what sounds too odd to be true."""

import time

from django.utils import timezone

from regui import oci
from regui.index import connect, listing, names, usage
from regui.index.fetch import catalogs
from regui.index.fetch.reading import CHECK_BUDGET
from regui.index.models import Registry, Repository
from regui.index.reader import is_unknown


def confirm(row: Registry | Repository, *, budget: float = CHECK_BUDGET) -> None:
    """List a registry's repositories, or a repository's tags, once more, and let what is missing leave,
    however much it is. Raises `oci.Error` when that can't be listed now: then the doubt stays."""
    deadline, began = time.monotonic() + budget, timezone.now()
    if isinstance(row, Registry):
        listed = list(catalogs.names_of(row, connect.link(row).client.until(deadline)))
        listing.repositories(row, listed, began, complete=True, believe=True)
        return
    client, unknown = connect.link(row.registry).client.until(deadline), False
    try:
        tags = list(client.tags(row.name))
    except oci.NotFound as error:
        if not is_unknown(row, error):
            raise
        tags, unknown = [], True
    listing.tags([listing.Listing(row, tags, began)], believe=True)
    names.leave([row] if unknown else [], began)
    usage.total(row)
