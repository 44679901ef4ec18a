"""Changes by command: what is named goes and nothing else, the exit status tells, and `--json` prints one
object and nothing else."""

import getpass
import json
from pathlib import Path

import pytest
from django.core.management import call_command, load_command_class
from django.core.management.base import CommandError

from regui import oci
from regui.management.speaking import Command
from tests import images
from tests.fake import Fake
from tests.management.desk import Desk
from tests.registry import RunningRegistry, open_registry

NONE = f"sha256:{'0' * 64}"


def test_a_tag_goes_and_its_siblings_stay(desk: Desk, registry: RunningRegistry, name: str) -> None:
    digest = registry.push(name, tags=["1.0", "latest"])
    done = desk.run("delete", "main", f"{name}:1.0", "--yes")
    assert (done.status, done.err) == (0, "")
    assert "goes       tag 1.0 on sha256:" in done.out
    assert "stays      tag latest on sha256:" in done.out
    assert "taken away: 1.0" in done.out
    assert desk.tags(name) == {"latest": digest}
    pk = done.out.partition("regui undo ")[2].split()[0]
    undone = desk.yes("undo", pk)
    assert (undone.status, undone.object["state"], undone.object["undoes"]) == (0, "done", pk)
    assert desk.tags(name) == {"1.0": digest, "latest": digest}
    again = desk.yes("undo", pk)
    assert (again.status, again.object["error"]["code"]) == (2, "not-undoable")


def test_the_object_says_all_of_it_and_people_read_the_rest_elsewhere(
    desk: Desk, registry: RunningRegistry, name: str
) -> None:
    digest = registry.push(name, tags=["1.0", "latest"])
    dry = desk.run("delete", "main", f"{name}:1.0", "--dry-run", "--json")
    assert (dry.status, dry.object["state"], dry.object["id"], dry.object["dry_run"]) == (
        0,
        "planned",
        None,
        True,
    )
    assert "stays      tag latest" in dry.err
    assert desk.tags(name).keys() == {"1.0", "latest"}
    done = desk.yes("delete", "main", f"{name}:1.0")
    found = done.object
    assert done.status == 0
    assert (found["kind"], found["registry"], found["repository"]) == ("untag", "main", name)
    assert (found["state"], found["dry_run"], len(found["id"])) == ("done", False, 16)
    assert (found["siblings"], found["frees"], found["shared"]) == (["latest"], 0, dry.object["shared"])
    assert found["actor"] == f"local:{getpass.getuser()}"
    assert [(one["do"], one["tag"], one["digest"], one["result"]) for one in found["steps"]] == [
        ("untag", "1.0", digest, "done")
    ]


def test_a_digest_goes_with_every_tag(desk: Desk, registry: RunningRegistry, name: str) -> None:
    digest, kept = registry.push(name, tags=["1.0", "latest"]), registry.push(name, tags=["2.0"])
    by_tag = desk.run("delete", "main", f"{name}:1.0", "--digest", "--dry-run", "--json")
    by_digest = desk.run("delete", "main", f"{name}@{digest}", "--dry-run", "--json")
    assert by_tag.object["fingerprint"] == by_digest.object["fingerprint"]
    done = desk.yes("delete", "main", f"{name}:1.0@{digest}", "--digest")
    assert done.status == 0
    assert done.results == [
        ("delete-digest", "", "done"),
        ("goes-along", "1.0", "done"),
        ("goes-along", "latest", "done"),
    ]
    assert desk.tags(name) == {"2.0": kept}
    back = desk.yes("restore", "main", f"{name}@{digest}", "--tag", "rescued")
    assert back.status == 0
    assert desk.tags(name) == {"2.0": kept, "rescued": digest}
    lost = desk.yes("restore", "main", f"{name}@{NONE}")
    assert (lost.status, lost.object["state"]) == (1, "failed")
    assert "nobody has its bytes" in lost.object["lost"][0]


