"""A tag: the manifest it is on."""

from django.http import HttpResponse

from regui.accounts import access
from regui.web.http import Request, read_only
from regui.web.views import manifests


@read_only
def detail(request: Request, registry: str, name: str, tag: str) -> HttpResponse:
    """The manifest a tag is on, as its own page shows it, with the tag's name on top."""
    row = access.registry(request.actor, registry)
    return manifests.page(request, access.repository(request.actor, row, name), tag, tag=tag)
