"""A manifest: image, index or artifact, with all that is known of it."""

from functools import partial

from django.http import HttpResponse

from regui.accounts import access, hush
from regui.index import fetch, history
from regui.index.models import Repository
from regui.web import details, freshness, story
from regui.web.http import Request, read_only
from regui.web.locked import Locked

# Which other tags are on a digest is known once all were read; that is worth a second, once.
SIBLINGS_BUDGET = 1.0
# How many moves a tag's own page tells.
MOVES = 5


@read_only
def detail(request: Request, registry: str, name: str, digest: str) -> HttpResponse:
    """The manifest of that digest."""
    row = access.registry(request.actor, registry)
    return page(request, access.repository(request.actor, row, name), digest)


def page(request: Request, repository: Repository, reference: str, tag: str = "") -> HttpResponse:
    """The page of the manifest that a reference means, or the part of it about one platform or one tab."""
    max_age = freshness.max_age(request)
    manifest, reading = fetch.manifest(repository, reference, max_age=max_age, lenient=True)
    reading = hush.reading(request.actor, repository.registry, reading)
    if repository.listed_at is None:
        siblings = fetch.repository(repository, budget=SIBLINGS_BUDGET)
    else:
        siblings = fetch.remembered(repository)
    may = partial(request.actor.may, registry=repository.registry.name, name=repository.name)
    context = {
        "repository": repository,
        "manifest": manifest,
        "detail": details.of(repository, manifest, tag, request.GET),
        "locked": Locked(repository, manifest, tag),
        "reading": reading,
        "fresh": freshness.of(request, reading, manifest.digest),
        "siblings": siblings,
        "events": moves(repository, tag) if tag else [],
        "may_delete": may(access.Right.DELETE),
        "may_push": may(access.Right.PUSH),
        "may_copy": request.actor.ever(access.Right.PUSH),
    }
    return freshness.render(request, "manifests/detail.html", context, partials=["panel"])


def moves(repository: Repository, tag: str) -> list[story.Event]:
    """The last things that happened to a tag."""
    return story.tell(repository, list(history.of_tag(repository, tag)[:MOVES]))