def test_many_tags_are_one_action(desk: Desk, registry: RunningRegistry, name: str) -> None:
    for tag in ("pr-1", "pr-2", "pr-3"):
        registry.push(name, tags=[tag])
    kept = registry.push(name, tags=["1.0", "pr-4"])
    done = desk.yes("delete", "main", f"{name}:pr-1", f"{name}:pr-1", f"{name}:pr-4")
    assert done.status == 0
    assert done.object["asked"] == {"tags": ["pr-1", "pr-4"]}
    matched = desk.yes("delete", "main", name, "--matching", "pr-*")
    assert (matched.status, matched.object["asked"]) == (0, {"tags": ["pr-2", "pr-3"]})
    assert desk.tags(name) == {"1.0": kept}
    none = desk.yes("delete", "main", name, "--matching", "pr-*")
    assert (none.status, none.object["state"], none.object["steps"]) == (0, "done", [])
    missing = desk.yes("delete", "main", f"{name}:pr-2", f"{name}:1.0")
    assert (missing.status, missing.object["state"]) == (1, "done"), "not all of it was done"
    assert "The tag pr-2 is not there" in missing.err
    assert desk.tags(name) == {}


def test_what_is_untagged_and_all_that_is_left_go(desk: Desk, registry: RunningRegistry, name: str) -> None:
    registry.push(name, tags=["1.0"])
    assert desk.run("sync").status == 0
    registry.push(name, tags=["1.0"])
    registry.push(name, tags=["2.0"])
    untagged = desk.yes("delete", "main", name, "--untagged")
    assert (untagged.status, untagged.results) == (0, [("delete-digest", "", "done")])
    assert desk.tags(name).keys() == {"1.0", "2.0"}
    unsure = desk.yes("delete", "main", name, "--repository")
    wrong = desk.yes("delete", "main", name, "--repository", "--confirm", "something")
    assert (unsure.status, wrong.status) == (2, 2)
    assert "--confirm must say its name" in wrong.object["error"]["message"]
    assert desk.yes("delete", "main", name, "--repository", "--confirm", name).status == 0
    assert desk.tags(name) == {}


def test_a_tag_is_set_and_moved(desk: Desk, registry: RunningRegistry, name: str) -> None:
    old, new = registry.push(name, tags=["1.0"]), registry.push(name, tags=["latest"])
    assert desk.yes("retag", "main", f"{name}:1.0", "1.1").status == 0
    moved = desk.run("retag", "main", f"{name}@{new}", "1.0", "--yes")
    assert f"comes      tag 1.0 on sha256:{new.short} (now on {old})" in moved.out
    same = desk.yes("retag", "main", f"{name}:latest", "1.0")
    assert (same.status, same.object["state"]) == (0, "done")
    assert desk.tags(name) == {"1.0": new, "1.1": old, "latest": new}


# A person is needed


def test_without_a_terminal_somebody_has_to_have_agreed(
    desk: Desk, registry: RunningRegistry, name: str
) -> None:
    registry.push(name, tags=["1.0"])
    told, json_ = (desk.run("delete", "main", f"{name}:1.0", *more) for more in ([], ["--json"]))
    assert (told.status, json_.status) == (3, 3)
    assert told.err == "regui: Nobody agreed to this. Look at it with --dry-run; --yes agrees to it.\n"
    assert json_.object["error"]["code"] == "not-agreed"
    assert desk.tags(name).keys() == {"1.0"}


def test_an_index_breaks_only_when_that_was_agreed_to(
    desk: Desk, registry: RunningRegistry, name: str
) -> None:
    built = images.index()
    registry.push_built(name, built, ["multi", "latest"])
    child = f"{name}@{built.children[0].digest}"
    refused = desk.yes("delete", "main", child)
    assert (refused.status, refused.object["error"]["code"]) == (3, "breaks")
    assert refused.object["error"]["details"] == {
        "breaks": [{"digest": built.digest, "tags": ["latest", "multi"]}]
    }
    assert "breaks     index latest, multi on sha256:" in refused.err
    assert desk.run("delete", "main", child, "--dry-run").status == 3
    assert desk.yes("delete", "main", child, "--break-indexes").status == 0


# Plans as files


