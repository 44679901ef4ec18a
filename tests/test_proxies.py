"""Which proxies are believed, and what address asks."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from regui import proxies
from regui.env import Env
from regui.mapping import Mapping
from regui.proxies import Proxies, from_env, parse_networks

OURS = Proxies(parse_networks("10.0.0.0/8, 127.0.0.1 fd00::/8"))


def test_without_a_setting_nobody_is_believed() -> None:
    found = from_env(Env({}))
    assert found == Proxies()
    assert not found.trusts("127.0.0.1")


def test_everything_is_read() -> None:
    found = from_env(
        Env(
            {
                "REGUI_TRUSTED_PROXIES": "10.0.0.7 fd00::/8",
                "REGUI_PROXY_USER_HEADER": "X-Forwarded-User",
                "REGUI_PROXY_GROUPS_HEADER": "X-Forwarded-Groups",
                "REGUI_PROXY_GROUPS": "theirs=ours",
            }
        )
    )
    assert (found.user_header, found.groups_header) == ("X-Forwarded-User", "X-Forwarded-Groups")
    assert found.groups == Mapping((("theirs", "ours"),))
    for peer in ("10.0.0.7", "fd00::1", "::ffff:10.0.0.7"):
        assert found.trusts(peer)
    for peer in ("10.0.0.8", "", "unknown"):
        assert not found.trusts(peer)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"REGUI_TRUSTED_PROXIES": "proxy.example"}, "entry 1 is not"),
        ({"REGUI_TRUSTED_PROXIES": "10.0.0.1, 10.0.0.7/8"}, "entry 2 is not"),
        ({"REGUI_TRUSTED_PROXIES": "0.0.0.0/0"}, "anybody could be anyone"),
        ({"REGUI_TRUSTED_PROXIES": "::/0"}, "anybody could be anyone"),
        ({"REGUI_PROXY_USER_HEADER": "X-User"}, "REGUI_TRUSTED_PROXIES: must say"),
        ({"REGUI_PROXY_USER_HEADER": "X_User", "REGUI_TRUSTED_PROXIES": "10.0.0.1"}, "a header's name"),
        ({"REGUI_PROXY_USER_HEADER": "X-User: alice", "REGUI_TRUSTED_PROXIES": "::1"}, "a header's name"),
        ({"REGUI_PROXY_GROUPS_HEADER": "X-Groups"}, "REGUI_PROXY_USER_HEADER: must be set"),
        ({"REGUI_PROXY_GROUPS": "a=b"}, "REGUI_PROXY_GROUPS_HEADER: must be set"),
        (
            {
                "REGUI_PROXY_GROUPS": "a",
                "REGUI_PROXY_GROUPS_HEADER": "X-Groups",
                "REGUI_PROXY_USER_HEADER": "X-User",
                "REGUI_TRUSTED_PROXIES": "::1",
            },
            "which entry 1 is not",
        ),
    ],
)
def test_what_cant_be_meant_is_refused(values: dict[str, str], why: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=why):
        from_env(Env(values))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),  # no proxy of ours
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),  # whoever that is, they said the rest
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1,203.0.113.9 , 10.0.0.2,10.0.0.3", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "203.0.113.9,,", "10.0.0.1"),
        ("::ffff:10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
    ],
)
def test_the_address_that_asks_is_the_last_that_is_not_ours(peer: str, forwarded: str, client: str) -> None:
    assert OURS.client(peer, forwarded) == client


@given(st.text(), st.ip_addresses().map(str))
def test_what_a_client_says_itself_never_matters(said: str, client: str) -> None:
    if not OURS.trusts(client):
        assert OURS.client("10.0.0.1", f"{said},{client}") == str(proxies.parse_address(client))
        assert OURS.client(client, said) == client


def test_groups_are_told_apart_by_commas_or_bars() -> None:
    assert proxies.members("a, b c ,,d") == ("a", "b c", "d")
    assert proxies.members("a|b") == ("a", "b")
    assert proxies.members("") == ()
