"""Text that comes from a registry, its images or people stays text on every page, whatever is in it."""

import html
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.db import models
from django.utils import timezone

from regui import oci
from regui.accounts.access import Role
from regui.accounts.models import User
from regui.actions import run, untag
from regui.actions.models import Action
from regui.demo import images as build
from regui.demo.images import Built
from regui.index import capabilities
from regui.index.models import Manifest, Registry, Repository
from regui.patterns import ANYWHERE
from tests.actions.stand import ALICE
from tests.addresses import API, addresses
from tests.people import SignedIn
from tests.registry import RunningRegistry

# As short as a column can be that holds words; it ends any attribute and any element.
HOSTILE = "\"'><i-x y=1>"
# Columns whose values are held to a grammar, made by regui itself or no text, by their names; and those that
# aren't in spite of theirs. A hostile media type decides what a manifest is: one is in the registry below.
KEPT = {
    *("id", "name", "registry", "repository", "tag", "digest", "before", "after", "subject", "scope", "url"),
    *("pull_host", "names", "kind", "do", "uid", "action", "undoes", "fingerprint", "passing", "source"),
    *("error_code", "events_token", "password", "username", "email", "pattern", "repositories", "tags"),
    *("method", "media_type"),
}
FREE = {"Token.name"}
# Of those that hold JSON: what registries or their images say.
OBJECTS = {"platforms", "labels", "annotations"}
# Elements of pictures, which have a y of their own.
DRAWN = {"rect", "text", "tspan", "use", "image", "svg"}
LABELS = {HOSTILE: HOSTILE} | {
    f"org.opencontainers.image.{name}": HOSTILE
    for name in ("title", "description", "source", "url", "documentation", "licenses", "version", "vendor")
}
ASKING = (
    *("/-/search/?q", "/main/?q", "/main/?ns", "/main/?sort", "/main/team/app/?q", "/-/activity/?q"),
    *("/main/team/app/-/bulk/?do=delete&tag", "/main/-/storage/?layers", "/main/-/settings/names/?q"),
)
TABS = ("layers", "config", "history", "referrers", "raw", "pull", "platforms")


class Elements(HTMLParser):
    """Notes elements that only somebody else's text can have made."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if "i-x" in tag or (tag not in DRAWN and "y" in names) or any("i-x" in name for name in names):
            self.foreign.append(self.get_starttag_text() or tag)


def foreign(text: str) -> list[str]:
    """The elements of a page that it didn't make."""
    parser = Elements()
    parser.feed(text)
    parser.close()
    return parser.foreign


def configured() -> Built:
    """An image that says it wherever it may say anything."""
    config = {
        **dict.fromkeys(("os", "architecture", "variant", "created", "author", HOSTILE), HOSTILE),
        "config": {
            "Env": [f"A={HOSTILE}", f"{HOSTILE}=1", HOSTILE],
            "Labels": LABELS,
            **{key: [HOSTILE] for key in ("Cmd", "Entrypoint", "Shell", "OnBuild")},
            **dict.fromkeys(("User", "WorkingDir", "StopSignal"), HOSTILE),
            **{key: {HOSTILE: {}} for key in ("ExposedPorts", "Volumes")},
            "Healthcheck": {"Test": ["CMD", HOSTILE]},
        },
        "history": [dict.fromkeys(("created_by", "comment", "author", "created"), HOSTILE)],
        "rootfs": {"type": HOSTILE, "diff_ids": [HOSTILE]},
    }
    layer = (oci.OCI_LAYER_GZIP, b"layer", LABELS)
    return build.manifest(oci.OCI_MANIFEST, (oci.OCI_CONFIG, json.dumps(config).encode()), [layer], LABELS)


def referring(subject: Built) -> Built:
    """An artifact that says it, too."""
    files = {HOSTILE: (f"y/{HOSTILE}", b"z")}
    return build.artifact(f"x/{HOSTILE}", files, annotations=LABELS, subject=subject)