def test_a_plan_is_applied_once_and_only_while_it_holds(
    desk: Desk, registry: RunningRegistry, name: str, tmp_path: Path
) -> None:
    registry.push(name, tags=["1.0", "latest"])
    file = tmp_path / "plan.json"
    file.write_text(desk.run("delete", "main", f"{name}:1.0", "--digest", "--dry-run", "--json").out)
    registry.push(name, tags=["latest"])
    stale = desk.yes("apply", str(file))
    assert (stale.status, stale.object["error"]["code"]) == (4, "stale")
    (changed,) = stale.object["error"]["details"]["changed"]
    assert changed.startswith("The tag latest moved to sha256:")
    assert f"\n  {changed}\n" in stale.err
    file.write_text(desk.run("delete", "main", f"{name}:1.0", "--digest", "--dry-run", "--json").out)
    assert desk.run("apply", str(file), "--dry-run").status == 0
    assert desk.tags(name).keys() == {"1.0", "latest"}
    applied = desk.yes("apply", str(file))
    assert (applied.status, applied.object["state"]) == (0, "done")
    assert desk.tags(name).keys() == {"latest"}
    assert desk.yes("apply", str(file)).status == 4, "what it is about is gone"


def test_a_file_that_is_no_plan_is_refused(
    desk: Desk, registry: RunningRegistry, name: str, tmp_path: Path
) -> None:
    registry.push(name, tags=["1.0", "latest"])
    file = tmp_path / "plan.json"
    plan = desk.run("delete", "main", f"{name}:1.0", "--dry-run", "--json").object
    file.write_text(json.dumps(plan | {"repository": "team/other"}))
    forged = desk.yes("apply", str(file))
    assert (forged.status, forged.object["error"]["code"]) == (2, "unusable")
    assert "was changed since it was made" in forged.err
    file.write_text("{")
    assert desk.yes("apply", str(file)).status == 2
    assert desk.yes("apply", str(tmp_path / "nowhere.json")).status == 2
    file.write_text(json.dumps(plan))
    elsewhere = desk.run("apply", str(file), "--yes", REGUI_REGISTRY_NAME="other")
    assert elsewhere.status == 2
    assert "The settings don't say where the registry main is." in elsewhere.err


def test_a_tag_that_must_be_on_a_digest_is_left_alone_on_another(
    desk: Desk, registry: RunningRegistry, name: str
) -> None:
    old = registry.push(name, tags=["1.0"])
    new = registry.push(name, tags=["1.0"])
    for command in (["delete", "main", f"{name}:1.0@{old}"], ["retag", "main", f"{name}:1.0@{old}", "1.1"]):
        stale = desk.yes(*command)
        assert (stale.status, stale.object["error"]["code"]) == (4, "stale")
        assert stale.object["error"]["details"]["changed"] == [f"The tag 1.0 is on {new} by now."]
    assert desk.tags(name) == {"1.0": new}


