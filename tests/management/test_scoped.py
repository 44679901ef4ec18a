"""Commands with `REGUI_TOKEN`, within this process: each refuses what the token doesn't give, in words that
tell nothing of what it may not see."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.accounts.access import Role
from regui.accounts.models import Token, User
from regui.actions.models import Action, Protection
from regui.index import connect
from regui.index.models import Registry
from regui.management.speaking import REFUSED, Refusal, Sitting
from tests import factories
from tests.people import grant, person, token
from tests.registry import RunningRegistry

# Those that act for nobody: they keep the site running.
NOBODYS = {"serve", "worker", "demo"}


@pytest.fixture(autouse=True)
def two(known: None, registry: RunningRegistry, settings: Settings) -> Iterator[None]:
    """A registry with `team/app` and `shop/app`, where visitors may nothing."""
    settings.ANONYMOUS_ROLE = "none"
    registry.wipe()
    for name in ("team/app", "shop/app"):
        registry.push(name, tags=["1.0", "latest"])
    yield
    connect.close()


def run(*arguments: str) -> str:
    """What a command prints on standard output."""
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def refusal(*arguments: str) -> Refusal:
    """How a command was refused."""
    with pytest.raises(Refusal) as refused:
        run(*arguments)
    assert refused.value.returncode == REFUSED
    return refused.value


def tags(registry: RunningRegistry, name: str) -> set[str]:
    with registry.connect() as client:
        return set(client.tags(name))


def saved(folder: Path, *arguments: str) -> str:
    """The file of a plan, made by somebody who may do everything."""
    path = folder / f"{len(list(folder.iterdir()))}.json"
    path.write_text(run(*arguments, "--dry-run", "--json"))
    return str(path)


def done(*arguments: str) -> dict[str, Any]:
    """What somebody who may do everything did."""
    found: dict[str, Any] = json.loads(run(*arguments, "--yes", "--json"))
    assert found["state"] == "done"
    return found


def test_what_a_token_may_see_but_not_do_is_refused_with_who_could(
    registry: RunningRegistry, settings: Settings, tmp_path: Path
) -> None:
    grant(Role.ADMIN, user=person("alice"))
    plan = saved(tmp_path, "delete", "main", "team/app:latest")
    copy = saved(tmp_path, "copy", "main", "team/app:latest", "main", "team/copy")
    gone = done("delete", "main", "team/app:1.0")
    waiting = waits("team/app")
    settings.TOKEN = token(Role.READER, "team/**")
    for arguments in (
        ["delete", "main", "team/app:latest"],
        ["delete", "main", "team/app:latest", "--dry-run"],
        ["delete", "main", "team/app", "--untagged"],
        ["delete", "main", "team/app", "--repository", "--confirm", "team/app"],
        ["retag", "main", "team/app:latest", "2.0"],
        ["copy", "main", "team/app:latest", "main", "team/copy"],
        ["restore", "main", f"team/app@{gone['digest']}"],
        ["apply", plan],
        ["apply", copy],
        ["undo", gone["id"]],
        ["undo", gone["id"], "--dry-run"],
        ["undo", waiting.pk],
    ):
        refused = refusal(*arguments, "--yes")
        assert refused.code == "forbidden", arguments
        assert str(refused).startswith("robot:ci may not "), arguments
        assert refused.details["who_could"] == ["alice"]
    for arguments in (
        ["protect", "main", "team/**", "v*"],
        ["protect", "main", "--list"],
        ["sync"],
        ["sync", "main"],
        ["sync", "--confirm", "main"],
        ["sync", "--confirm", "main/team/app"],
        ["reindex", "main"],
    ):
        assert refusal(*arguments).code == "forbidden", arguments
    assert tags(registry, "team/app") == {"latest"}
    waiting.refresh_from_db()
    assert waiting.state == Action.State.WAITING
    assert not Protection.objects.exists()


def waits(name: str) -> Action:
    """An action that waits for a worker."""
    return Action.objects.create(
        pk=f"waits-{name.replace('/', '-')}"[:16],
        registry="main",
        repository=name,
        kind="untag",
        state=Action.State.WAITING,
        started_at=timezone.now(),
    )


def test_a_developer_sets_tags_and_deletes_none(registry: RunningRegistry, settings: Settings) -> None:
    settings.TOKEN = token(Role.DEVELOPER, "team/**")
    assert done("retag", "main", "team/app:1.0", "2.0")["actor"] == "robot:ci"
    assert done("copy", "main", "team/app:1.0", "main", "team/copy")["state"] == "done"
    assert refusal("delete", "main", "team/app:2.0", "--yes").code == "forbidden"
    assert tags(registry, "team/app") == {"1.0", "2.0", "latest"}


def test_what_a_token_may_not_see_is_not_there(
    registry: RunningRegistry, settings: Settings, tmp_path: Path
) -> None:
    foreign = saved(tmp_path, "retag", "main", "shop/app:latest", "2.0")
    stolen = saved(tmp_path, "copy", "main", "shop/app:latest", "main", "team/copy")
    hidden = done("delete", "main", "shop/app:1.0")["id"]
    shown = done("delete", "main", "team/app:1.0")["id"]
    waiting = waits("shop/app")
    settings.TOKEN = token(Role.ADMIN, "team/**")
    listed = json.loads(run("activity", "--json"))["items"]
    assert [one["id"] for one in listed] == [shown]
    assert "shop" not in run("activity")
    for arguments in (
        ["delete", "main", "shop/app:latest", "--yes"],
        ["delete", "main", "shop/nothing:latest", "--yes"],
        ["retag", "main", "shop/app:latest", "2.0", "--yes"],
        ["copy", "main", "shop/app:latest", "main", "team/app", "--yes"],
        ["copy", "main", "team/app:latest", "main", "shop/app", "--yes"],
        ["restore", "main", f"shop/app@{oci.Digest.of(b'x')}", "--yes"],
        ["apply", foreign, "--yes"],
        ["apply", stolen, "--yes"],
        ["undo", hidden, "--yes"],
        ["undo", waiting.pk, "--yes"],
        ["activity", hidden],
        ["activity", "--before", hidden],
        ["delete", "other", "team/app:latest", "--yes"],
    ):
        assert refusal(*arguments).code == "not-found", arguments
    there, nowhere = (refusal("delete", "main", f"shop/{name}:1", "--yes") for name in ("app", "none"))
    assert str(there).replace("shop/app", "") == str(nowhere).replace("shop/none", "")
    assert tags(registry, "shop/app") == {"latest"}
    assert tags(registry, "team/app") == {"latest"}
    waiting.refresh_from_db()
    assert waiting.state == Action.State.WAITING


def test_a_registry_that_a_token_may_not_see_is_not_named(settings: Settings) -> None:
    factories.registry("secret")
    settings.TOKEN = token(Role.ADMIN, registry="main")
    for arguments in (
        ["sync", "secret"],
        ["sync", "--confirm", "secret"],
        ["reindex", "secret"],
        ["protect", "secret", "--list"],
        ["delete", "secret", "team/app:1.0", "--yes"],
    ):
        with pytest.raises(CommandError) as refused:
            run(*arguments)
        assert "there is no registry named secret" in str(refused.value).lower(), arguments
        assert "main, secret" not in str(refused.value)
    assert run("sync").startswith("main: 2 repositories")


def test_where_everybody_s_own_credentials_count_a_token_has_none(settings: Settings) -> None:
    done("delete", "main", "team/app:1.0")
    Registry.objects.update(own=True)
    settings.TOKEN = token(Role.ADMIN)
    for arguments in (
        ["delete", "main", "team/app:latest", "--yes"],
        ["retag", "main", "team/app:latest", "2.0", "--yes"],
        ["protect", "main", "--list"],
        ["reindex", "main"],
        ["sync"],
        ["sync", "--confirm", "main"],
    ):
        assert refusal(*arguments).code == "needs-credentials", arguments
    assert json.loads(run("activity", "--json"))["items"] == []


def test_a_maintainer_of_all_reads_the_registry_and_an_administrator_protects(settings: Settings) -> None:
    settings.TOKEN = token(Role.MAINTAINER)
    assert run("sync").startswith("main: 2 repositories")
    assert refusal("reindex", "main").code == "forbidden"
    settings.TOKEN = token(Role.ADMIN, registry="main", name="chief")
    assert "read anew" in run("reindex", "main")
    run("protect", "main", "**", "v*")
    assert Protection.objects.get().created_by == "robot:chief"
    assert "v*" in run("protect", "main", "--list")


def test_a_person_s_token_does_at_most_what_they_may_by_now(settings: Settings) -> None:
    bob = person("bob")
    given = grant(Role.MAINTAINER, "team/**", user=bob)
    settings.TOKEN = token(Role.ADMIN, owner=bob)
    assert done("delete", "main", "team/app:1.0")["actor"] == "bob (token ci)"
    given.delete()
    assert refusal("delete", "main", "team/app:latest", "--yes").code == "not-found"
    User.objects.update(is_active=False)
    assert refusal("activity").code == "unauthorized"


def test_tokens_are_no_token_s_business(settings: Settings) -> None:
    settings.TOKEN = token(Role.ADMIN)
    for arguments in (["list"], ["make", "more", "--role", "admin"], ["revoke", "1"]):
        assert refusal("token", *arguments).code == "forbidden"
    settings.TOKEN = token(Role.READER, name="less")
    assert refusal("token", "list").code == "forbidden"
    assert Token.objects.filter(revoked_at=None).count() == 2


# What may be asked for


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["make", "ci"], "required: --role"),
        (["make", "ci", "--role", "none"], "--role: This must be a role: reader, developer"),
        (["make", "ci", "--role", "reader", "--pattern", "te**am"], "--pattern: This must be a repository"),
        (["make", "ci", "--role", "reader", "--registry", "other"], "--registry: There is no registry"),
        (["make", "ci", "--role", "reader", "--expires", "soon"], "--expires: This must be a length of time"),
        (["make", "x" * 41, "--role", "reader"], "NAME: This must be 1 to 40 characters"),
        (["make", "ci", "--role", "reader", "--owner", "eve"], "There is nobody named eve."),
        (["list", "--owner", "eve"], "There is nobody named eve."),
        (["revoke", "9"], "There is no such token: 9."),
        (["revoke", "regui_"], "There is no such token: regui_."),
        ([], "required: make|list|revoke"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: list[str], why: str) -> None:
    with pytest.raises(CommandError) as refused:
        run("token", *arguments)
    assert why in str(refused.value)
    assert not Token.objects.exists()


def test_a_person_s_token_is_listed_as_theirs() -> None:
    person("bob")
    made = json.loads(
        run("token", "make", "ci", "--role", "admin", "--owner", "bob", "--expires", "never", "--json")
    )
    assert made["token"].startswith("regui_")
    assert (made["owner"], made["expires_at"], made["registry"]) == ("bob", None, "*")
    token(Role.READER, name="other")
    mine = json.loads(run("token", "list", "--owner", "bob", "--json"))["items"]
    robots = json.loads(run("token", "list", "--robots", "--json"))["items"]
    assert ([one["name"] for one in mine], [one["name"] for one in robots]) == (["ci"], ["other"])
    assert "token" not in mine[0]


def test_every_command_of_ours_knows_who_runs_it() -> None:
    ours = [name for name, app in get_commands().items() if app == "regui"]
    commands: dict[str, Any] = {name: load_command_class("regui", name) for name in ours}
    assert {name for name, one in commands.items() if not isinstance(one, Sitting)} == NOBODYS
