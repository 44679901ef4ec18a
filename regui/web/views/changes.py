"""What changes a registry: each address shows its plan, and carries it out when that is posted back."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from regui import oci
from regui.accounts import access
from regui.actions import delete, journal, kinds, many, overriding, plans, retag, undo, untag
from regui.actions.models import Action
from regui.index.models import Repository
from regui.web import forms, htmx, tracks, words
from regui.web.changing import agree, answer, changing, confirm
from regui.web.http import Request


def target(request: Request, registry: str, name: str, kind: str) -> Repository:
    """The repository that a change of this kind is about; raises like `access.repository`."""
    row = access.registry(request.actor, registry)
    return access.repository(request.actor, row, name, kinds.RIGHTS[kind])


def over(request: Request, repository: Repository) -> str:
    """Why what is in use has to go, as somebody says who may. Raises `access.Forbidden`."""
    asked = request.POST if request.method == "POST" else request.GET
    reason = asked.get("override", "").strip()
    overriding.require(request.actor, repository.registry, {"override": reason})
    return reason


@changing
def delete_tag(request: Request, registry: str, name: str, tag: str) -> HttpResponse:
    """Take a tag away, and nothing else."""
    repository = target(request, registry, name, plans.UNTAG)
    why = over(request, repository)
    asked = {"tags": [tag], **overriding.asked(plans.UNTAG, why)}
    agreed = agree(request, plans.UNTAG, repository, asked=asked)
    return answer(request, repository, lambda: untag.look(repository, tag, override=why), agreed)


@changing
def delete_manifest(request: Request, registry: str, name: str, digest: oci.Digest) -> HttpResponse:
    """Delete a digest with every tag on it; with `along`, also what speaks about it and what only it leads
    to."""
    repository = target(request, registry, name, plans.DELETE_DIGEST)
    along = "along" in (request.POST if request.method == "POST" else request.GET)
    why = over(request, repository)
    agreed = agree(request, plans.DELETE_DIGEST, repository, digest, delete.asked(along, why))

    def look() -> plans.Plan:
        return delete.look(repository, digest, along=along, override=why)

    return answer(request, repository, look, agreed, digest)


@changing
def delete_repository(request: Request, registry: str, name: str) -> HttpResponse:
    """Delete all that is in a repository, once its name was typed."""
    repository = known(target(request, registry, name, plans.DELETE_REPOSITORY))
    why = over(request, repository)
    asked = overriding.asked(plans.DELETE_REPOSITORY, why)
    agreed = agree(request, plans.DELETE_REPOSITORY, repository, asked=asked)
    if agreed and request.POST.get("name", "").strip() != name:
        return confirm(request, many.everything(repository, override=why), status=422, wrong_name=True)
    return answer(request, repository, lambda: many.everything(repository, override=why), agreed)


@changing
def delete_untagged(request: Request, registry: str, name: str) -> HttpResponse:
    """Delete what no tag leads to."""
    repository = known(target(request, registry, name, plans.DELETE_UNTAGGED))
    why = over(request, repository)
    asked = overriding.asked(plans.DELETE_UNTAGGED, why)
    agreed = agree(request, plans.DELETE_UNTAGGED, repository, asked=asked)
    return answer(request, repository, lambda: many.untagged(repository, override=why), agreed)


@changing
def bulk(request: Request, registry: str, name: str) -> HttpResponse:
    """Delete the tags that were ticked, or all that a filter finds; 404 for anything else to do."""
    asked = request.POST if request.method == "POST" else request.GET
    if asked.get("do", "delete") != "delete":
        raise Http404("Nothing like that can be done to many tags.")
    repository = known(target(request, registry, name, plans.DELETE_TAGS))
    names = chosen(repository, asked)
    if not names:
        messages.warning(request, "No tag was chosen.")
        return HttpResponseRedirect(reverse("repository", args=[registry, name]), status=303)
    why = over(request, repository)
    agreed = agree(
        request,
        plans.DELETE_TAGS,
        repository,
        asked={"tags": names, **overriding.asked(plans.DELETE_TAGS, why)},
    )
    return answer(request, repository, lambda: many.tags(repository, names, override=why), agreed)


@changing
def set_tag(request: Request, registry: str, name: str, digest: oci.Digest) -> HttpResponse:
    """Put a tag on a manifest; without a tag's name, ask for one."""
    repository = target(request, registry, name, plans.RETAG)
    tag = (request.POST if request.method == "POST" else request.GET).get("to", "").strip()
    if not tag:
        return htmx.render(request, "actions/retag.html", {"name": name, "digest": digest})
    try:
        oci.check_tag(tag)
    except oci.InvalidName as error:
        context = {"name": name, "digest": digest, "to": tag, "wrong": str(error)}
        return htmx.render(request, "actions/retag.html", context, status=422)
    agreed = agree(request, plans.RETAG, repository, digest, {"reference": digest, "tags": [tag]})
    return answer(request, repository, lambda: retag.look(repository, digest, tag), agreed)


