"""Light, dark, or as the system has it: in a cookie, so that the server renders it and nothing flashes."""

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from regui.web.context import THEMES
from regui.web.http import Request, is_ours

YEAR = 365 * 24 * 60 * 60


@require_POST
def change(request: Request) -> HttpResponse:
    """Back to where they were, with the theme they asked for; an unknown one changes nothing."""
    back = request.POST.get("next", "")
    response = HttpResponseRedirect(back if is_ours(request, back) else reverse("home"), status=303)
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        response.set_cookie(
            "theme",
            chosen,
            max_age=YEAR,
            path=settings.FORCE_SCRIPT_NAME or "/",
            secure=settings.SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response
