"""Manifests."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from django.conf import settings
from django.http import Http404, HttpResponse
from ninja import Query, Router

from regui import oci
from regui.accounts import access
from regui.api.v1 import schemas
from regui.api.v1.asking import Request
from regui.api.v1.paging import USUAL, By, Cursor, Limit, page
from regui.api.v1.repositories import Refresh
from regui.index import facts, fetch, graph, usage
from regui.index.fetch import referring
from regui.index.models import Manifest, Repository, Revision, Tag

router = Router(tags=["manifests"])

Untagged = Annotated[bool, Query(description="only those that no tag, index or subject leads to")]
PLACE = "/registries/{reg:registry}/repositories/{repo:name}/-/manifests"
# How many of the tags on a digest a list names.
SOME = 20


@router.get(PLACE, response=schemas.Page[schemas.Held])
def list_manifests(
    request: Request,
    response: HttpResponse,
    registry: str,
    name: str,
    untagged: Untagged = False,
    cursor: Cursor = "",
    limit: Limit = USUAL,
) -> schemas.Page[schemas.Held]:
    """The manifests that a repository holds as far as regui has seen them, in no order that means anything.
    No registry lists them, so there may be more."""
    repository = access.repository(request.actor, access.registry(request.actor, registry), name)
    if repository.pk is None:
        raise Http404(f"Nothing is known of a repository named {name}.")
    rows = Revision.objects.held().filter(repository=repository).select_related("manifest")
    if untagged:
        rows = rows.filter(usage.untagged())
    shown = page(request, response, rows, [By("manifest")], cursor, limit)
    names = names_on(repository, [row.manifest_id for row in shown.rows])
    items = [schemas.Held.of(row, names.get(row.manifest_id, [])[:SOME]) for row in shown.rows]
    return schemas.Page(items=items, next=shown.next)


def names_on(repository: Repository, manifests: Sequence[int]) -> dict[int, list[str]]:
    """The tags on each of these manifests, by name."""
    tags = Tag.objects.listed().filter(repository=repository, manifest__in=manifests).order_by("name")
    found: dict[int, list[str]] = {}
    for manifest, name in tags.values_list("manifest_id", "name"):
        found.setdefault(manifest or 0, []).append(name)
    return found


@router.get(f"{PLACE}/{{digest:digest}}", response=schemas.Manifest)
def get_manifest(
    request: Request, registry: str, name: str, digest: str, refresh: Refresh = False
) -> schemas.Manifest:
    """One manifest, asked of the registry unless it confirmed it within REGUI_STALE_AFTER."""
    repository = access.repository(request.actor, access.registry(request.actor, registry), name)
    return told(repository, digest, timedelta() if refresh else settings.STALE_AFTER)


def told(
    repository: Repository, reference: str, max_age: timedelta, tag: str | None = None
) -> schemas.Manifest:
    """All there is to say of the manifest that a reference means. Raises the `oci.Error` when nobody knows
    it."""
    row, reading = fetch.manifest(repository, reference, max_age=max_age)
    return schemas.Manifest(
        registry=repository.registry.name,
        repository=repository.name,
        digest=row.digest,
        tag=tag,
        tags=[one.name for one in graph.tags_on(repository, row.digest)],
        kind=row.kind,
        media_type=row.media_type,
        artifact_type=row.artifact_type,
        subject=row.subject,
        size=row.size,
        created_at=row.created_at,
        platforms=row.platforms,
        labels=row.labels,
        children=lines(row),
        layers=layers(row.document),
        referrers=[schemas.Referrer.of(one) for one in referring.remembered(repository, row)],
        config=row.content.config,
        document=json.loads(row.content.manifest),
        seen_at=reading.as_of,
        complete=reading.complete,
        problem=reading.problem,
        hint=reading.hint,
    )


def lines(row: Manifest) -> list[schemas.Line]:
    """What an index lists, in its order; nothing for anything else."""
    if row.kind != Manifest.Kind.INDEX:
        return []
    return [
        schemas.Line(
            digest=line.manifest.digest,
            platform=line.platform,
            kind=line.manifest.kind,
            media_type=line.manifest.media_type,
            size=line.manifest.size,
            attestation=facts.is_attestation(line.annotations),
        )
        for line in graph.children(row)
    ]


def layers(document: oci.Document) -> list[schemas.Layer]:
    """The layers of an image or the files of an artifact; an index has none."""
    if isinstance(document, oci.Legacy):
        return [schemas.Layer(digest=digest, size=None, media_type="") for digest in document.layers]
    if isinstance(document, oci.Index):
        return []
    return [
        schemas.Layer(digest=one.digest, size=one.size, media_type=one.media_type) for one in document.layers
    ]
