"""A plan as a file: JSON to be applied from the command line, CSV to be read by people."""

from django.http import HttpResponse

from regui.actions import documents
from regui.actions.plans import Plan
from regui.web import told
from regui.web.http import Request

TYPES = {"json": "application/json", "csv": "text/csv"}
# How much of the fingerprint tells files of one repository apart.
SHORT = 8


def wanted(request: Request) -> str:
    """The kind of file that is asked for instead of a page; empty for none."""
    form = request.POST if request.method == "POST" else request.GET
    kind = form.get("as", "")
    return kind if kind in TYPES else ""


def file(plan: Plan, kind: str) -> HttpResponse:
    """The plan as a file of that kind, to be kept."""
    written = documents.text(documents.of_plan(plan)) if kind == "json" else table(plan)
    answer = HttpResponse(written, content_type=f"{TYPES[kind]}; charset=utf-8")
    repository = plan.repository.replace("/", "-").replace(":", "-")
    name = f"{plan.kind}-{repository}-{plan.fingerprint[:SHORT]}.{kind}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def table(plan: Plan) -> str:
    """A line for everything the plan touches."""
    head = ("registry", "repository", *documents.Row._fields)
    rows = ((plan.registry, plan.repository, *row) for row in documents.rows(plan))
    return "".join(map(told.line, [head, *rows]))
