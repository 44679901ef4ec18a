"""What a supervisor asks: is the process alive, and can it do its work?

A registry that is down fails neither: the pages say so, with what is remembered.
"""

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


def probes(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that answers both probes before anyone looks at the Host header: they come by IP address."""
    views = {"/healthz": healthz, "/readyz": readyz}

    def middleware(request: HttpRequest) -> HttpResponse:
        return views.get(request.path_info, get_response)(request)

    return middleware


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200: the process answers. It looks at nothing else, the database least of all."""
    return answer("ok")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers and is migrated, else 503 with the reason."""
    problem = database_problem()
    return answer(problem, status=503) if problem else answer("ok")


def database_problem() -> str:
    """Why the database can't be worked with; empty when it can.

    In words of our own: the driver's may name users and hosts, and anyone may ask.
    """
    connection.close()  # one that was opened while all was well says nothing of those to come
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "the database does not answer"
    return f"{len(missing)} migrations are missing: run regui migrate" if missing else ""


def answer(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(f"{text}\n", content_type="text/plain; charset=utf-8", status=status)
