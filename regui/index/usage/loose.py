"""Which manifests in a repository no tag leads to."""

from django.db.models import Exists, F, OuterRef, Q, Value

from regui.index.models import Child, Manifest, Repository, Revision, Tag


def untagged() -> Q:
    """Of a revision: that no listed tag of its repository leads to it, directly or through an index there,
    and it speaks about no other manifest."""
    # Few tags are on a manifest and many in a repository, which SQLite doesn't know: so that it won't look
    # through the latter, the repository stands there as a sum, which no index serves.
    there = F("repository") + Value(0)
    tag = Tag.objects.listed().filter(manifest=OuterRef("manifest"))
    tag = tag.alias(there=there).filter(there=OuterRef("repository"))
    inside = Child.objects.filter(
        manifest=OuterRef("manifest"),
        parent__revisions__repository=OuterRef("repository"),
        parent__revisions__gone_at=None,
    ).order_by()
    return Q(loose=True, manifest__subject="") & ~Exists(tag) & ~Exists(inside)


def mark(repository: Repository) -> None:
    """Bring up to date which of the repository's revisions may be untagged."""
    rows = Revision.objects.filter(repository=repository)
    tagged = repository.tags.listed().exclude(manifest=None).order_by().values("manifest")
    held = rows.held().values("manifest")
    inside = Child.objects.filter(parent__in=held).order_by().values("manifest")
    about = Manifest.objects.filter(pk__in=held).exclude(subject="").values("pk")
    bound = Q(manifest__in=tagged) | Q(manifest__in=inside) | Q(manifest__in=about)
    rows.filter(bound, loose=True).update(loose=False)
    rows.filter(loose=False).exclude(bound).update(loose=True)
