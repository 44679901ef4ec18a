"""The index: what regui remembers of registries.

A crawl can bring back what these rows say of a registry, save the moments things were first seen. What it
can't bring back at all is in `remembered`, and the journal in `regui.actions`: both refer to these rows by
name.

A manifest is kept once per registry, since its digest says all there is to say about it; which repositories
hold it is a `Revision`, the registry's own word for it. A tag points at a manifest and says when that was
last seen."""

from regui.index.models.book import Entry, EntryQuerySet
from regui.index.models.inbox import Inbox, Unsummed
from regui.index.models.listing import Listing
from regui.index.models.manifests import (
    Blob,
    BlobUse,
    Child,
    Content,
    Manifest,
    ManifestQuerySet,
    Revision,
    RevisionQuerySet,
)
from regui.index.models.registries import Registry, Repository, RepositoryQuerySet, Sync
from regui.index.models.remembered import Event, PullCount, Snapshot, TagMove
from regui.index.models.tags import UNKNOWN, UNREAD, Tag, TagQuerySet, ordering_keys
from regui.index.models.usage import Layer, Namespace, Storage
from regui.index.models.versions import is_release, name_key

__all__ = [
    "UNKNOWN",
    "UNREAD",
    "Blob",
    "BlobUse",
    "Child",
    "Content",
    "Entry",
    "EntryQuerySet",
    "Event",
    "Inbox",
    "Layer",
    "Listing",
    "Manifest",
    "ManifestQuerySet",
    "Namespace",
    "PullCount",
    "Registry",
    "Repository",
    "RepositoryQuerySet",
    "Revision",
    "RevisionQuerySet",
    "Snapshot",
    "Storage",
    "Sync",
    "Tag",
    "TagMove",
    "TagQuerySet",
    "Unsummed",
    "is_release",
    "name_key",
    "ordering_keys",
]
