"""Repositories: those of a registry, and one with its tags."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from regui import oci
from regui.accounts import access
from regui.index import fetch
from regui.index.models import Registry, Repository
from regui.web import (
    catalog,
    cleaning,
    errors,
    forms,
    freshness,
    htmx,
    leftovers,
    naming,
    registry_account,
    tracks,
)
from regui.web.http import Request, read_only
from regui.web.leaving import leaving
from regui.web.paging import paginate


@read_only
def index(request: Request, registry: str) -> HttpResponse:
    """A registry's repositories, filtered, sorted, paged; what the page shows is read first if it is old."""
    row = access.registry(request.actor, registry)
    if "open" in request.GET:
        return opened(row, request.GET["open"])
    listed = access.repositories(request.actor, row)
    wanted = forms.wanted(request.GET, catalog.SORTS, default="-created")
    hides = catalog.hides_empty(request, wanted, listed)
    reading, page = catalog.read(request, row, catalog.matching(listed, wanted, hides_empty=hides))
    problem = errors.of_reading(reading)
    if problem and not listed.exists():
        return errors.respond(request, problem)
    shown = catalog.Catalog(request.actor, row, listed, page, hides)
    context = {
        "catalog": shown,
        "account": registry_account.of(request.actor, row),
        "asking": cleaning.asking(request.actor, row),
        "reading": reading,
        "fresh": freshness.of(request, reading, shown.state),
        "wanted": wanted,
        "sort": wanted.sort,
        "page": page,
    }
    return freshness.render(request, "repositories/index.html", context, partials=["results"])


def opened(registry: Registry, text: str) -> HttpResponse:
    """On to the repository of that name, with or without the host before it. Raises `oci.InvalidName`."""
    return redirect("repository", registry.name, oci.check_repository(naming.bare(registry, text)))


@read_only
def detail(request: Request, registry: str, name: str) -> HttpResponse:
    """A repository's tags by digest, filtered, sorted, paged; what the page shows is read first if it is
    old."""
    row = access.registry(request.actor, registry)
    repository = access.repository(request.actor, row, name)
    show = request.GET.get("show", "")
    if show in {leftovers.UNTAGGED, leftovers.GONE}:
        return beside(request, repository, show)
    show = show if show == tracks.RELEASES else ""
    wanted = tracks.wanted(request, show)
    reading, page = tracks.read(request, repository, wanted, show)
    problem = errors.of_reading(reading)
    if problem and (repository.pk is None or repository.tag_count is None):
        return errors.respond(request, problem)
    shown = tracks.Tracks(repository, page, show)
    going = leaving(repository, [tag.name for tag in page])
    context = {
        "repository": repository,
        "tracks": shown,
        "leaving": going,
        "reading": reading,
        "fresh": freshness.of(request, reading, (shown.state, sorted(going.tags))),
        "wanted": wanted,
        "sort": wanted.sort,
        "page": page,
        "may_delete": request.actor.may(access.Right.DELETE, row.name, name),
    }
    return freshness.render(request, "repositories/detail.html", context, partials=["results"])


def beside(request: Request, repository: Repository, show: str) -> HttpResponse:
    """What there is beside its tags: untagged manifests, or tags that have gone. Of the index alone, for
    registries don't tell."""
    if repository.pk is None:
        raise Http404(f"Nothing is known of a repository named {repository.name}.")
    page = paginate(request, leftovers.rows(repository, show))
    context = {
        "repository": repository,
        "leftovers": leftovers.Leftovers(repository, show, page),
        "show": show,
        "page": page,
        "reading": fetch.remembered(repository),
        "may_delete": request.actor.may(access.Right.DELETE, repository.registry.name, repository.name),
    }
    return htmx.render(request, "repositories/leftovers.html", context, partials=["results"])
