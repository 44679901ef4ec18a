"""What is named on a command line, found; or refused in words that say what there is instead."""

from argparse import ArgumentTypeError

from django.utils import timezone

from regui import oci
from regui.accounts import access
from regui.accounts.access import Actor, Right
from regui.actions import delete, journal, kinds
from regui.actions.models import Action
from regui.index import connect, fetch, search
from regui.index.models import Registry, Repository
from regui.management.changing import stale, unchecked
from regui.management.speaking import FAILED, Refusal

HOW = "Write team/app:1.0 or team/app@sha256:…"


def reference(text: str) -> oci.Reference:
    """The reference that an argument is, for argparse."""
    try:
        return oci.Reference.parse(text)
    except oci.InvalidName as error:
        raise ArgumentTypeError(f"{error} {HOW}.") from error


def repository(actor: Actor, registry_name: str, name: str, kind: str) -> Repository:
    """The repository a change of that kind is about. Raises like `known`."""
    return known(actor, registry_name, name, kinds.RIGHTS[kind])


def known(actor: Actor, registry_name: str, name: str, right: Right) -> Repository:
    """The repository of that name, over which the actor has that right. Raises like `reached`."""
    return access.repository(actor, reached(actor, registry_name), name, right)


def registry(actor: Actor, name: str) -> Registry:
    """The registry of that name. Raises `Refusal` for one that isn't there, or of which the actor may see
    nothing; and like `access.opened`."""
    there = {row.name: row for row in access.registries(actor)}
    if name not in there:
        others = f"only {', '.join(there)}" if there else "nor any other: set REGUI_REGISTRY_URL"
        raise Refusal(f"There is no registry named {name}, {others}.", code="not-found")
    return access.opened(actor, there[name])


def reached(actor: Actor, name: str) -> Registry:
    """The registry of that name, to be spoken with. Raises like `registry`, and `Refusal` where nobody says
    how: regui may serve it with variables that aren't set here."""
    found = registry(actor, name)
    try:
        connect.recorded(found)
    except oci.Unreachable as error:
        raise Refusal(str(error), code="not-set-up") from error
    except oci.Error:
        pass  # what is wrong with it is told by who speaks with it
    return found


def action(actor: Actor, pk: str) -> Action:
    """The action of that id. Raises `Refusal` when there is none."""
    found = journal.visible(actor).filter(pk=pk).first()
    if found is None:
        raise Refusal(f"There is no action {pk}.", code="not-found", hint="regui activity lists them.")
    return found


def permit(actor: Actor, found: Action, kind: str) -> None:
    """Nothing, when the actor may make a change of that kind where the action was; else Forbidden. By names,
    for its registry may have left the settings."""
    right = kinds.RIGHTS[kind]
    if right not in actor.decide(found.registry, found.repository).rights:
        where = f"{found.registry}/{found.repository}"
        raise access.Forbidden(actor, right, where, found.registry, found.repository)


def digest(repository: Repository, wanted: oci.Reference) -> oci.Digest:
    """The digest that a reference names, by its tag where it has one. Raises like `on` and `confirmed`."""
    confirmed(repository, wanted)
    return oci.Digest(wanted.digest or on(repository, wanted.tag))


def confirmed(repository: Repository, wanted: oci.Reference) -> None:
    """Nothing, when the tag of a reference is on its digest, if it has both; else raises `Refusal`."""
    if wanted.tag and wanted.digest and (found := on(repository, wanted.tag)) != wanted.digest:
        raise stale([f"The tag {wanted.tag} is on {found} by now."])


def on(repository: Repository, tag: str) -> str:
    """The digest that the registry says the tag is on. Raises `oci.NotFound`, and `Refusal` when it doesn't
    say."""
    manifest, reading = fetch.manifest(repository, tag, budget=fetch.LONG_BUDGET, max_age=kinds.NOW)
    if reading.problem:
        raise Refusal(reading.problem, code=reading.error_code, status=FAILED, hint=reading.hint)
    return manifest.digest


def matching(repository: Repository, text: str) -> list[str]:
    """The names of the tags that a query finds, once all tags were read. Raises `Refusal` for a query that
    says nothing, and when they couldn't be."""
    try:
        query = search.parse(text)
    except search.Wrong as error:
        raise Refusal(f"This query can't be meant: {error}", code="usage") from error
    if not query:
        raise Refusal(
            "An empty query would find every tag.", code="usage", hint="If that is meant, write '*'."
        )
    reading = fetch.patiently(repository, budget=fetch.LONG_BUDGET, max_age=kinds.NOW)
    if not reading.complete:
        raise unchecked(delete.check_of(repository, reading, timezone.now()))
    rows = search.tags(repository.tags.visible(), query)
    return sorted(rows.order_by().values_list("name", flat=True))