def overwrite() -> int:
    """Put the words into every column that could hold them; how many columns of rows those are."""
    count = 0
    for label in ("index", "actions", "accounts"):
        for model in apps.get_app_config(label).get_models():
            for column in model._meta.concrete_fields:
                value = instead(model, column)
                if value is not None:
                    count += bool(model._default_manager.update(**{column.name: value}))
    return count


def instead(model: type[models.Model], column: Any) -> Any:
    """What to put there; None to leave it."""
    if isinstance(column, models.JSONField):
        value = [HOSTILE] if column.name == "platforms" else {HOSTILE: HOSTILE}
        return value if column.name in OBJECTS else None
    if not isinstance(column, models.CharField | models.TextField) or column.choices or column.unique:
        return None
    return HOSTILE if column.name not in KEPT or f"{model.__name__}.{column.name}" in FREE else None


@pytest.fixture
def alice(registry: RunningRegistry, index_registry: Registry) -> Iterator[SignedIn]:
    """Alice, who administers a registry where everything is hostile, and all of it is known."""
    registry.wipe()
    image = configured()
    registry.push_built("team/app", image, ["1.0", "1.1", "old"])
    registry.push_built("team/app", referring(image))
    registry.push_built("team/app", build.index([image]), ["index"])
    alice = SignedIn("alice", (Role.ADMIN, ANYWHERE), raise_request_exception=False)
    for path in ("", "team/app/", "team/app/-/tags/1.0/", "team/app/-/tags/index/"):
        assert alice.get(f"/main/{path}").status_code == 200
    row = Repository.objects.get(name="team/app")
    assert run.run(untag.look(row, "old"), ALICE).state == "done"
    finding = oci.Finding("no", HOSTILE)
    capabilities.keep(index_registry, {"reachable": finding, "deletes": finding}, timezone.now())
    yield alice
    registry.wipe()


def digest() -> str:
    """That of the image."""
    found: str = Manifest.objects.filter(kind="image").values_list("digest", flat=True)[0]
    return found


def test_no_page_takes_what_it_is_told_for_markup(alice: SignedIn) -> None:
    assert overwrite() > 10
    # Somebody else's directory may call people anything.
    User.objects.filter(pk=alice.person.pk).update(username=HOSTILE)
    asked = quote(HOSTILE)
    paths = [
        *addresses(digest=digest(), pk=Action.objects.get().pk).values(),
        *(f"/main/team/app/-/tags/{tag}/?tab={tab}" for tag in ("1.0", "index") for tab in TABS),
        *(f"{where}={asked}" for where in ASKING),
    ]

    pages = {path: alice.get(path) for path in paths if path != "/readyz"}  # it closes the connection

    # allauth's pages are told nothing by registries.
    assert [
        path for path, page in pages.items() if page.status_code >= 500 and "/-/account/" not in path
    ] == []
    texts = {path: page.content.decode("utf-8", "replace") for path, page in pages.items()}
    assert {path: found for path, text in texts.items() if (found := foreign(text))} == {}
    assert len([path for path, text in texts.items() if "i-x" in text]) > 15, "they are there, as words"


def test_the_api_says_it_as_json(alice: SignedIn) -> None:
    overwrite()
    for path in addresses(API, digest=digest()).values():
        answer = alice.get(path)
        assert answer["Content-Type"].startswith("application/json"), path
        assert answer["X-Content-Type-Options"] == "nosniff", path


WAYS_OUT = ["<p>{}</p>", '<a href="{}">', "<a href='{}'>", "<a href={}>", "<title>x</title>{}", "<p y>"]


@pytest.mark.parametrize("markup", WAYS_OUT)
def test_markup_would_be_found(markup: str) -> None:
    assert foreign(markup.format(HOSTILE))
    assert not foreign(f"<p>{html.escape(HOSTILE)}</p>")
