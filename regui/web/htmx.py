"""One URL, two bodies: the page, or the one part of it that htmx swaps."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as page
from django.utils.cache import patch_vary_headers

from regui.web.http import Request

GetResponse = Callable[[HttpRequest], HttpResponse]


def vary(get_response: GetResponse) -> GetResponse:
    """Middleware: every HTML answer varies on htmx's headers, or a browser's Back shows a bare part from its
    cache."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ["HX-Request", "HX-Request-Type", "HX-Target"])
        return response

    return middleware


def render(
    request: Request,
    template: str,
    context: Mapping[str, Any],
    *,
    partials: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    """The page, or the partial named like the element htmx swaps when the view offers it."""
    target = swapped(request)
    name = f"{template}#{target}" if target in partials else template
    return page(request, name, dict(context), status=status)


def swapped(request: Request) -> str:
    """The id of the element htmx wants to swap; empty when a whole page is wanted.

    htmx 4 writes a target as `section#results`.
    """
    if not request.htmx or request.htmx.request_type == "full":
        return ""
    return (request.htmx.target or "").rpartition("#")[2]


def toast(response: HttpResponse, text: str, level: str = "error") -> HttpResponse:
    """The response, with a word for the region that is announced; what can't be swapped is said at least."""
    response["HX-Trigger"] = json.dumps({"toast": {"text": text, "level": level}})
    return response