@changing
def restore(request: Request, registry: str, name: str, digest: oci.Digest) -> HttpResponse:
    """Put a deleted manifest back from the journal's bytes."""
    repository = target(request, registry, name, plans.RESTORE)
    tags = (request.POST if request.method == "POST" else request.GET).getlist("tag")
    asked = {"digest": digest, "tags": sorted(tags)} if tags else {"digest": digest}
    agreed = agree(request, plans.RESTORE, repository, digest, asked)
    return answer(request, repository, lambda: undo.restore(repository, digest, tags), agreed)


@changing
def take_back(request: Request, pk: str) -> HttpResponse:
    """Undo an action; one that hasn't begun is merely stopped."""
    action = found(request, pk)
    repository = target(request, action.registry, action.repository, plans.UNDO)
    if action.state not in undo.UNDOABLE:
        return HttpResponseRedirect(reverse("action", args=[pk]), status=303)
    agreed = agree(request, plans.UNDO, repository, action.digest, {"action": pk})
    return answer(request, repository, lambda: undo.look(action), agreed)


@require_POST
def stop(request: Request, pk: str) -> HttpResponse:
    """Stop an action before its next step."""
    action = found(request, pk)
    target(request, action.registry, action.repository, action.kind)
    stopped = journal.cancel(action, timezone.now())
    there = reverse("action", args=[pk])
    if stopped.state == Action.State.CANCELLED:
        nothing = words.nothing(action.kind)
        messages.success(request, f"Stopped: {nothing[:1].lower()}{nothing[1:]}.")
        if action.kind != plans.COPY:  # the repository may not be there yet
            there = reverse("repository", args=[action.registry, action.repository])
    else:
        messages.info(request, "It stops as soon as it can.")
    return HttpResponseRedirect(there, status=303)


def found(request: Request, pk: str) -> Action:
    """The action, when this actor may see it; else Http404."""
    action = journal.visible(request.actor).filter(pk=pk).first()
    if action is None:
        raise Http404("No such action.")
    return action


def known(repository: Repository) -> Repository:
    """The repository, when the index has it; else Http404."""
    if repository.pk is None:
        raise Http404(f"Nothing is known of a repository named {repository.name}.")
    return repository


def chosen(repository: Repository, asked: QueryDict) -> list[str]:
    """The names of the tags that an earlier page packed into one field, or that the filter finds in the list
    that was shown, or else that were ticked; in order."""
    if packed := asked.get("tags", ""):
        return sorted(set(packed.split()))
    if "q" not in asked:
        return sorted(set(asked.getlist("tag")))
    wanted = forms.wanted(asked)
    if wanted.wrong:
        return []
    rows = tracks.matching(repository, wanted, asked.get("show", ""))
    return sorted(rows.order_by().values_list("name", flat=True))
