"""What was attached to manifests: signatures, SBOMs, attestations. All from the index, nothing asks the
registry."""

from collections.abc import Iterable, Sequence

from regui import oci
from regui.index import facts, graph
from regui.index.fetch.referring import role_of
from regui.index.models import Child, Manifest, Repository


def roles(repository: Repository, manifests: Sequence[Manifest]) -> dict[int, frozenset[str]]:
    """What is attached to each of these manifests of one repository, by row; nothing for those without."""
    by_digest = {row.digest: row.pk for row in manifests}
    found: dict[int, set[str]] = {}
    for subject, role_ in (*by_tags(repository, by_digest), *by_subject(repository, by_digest)):
        found.setdefault(by_digest[subject], set()).add(role_)
    for parent in by_index(manifests):
        found.setdefault(parent, set()).add("attestation")
    return {pk: frozenset(some) for pk, some in found.items()}


def by_tags(repository: Repository, digests: Iterable[str]) -> list[tuple[str, str]]:
    """Digests with the roles of their companion tags (sha256-<hex>.sig …), as cosign names them."""
    names = [
        f"{oci.referrers_tag(oci.Digest(digest))}.{ending}"
        for digest in digests
        for ending in ("sig", "att", "sbom")
    ]
    if not names:
        return []
    tags = repository.tags.listed().filter(name__in=names).values_list("name", flat=True)
    companions = [oci.companion(name) for name in tags]
    return [(str(one.subject), one.role) for one in companions if one]


def by_subject(repository: Repository, digests: Iterable[str]) -> list[tuple[str, str]]:
    """Digests with the roles of the manifests that name them as their subject."""
    referrers = graph.held(repository).filter(subject__in=list(digests))
    return [(row.subject, role_of(row)) for row in referrers]


def by_index(manifests: Iterable[Manifest]) -> set[int]:
    """The indexes among these that carry attestations as children, as BuildKit writes them."""
    indexes = [row.pk for row in manifests if row.kind == Manifest.Kind.INDEX]
    if not indexes:
        return set()
    # Attestations call their platform unknown/unknown, which is kept as none.
    lines = Child.objects.filter(parent__in=indexes, platform="").values_list("parent_id", "annotations")
    return {parent for parent, annotations in lines if facts.is_attestation(annotations)}
