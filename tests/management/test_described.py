"""docs/command-line.md and the commands say the same."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from regui.actions.models import Action, Item
from regui.management import speaking
from regui.management.changing import Changing

TEXT = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
OURS = sorted(name for name, app in get_commands().items() if app == "regui")
COMMANDS = {name: load_command_class("regui", name) for name in OURS}


def test_each_command_that_changes_or_tells_of_changes_is_described() -> None:
    wanted = {name for name, command in COMMANDS.items() if isinstance(command, speaking.Command)}
    assert wanted >= {"delete", "retag", "restore", "undo", "apply", "activity"}
    assert set(re.findall(r"^regui ([a-z]+) ", TEXT, re.MULTILINE)) >= wanted


@pytest.mark.parametrize("name", [name for name in OURS if isinstance(COMMANDS[name], speaking.Command)])
def test_each_option_is_described(name: str) -> None:
    parser = COMMANDS[name].create_parser("regui", name)
    options = {
        one for action in parser._actions for one in action.option_strings if action.help != "==SUPPRESS=="
    }
    assert {one for one in options if one not in TEXT} <= {"-h", "--no-color"}


def test_each_exit_status_has_a_meaning() -> None:
    known = {
        str(status) for name, status in vars(speaking).items() if name.isupper() and isinstance(status, int)
    }
    assert set(re.findall(r"^\| (\d) \|", TEXT, re.MULTILINE)) == known


def test_each_state_result_and_error_is_named() -> None:
    source = Path(speaking.__file__).parent
    codes = set[str]()
    for path in source.rglob("*.py"):
        codes |= set(re.findall(r'code="([a-z-]+)"', path.read_text(encoding="utf-8")))
    for word in {*Action.State.values, *Item.Result.values, *codes}:
        assert f"`{word}`" in TEXT, word


def test_what_changes_something_can_be_tried_and_agreed_to() -> None:
    for name, command in COMMANDS.items():
        if isinstance(command, Changing):
            told = command.create_parser("regui", name).format_help()
            for option in ("--dry-run", "--yes", "--json", "--break-indexes"):
                assert option in told
