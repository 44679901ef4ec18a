"""Providers and directories that the environment names."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from regui import directories
from regui.env import Env
from tests.serving import environment, regui

OIDC = {"REGUI_OIDC_ISSUER": "https://id.example.com/realms/x", "REGUI_OIDC_CLIENT_ID": "regui"}
LDAP = {"REGUI_LDAP_URL": "ldaps://ldap.example.com", "REGUI_LDAP_USER_BASE": "ou=people"}


def oidc(**more: str) -> directories.Oidc:
    found = directories.oidc(Env(OIDC | more))
    assert found
    return found


def ldap(**more: str) -> directories.Ldap:
    found = directories.ldap(Env(LDAP | more))
    assert found
    return found


def test_without_a_setting_there_is_neither() -> None:
    assert directories.oidc(Env({})) is None
    assert directories.ldap(Env({})) is None


def test_an_issuer_is_kept_letter_by_letter() -> None:
    found = oidc(REGUI_OIDC_ISSUER="https://tenant.example.com/")
    assert (found.issuer, found.origins) == ("https://tenant.example.com/", ("https://tenant.example.com",))


def test_a_provider_with_everything(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    found = oidc(
        REGUI_OIDC_CLIENT_SECRET_FILE=str(tmp_path / "secret"),
        REGUI_OIDC_NAME="the company account",
        REGUI_OIDC_SCOPES="openid, groups",
        REGUI_OIDC_GROUPS_CLAIM="roles",
        REGUI_OIDC_GROUPS="a=b",
        REGUI_OIDC_ALLOWED_GROUPS="Domain Users, x",
        REGUI_OIDC_ALLOWED_DOMAINS="@Example.com example.org",
        REGUI_OIDC_ORIGINS="https://login.example.com/path https://other.example:8443",
        REGUI_OIDC_SESSION_AGE="1h",
    )
    assert (found.client_secret, found.name, found.groups_claim) == (
        "hunter2",
        "the company account",
        "roles",
    )
    assert found.scopes == ("openid", "groups")
    assert found.groups.ours(["a"]) == {"b"}
    assert found.allowed_groups == ("Domain Users", "x")
    assert found.allowed_domains == ("example.com", "example.org")
    assert found.origins == (
        "https://id.example.com",
        "https://login.example.com",
        "https://other.example:8443",
    )
    assert found.session_age == timedelta(hours=1)
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"REGUI_OIDC_ISSUER": "http://id.example.com"}, "REGUI_OIDC_ISSUER: must begin with https"),
        ({"REGUI_OIDC_ISSUER": "id.example.com"}, "REGUI_OIDC_ISSUER: must be an address"),
        ({"REGUI_OIDC_ISSUER": "https://id.example.com?x=y"}, "nor a query"),
        ({"REGUI_OIDC_CLIENT_ID": ""}, "REGUI_OIDC_CLIENT_ID: must be set"),
        ({"REGUI_OIDC_ISSUER": ""}, "REGUI_OIDC_ISSUER: must be set"),
        ({"REGUI_OIDC_SCOPES": "profile"}, "openid among them"),
        ({"REGUI_OIDC_SCOPES": 'openid "x"'}, "REGUI_OIDC_SCOPES: must be words"),
        ({"REGUI_OIDC_GROUPS": "admins"}, "REGUI_OIDC_GROUPS: must be pairs"),
        (
            {"REGUI_OIDC_ALLOWED_DOMAINS": "alice@example.com"},
            "REGUI_OIDC_ALLOWED_DOMAINS: must hold domains",
        ),
        ({"REGUI_OIDC_ORIGINS": "https://x; script-src *"}, "REGUI_OIDC_ORIGINS: must "),
        ({"REGUI_OIDC_ORIGINS": "https://x;script-src"}, "REGUI_OIDC_ORIGINS: must "),
        ({"REGUI_OIDC_SESSION_AGE": "0"}, "longer than nothing"),
        ({"REGUI_OIDC_CA_FILE": "/nowhere"}, "there is no such file"),
    ],
)
def test_a_provider_that_cant_be_meant_is_refused(values: dict[str, str], why: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=why):
        directories.oidc(Env(OIDC | values))


def test_a_directory_s_filters_follow_from_what_is_set() -> None:
    found = ldap(REGUI_LDAP_NAME_ATTRIBUTE="sAMAccountName", REGUI_LDAP_GROUP_TYPE="activedirectory")
    assert found.user_filter == "(sAMAccountName=%(user)s)"
    assert found.group_filter == "(objectClass=group)"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"REGUI_LDAP_URL": "https://ldap.example.com"}, "REGUI_LDAP_URL: must be an address"),
        ({"REGUI_LDAP_URL": "ldaps://ldap.example.com/dc=x"}, "without a path"),
        ({"REGUI_LDAP_URL": "ldap://ldap.example.com"}, "passwords would cross the network in clear"),
        ({"REGUI_LDAP_START_TLS": "on"}, "must be off with ldaps"),
        ({"REGUI_LDAP_USER_BASE": ""}, "REGUI_LDAP_USER_BASE: must say"),
        ({"REGUI_LDAP_BIND_DN": "cn=x"}, "REGUI_LDAP_BIND_PASSWORD: "),
        ({"REGUI_LDAP_BIND_PASSWORD": "hunter2"}, "REGUI_LDAP_BIND_DN: "),
        ({"REGUI_LDAP_USER_FILTER": "(uid=alice)"}, "where the name goes"),
        ({"REGUI_LDAP_USER_FILTER": "(uid=%(user)s)(x=%s)"}, "where the name goes"),
        ({"REGUI_LDAP_USER_FILTER": "uid=%(user)s"}, "in parentheses"),
        ({"REGUI_LDAP_GROUP_FILTER": "(cn=%s)"}, "without %"),
        ({"REGUI_LDAP_GROUP_TYPE": "other"}, "must be one of groupofnames"),
        ({"REGUI_LDAP_ALLOWED_GROUPS": "x"}, "REGUI_LDAP_GROUP_BASE: must say"),
        ({"REGUI_LDAP_NAME_ATTRIBUTE": "uid)(x="}, "the name of an attribute"),
        ({"REGUI_LDAP_TIMEOUT": "0"}, "from 1s to 1m"),
        ({"REGUI_LDAP_TIMEOUT": "1h"}, "from 1s to 1m"),
        ({"REGUI_LDAP_SESSION_AGE": "0"}, "longer than nothing"),
    ],
)
def test_a_directory_that_cant_be_meant_is_refused(values: dict[str, str], why: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=why) as caught:
        directories.ldap(Env(LDAP | values))
    assert "hunter2" not in str(caught.value)


def python(code: str, data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment(data, DJANGO_SETTINGS_MODULE="regui.settings", **settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_the_extra_a_directory_is_refused_on_start(tmp_path: Path) -> None:
    code = "import sys; sys.modules['django_auth_ldap'] = None; import regui.cli; regui.cli.main(['check'])"
    done = python(code, tmp_path, **LDAP)
    assert 'pip install "regui[ldap]"' in done.stderr
    assert done.returncode == 2


def test_without_a_directory_nothing_of_ldap_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys, django; django.setup(); from regui.wsgi import application; print('ldap' in sys.modules)"
    )
    assert python(code, tmp_path).stdout == "False\n"


def test_what_cant_be_meant_stops_the_start(tmp_path: Path) -> None:
    done = regui(tmp_path, "serve", REGUI_OIDC_ISSUER="http://id.example.com")
    assert done.returncode == 2
    assert done.stderr.strip().endswith(
        "REGUI_OIDC_ISSUER: must begin with https://, except on this machine itself."
    )
