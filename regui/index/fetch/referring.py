"""Reads through to what refers to a manifest: signatures, SBOMs, attestations."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from django.utils import timezone

from regui import oci
from regui.index import connect, contents, facts, flight, graph
from regui.index.connect import Link
from regui.index.fetch.manifests import verify
from regui.index.fetch.reading import BUDGET, MAX_AGE, Reading, failed, is_fresh
from regui.index.models import Manifest, Repository, Revision


@dataclass(frozen=True)
class Referrer:
    """Something that speaks about a manifest. `role` is signature, attestation, sbom or artifact; `tag` the
    tag that it was found by, empty otherwise; `size` the bytes of its blobs, None when unknown; `manifest`
    None when it couldn't be read."""

    digest: str
    role: str
    artifact_type: str = ""
    media_type: str = ""
    size: int | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    tag: str = ""
    manifest: Manifest | None = None


def referrers(
    repository: Repository,
    manifest: Manifest,
    *,
    budget: float = BUDGET,
    max_age: timedelta = MAX_AGE,
) -> tuple[list[Referrer], Reading]:
    """What refers to this manifest in this repository, and how asking went: the registry's own list or the
    fallback tag's, cosign's tags as the index has them, and the attestations beside it in an index.

    Asks nothing when that was listed within `max_age`. Never raises an `oci.Error`.
    """
    deadline = time.monotonic() + budget
    revision = Revision.objects.filter(repository=repository, manifest=manifest).first()
    if revision is None or is_fresh(revision.referrers_at, timezone.now(), max_age):
        return remembered(repository, manifest), Reading(revision.referrers_at if revision else None)
    key = (repository.registry.name, repository.name, "referrers", manifest.digest)
    with flight.alone(*key, deadline=deadline) as entered:
        revision.refresh_from_db()
        if is_fresh(revision.referrers_at, timezone.now(), max_age):
            return remembered(repository, manifest), Reading(revision.referrers_at)
        try:
            if not entered:
                raise connect.out_of_time()
            link = connect.link(repository.registry)
            link.check("/".join(key))
            reading = read(link, repository, manifest, revision, deadline, max_age)
        except oci.Error as error:
            connect.link(repository.registry).failed("/".join(key), error)
            reading = failed(error, revision.referrers_at)
        return remembered(repository, manifest), reading


def read(
    link: Link,
    repository: Repository,
    manifest: Manifest,
    revision: Revision,
    deadline: float,
    max_age: timedelta,
) -> Reading:
    """List what refers to the manifest, read what isn't known of it, and check on what is no longer
    listed."""
    now = timezone.now()
    answer = link.client.until(deadline).referrers(repository.name, oci.Digest(manifest.digest))
    listed = {str(descriptor.digest) for descriptor in answer.descriptors}
    known = {row.digest for row in graph.referrers(repository, manifest)}
    # To be listed is to be held, yet a fallback tag may name what was deleted since: so each new one is read.
    held = Revision.objects.held().filter(repository=repository, manifest__digest__in=listed)
    new = listed - set(held.exclude(manifest__read_at=None).values_list("manifest__digest", flat=True))
    outcome = contents.by_digest(link, repository, sorted(new), deadline)
    if outcome.outage is not None:
        raise outcome.outage
    if outcome.cut:
        raise connect.out_of_time()
    # The registry's own list is true; clients leave in the fallback tag what they have deleted.
    doubtful = known - listed if answer.source == "api" else known
    left = max(deadline - time.monotonic(), 0)
    verified = verify(repository, doubtful, budget=left, max_age=max_age)
    if verified.complete:
        revision.referrers_at = now
        revision.save(update_fields=["referrers_at"])
    return replace(verified, as_of=now)


def remembered(repository: Repository, manifest: Manifest) -> list[Referrer]:
    """What the index knows to refer to the manifest: by subject, by cosign's tags, beside it in an index."""
    found: dict[str, Referrer] = {}
    for row, tag in graph.companions(repository, manifest.digest):
        companion = oci.companion(tag)
        role = companion.role if companion else "artifact"
        found.setdefault(row.digest, of(row, role, tag))
    for row in graph.referrers(repository, manifest):
        found.setdefault(row.digest, of(row, role_of(row)))
    for row, annotations in graph.attestations(repository, manifest):
        found.setdefault(row.digest, of(row, "attestation", annotations=annotations))
    return sorted(found.values(), key=lambda one: (one.role, one.artifact_type, one.digest))


def of(row: Manifest, role: str, tag: str = "", annotations: Mapping[str, str] | None = None) -> Referrer:
    """A referrer from its row."""
    return Referrer(
        digest=row.digest,
        role=role,
        artifact_type=row.artifact_type,
        media_type=row.media_type,
        size=row.size,
        annotations=dict(row.labels) | dict(annotations or {}),
        tag=tag,
        manifest=row if row.read_at else None,
    )


def role_of(row: Manifest) -> str:
    """What a referrer is for, as far as its type tells."""
    kind = row.artifact_type.lower()
    if row.kind == Manifest.Kind.ATTESTATION:
        return "attestation"
    roles = facts.ROLES.items()
    return next((role for role, words in roles if any(word in kind for word in words)), "artifact")
