"""docs/access.md and the policy say the same."""

import re
from pathlib import Path

import pytest

from regui.accounts.access import ANY, RIGHTS, Actor, Grant, Holder, Right, Role

TEXT = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")
COLUMNS = (Right.SEE, Right.PUSH, Right.DELETE, Right.ADMIN, Right.AUDIT)
HOLDERS = {"": Holder.USER, "`devs`": Holder.GROUP, "everyone": Holder.EVERYONE}
CAN = {"sees nothing": None, "only sees": Right.SEE, "sets tags": Right.PUSH, "deletes": Right.DELETE}


def table(head: str) -> list[list[str]]:
    """The cells of the rows below that heading of a table."""
    lines = TEXT.partition(head)[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_roles_is_the_policys() -> None:
    found = {
        Role(cells[0].strip("`")): {right for right, cell in zip(COLUMNS, cells[1:], strict=True) if cell}
        for cells in table("| Role |")
    }
    assert found == {role: set(rights) for role, rights in RIGHTS.items()}


def grant(text: str) -> Grant:
    """What is written like that: `devs`: `maintainer` of `team/**`."""
    found = re.fullmatch(r"(?:(.*): )?`(\w+)` of `([^`]+)`(?: in (?:`(\w+)`|any registry))?", text)
    assert found, text
    return Grant(Role(found[2]), found[4] or ANY, found[3], HOLDERS[found[1] or ""])


@pytest.mark.parametrize("cells", table("| Bob, who"), ids=lambda cells: str(cells[0]))
def test_each_example_comes_out_as_told(cells: list[str]) -> None:
    bob = Actor("bob", grants=tuple(grant(text) for text in cells[0].split("; ")))
    rights = bob.decide("main", "team/app").rights
    most = next((right for right in reversed(COLUMNS[:4]) if right in rights), None)
    assert most == CAN[cells[1].partition(",")[0]]
