"""Groups elsewhere and here."""

import pytest

from regui import mapping


def test_pairs_say_what_a_group_is_here() -> None:
    found = mapping.parse("idp-admins=admins, /team/dev=developers\nDomain Users = staff, idp-admins=ops")
    assert found.ours(["idp-admins", "Domain Users", "x"]) == {"admins", "ops", "staff"}
    assert found.ours(["admins"]) == frozenset()


def test_without_pairs_a_group_is_that_of_the_same_name() -> None:
    assert mapping.NONE.ours(["a", "b"]) == {"a", "b"}


@pytest.mark.parametrize("text", ["admins", "a=", "=a", "a=b, c", f"a={'b' * 151}"])
def test_what_is_no_pair_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"which entry \d is not"):
        mapping.parse(text)