# What can't be done


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["delete", "main"], "The following arguments are required: REFERENCE."),
        (["delete", "main", "team/app"], "A tag or a digest is missing"),
        (["delete", "main", "Team//app:1.0"], "can't be the name of a repository"),
        (["delete", "main", "team/app:1.0", "--dig"], "Unrecognized arguments: --dig."),
        (["delete", "main", "team/app:1", "team/app"], "A tag or a digest is missing"),
        (["delete", "main", "team/app:1", "team/web:1"], "All tags must be of one repository"),
        (["delete", "main", "team/app:1", "team/app:2", "--digest"], "Digests are deleted one at a time"),
        (["delete", "main", "team/app:1", "--untagged"], "--untagged takes one repository"),
        (["delete", "main", "team/app:1", "--along"], "--along goes with a digest"),
        (["delete", "main", "team/app:1", "--confirm", "team/app"], "--confirm goes with --repository"),
        (["delete", "main", "team/app", "--matching", ""], "An empty query would find every tag"),
        (["delete", "main", "team/app", "--matching", "size:x"], "This query can't be meant"),
        (["delete", "mian", "team/app:1.0"], "There is no registry named mian, only main."),
        (["delete", "main", "no/such:1.0"], "The registry has no such tag or manifest"),
        (["delete", "main", "no/such", "--untagged"], "The registry has no such repository"),
        (["retag", "main", "team/app", "1.0"], "A tag or a digest is missing"),
        (["retag", "main", "no/such:1.0", "not a tag"], "can't be a tag"),
        (["restore", "main", "team/app:1.0"], "A digest is needed"),
        (["undo", "0123456789abcdef"], "There is no action 0123456789abcdef."),
        (["activity", "0123456789abcdef"], "There is no action 0123456789abcdef."),
        (["activity", "--matching", "size:>1MB"], "This query can't be meant"),
    ],
)
@pytest.mark.usefixtures("known")
def test_what_is_not_meant_is_refused_with_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = load_command_class("regui", arguments[0])
    assert isinstance(command, Command)
    with pytest.raises(CommandError) as refused:
        call_command(command, *arguments[1:])
    command.as_json = True
    assert command.refused(refused.value, f"regui {arguments[0]}") == 2
    said = capsys.readouterr()
    error = json.loads(said.out)["error"]
    assert words in error["message"]
    assert said.err.startswith(f"regui: {error['message']}")
    assert error.keys() == {"code", "message", "hint", "details"}


def test_what_is_misspelt_is_an_object_too_with_a_program_at_the_other_end(desk: Desk) -> None:
    done = desk.run("delete", "main", "team/app:1.0", "--digset", "--json")
    assert (done.status, done.object["error"]["code"]) == (2, "usage")
    assert done.err == "regui: Unrecognized arguments: --digset. regui delete --help says how it is used.\n"


def test_a_registry_that_is_down_is_a_failure_whether_it_was_known_or_not(
    desk: Desk, registry: RunningRegistry, name: str
) -> None:
    registry.push(name, tags=["1.0"])
    assert desk.run("delete", "main", f"{name}:1.0", "--dry-run").status == 0
    for what in (f"{name}:1.0", "no/such:1.0"):
        down = desk.run("delete", "main", what, "--yes", "--json", REGUI_REGISTRY_URL="http://127.0.0.1:1")
        assert (down.status, down.object["error"]["code"]) == (1, "unreachable")
        assert "127.0.0.1:1 refuses connections" in down.err
        assert "Check that the registry runs" in down.object["error"]["hint"]


def test_deletes_that_are_switched_off_fail_with_what_to_set(data: Path, tmp_path: Path) -> None:
    closed = open_registry(tmp_path / "closed", delete=False)
    try:
        closed.push("team/app", tags=["1.0", "latest"])
        done = Desk(data, closed.url).yes("delete", "main", "team/app:1.0")
    finally:
        closed.stop()
    assert (done.status, done.object["state"], done.object["error_code"]) == (1, "failed", "unsupported")
    assert "REGISTRY_STORAGE_DELETE_ENABLED=true" in done.err


def test_a_suspicious_list_needs_a_person(data: Path, fake: Fake) -> None:
    desk = Desk(data, fake.url)
    with oci.Client(fake.url) as client:
        for number in range(12):
            images.push(client, "team/app", images.image(), [f"v{number}"])
    assert desk.run("sync").status == 0
    fake.memory.repositories["team/app"].tags = {"v0": fake.memory.repositories["team/app"].tags["v0"]}
    done = desk.yes("delete", "main", "team/app", "--matching", "v*")
    assert done.status == 3
    assert done.object["error"]["code"] == "unchecked"


def test_a_setting_or_a_database_that_is_wrong_is_an_object_too(tmp_path: Path) -> None:
    wrong = Desk(tmp_path, "localhost").run("undo", "x", "--json")
    assert (wrong.status, wrong.object["error"]["code"]) == (2, "configuration")
    address = "postgres://regui:hunter2@127.0.0.1:1/regui"
    down = Desk(tmp_path, "http://r.example").run("undo", "x", "--json", REGUI_DATABASE_URL=address)
    assert (down.status, down.object["error"]["code"]) == (1, "database")
    assert "hunter2" not in down.out + down.err
