"""Copying a manifest elsewhere: the page that asks where to, and what of it, then the plan."""

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from regui import oci
from regui.accounts import access
from regui.accounts.access import Right
from regui.actions import copying, picking, plans
from regui.index import fetch
from regui.index.models import Repository
from regui.web import htmx
from regui.web.changing import agree, answer, changing, gone
from regui.web.copies import Form, Source
from regui.web.http import Request


@changing
def copy_tag(request: Request, registry: str, name: str, tag: str) -> HttpResponse:
    """Copy what a tag is on."""
    return copy(request, Source(registry, name, tag))


@changing
def copy_manifest(request: Request, registry: str, name: str, digest: oci.Digest) -> HttpResponse:
    """Copy a digest."""
    return copy(request, Source(registry, name, digest))


def copy(request: Request, source: Source) -> HttpResponse:
    """The form, as long as it isn't filled in rightly; then the plan, and where its running leads."""
    row = access.repository(request.actor, access.registry(request.actor, source.registry), source.name)
    if not request.actor.ever(Right.PUSH):
        raise access.Forbidden(request.actor, Right.PUSH, "any repository")
    form = Form.of(request.POST if request.method == "POST" else request.GET, source)
    wrong = form.wrong() if form.sent else {}
    if wrong or not form.sent:
        return ask(request, source, row, form, wrong)
    if (form.registry, form.name) == (source.registry, source.name) and not form.platforms:
        return set_tag(row, source, form)
    try:
        return planned(request, source, row, form)
    except oci.InvalidName as error:
        return ask(request, source, row, form, {"platform": str(error)})


def planned(request: Request, source: Source, row: Repository, form: Form) -> HttpResponse:
    """The plan's page, or where its running leads."""
    registry = access.registry(request.actor, form.registry)
    target = access.repository(request.actor, registry, form.name, Right.PUSH)
    asked = copying.asked(row, source.reference, form.tag, form.platforms, referrers=form.referrers)
    agreed = agree(request, plans.COPY, target, asked=asked)

    def look() -> plans.Plan:
        return copying.look(
            row,
            source.reference,
            target,
            form.tag,
            platforms=form.platforms,
            referrers=form.referrers,
        )

    return answer(request, row, look, agreed)


def set_tag(row: Repository, source: Source, form: Form) -> HttpResponse:
    """Within one repository it is merely a tag that is set, and there is a page for that."""
    digest = source.reference
    if not source.is_digest:
        digest = fetch.manifest(row, source.reference)[0].digest
    there = reverse("manifest-tag", args=[source.registry, source.name, digest])
    return HttpResponseRedirect(f"{there}?to={form.tag}", status=303)


def ask(request: Request, source: Source, row: Repository, form: Form, wrong: dict[str, str]) -> HttpResponse:
    """The form: 422 when something about it is wrong."""
    try:
        manifest, _ = fetch.manifest(row, source.reference)
    except oci.NotFound as error:
        return gone(request, row, source.reference if source.is_digest else "", error)
    context = {
        "source": source,
        "name": source.name,
        "registry": row.registry,
        "digest": manifest.digest,
        "form": form,
        "wrong": wrong,
        "platforms": picking.platforms(manifest.document),
        "targets": access.registries(request.actor),
    }
    return htmx.render(request, "actions/copy.html", context, status=422 if wrong else 200)
