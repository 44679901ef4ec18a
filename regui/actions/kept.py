"""The bytes that would take a change back, or that it puts, gathered before it so that they are there
whatever happens."""

from collections.abc import Iterable, Iterator

from regui import oci
from regui.actions import plans
from regui.actions.models import Kept
from regui.actions.plans import Plan
from regui.index.models import Manifest, Repository


def gather(client: oci.Client, repository: Repository, plan: Plan) -> list[oci.Content]:
    """Every manifest that the plan's steps take away, put or overwrite, in the order to PUT them back.

    Raises `oci.NotFound` when what is to be deleted isn't there.
    """
    order: dict[str, oci.Content] = {content.digest: content for content in plan.contents}
    for step in plan.steps:
        if step.do == plans.DELETE_DIGEST:
            found = contents(client, repository, oci.Digest(step.digest))
        elif step.do == plans.COPY:
            found = list(known(client, repository, filter(None, [step.before])))
        else:
            wanted = [step.digest, step.before or ""] if step.do == plans.PUT else [step.digest]
            found = list(known(client, repository, filter(None, wanted)))
        order |= {content.digest: content for content in found if content.digest not in order}
    return list(order.values())


def known(client: oci.Client, repository: Repository, digests: Iterable[str]) -> Iterator[oci.Content]:
    """The bytes of these manifests, wherever they are to be had; those that nobody has are left out."""
    for digest in map(oci.Digest, digests):
        content = (
            from_index(repository, digest)
            or from_journal(repository, digest)
            or from_registry(client, repository, digest)
        )
        if content is not None:
            yield content


def contents(client: oci.Client, repository: Repository, digest: oci.Digest) -> list[oci.Content]:
    """Everything below an index, then the digest's own bytes: a registry takes an index only when it has the
    children, so that is the order to PUT them back. A child that the registry lacks is left out.

    Raises `oci.NotFound` when the digest itself isn't there.
    """
    order: list[oci.Content] = []
    met: dict[oci.Digest, oci.Content | None] = {}
    stack: list[tuple[oci.Digest, bool]] = [(digest, False)]
    while stack:
        reference, below_done = stack.pop()
        if below_done:
            content = met[reference]
            order += [content] if content else []
        elif reference not in met:
            remembered = from_index(repository, reference)
            met[reference] = content = remembered or from_registry(client, repository, reference)
            stack.append((reference, True))
            stack += [(child, False) for child in children(content)]
    if met[digest] is None:
        raise oci.ManifestUnknown(f"{repository.name} no longer has {digest}.", status=404)
    return order


def from_index(repository: Repository, digest: oci.Digest) -> oci.Content | None:
    """A manifest's bytes as remembered; None when they never were read."""
    rows = Manifest.objects.read().filter(registry=repository.registry, digest=digest)
    row = rows.select_related("content").first()
    return oci.Content(row.content.manifest, row.media_type, digest) if row else None


def from_journal(repository: Repository, digest: oci.Digest) -> oci.Content | None:
    """A manifest's bytes as an earlier action kept them; None when none did."""
    rows = Kept.objects.filter(action__registry=repository.registry.name, digest=digest)
    row = rows.first()
    return oci.Content(row.body, row.media_type, digest) if row else None


def from_registry(client: oci.Client, repository: Repository, digest: oci.Digest) -> oci.Content | None:
    """A manifest's bytes from the registry; None when it doesn't have it."""
    try:
        return client.manifest(repository.name, digest)
    except oci.NotFound:
        return None


def children(content: oci.Content | None) -> Iterator[oci.Digest]:
    """The digests that an index needs; none for anything else."""
    document = content.document if content else None
    if isinstance(document, oci.Index):
        yield from (entry.digest for entry in document.manifests)
