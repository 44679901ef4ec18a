"""Reading through: what a page is about to show is fetched for it, when the index lacks it or it grew old.

Permission is decided before anything here is called. Each call asks the registry for no longer than its
budget, asks nothing while the index is fresh, and when the registry doesn't answer says so and leaves what
is remembered."""

from regui.index.fetch.catalogs import SO_FAR, catalog
from regui.index.fetch.configs import config
from regui.index.fetch.doubts import confirm
from regui.index.fetch.listings import remembered, remembered_all, repositories, repository
from regui.index.fetch.manifests import manifest, verify
from regui.index.fetch.naming import Named, name
from regui.index.fetch.patiently import nothing, patiently
from regui.index.fetch.reading import BUDGET, CHECK_BUDGET, LONG_BUDGET, MAX_AGE, Reading, failed
from regui.index.fetch.referring import Referrer, referrers

__all__ = [
    "BUDGET",
    "CHECK_BUDGET",
    "LONG_BUDGET",
    "MAX_AGE",
    "SO_FAR",
    "Named",
    "Reading",
    "Referrer",
    "catalog",
    "config",
    "confirm",
    "failed",
    "manifest",
    "name",
    "nothing",
    "patiently",
    "referrers",
    "remembered",
    "remembered_all",
    "repositories",
    "repository",
    "verify",
]
