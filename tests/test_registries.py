"""The registries that the environment names."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from regui.env import Env
from regui.registries import RegistrySettings, from_env


def test_without_a_setting_there_is_no_registry() -> None:
    assert from_env(Env({})) == {}


def test_one_registry_is_called_main() -> None:
    found = from_env(Env({"REGUI_REGISTRY_URL": "http://localhost:5000/"}))
    assert found == {"main": RegistrySettings(name="main", url="http://localhost:5000")}
    assert found["main"].host == "localhost:5000"


def test_one_registry_with_everything(tmp_path: Path) -> None:
    for name in ("ca", "cert", "key", "password"):
        (tmp_path / name).write_text(f"{name}\n")
    found = from_env(
        Env(
            {
                "REGUI_REGISTRY_URL": "https://10.0.0.5",
                "REGUI_REGISTRY_NAME": "prod",
                "REGUI_REGISTRY_USERNAME": "regui",
                "REGUI_REGISTRY_PASSWORD_FILE": str(tmp_path / "password"),
                "REGUI_REGISTRY_CA_FILE": str(tmp_path / "ca"),
                "REGUI_REGISTRY_CLIENT_CERT": str(tmp_path / "cert"),
                "REGUI_REGISTRY_CLIENT_KEY": str(tmp_path / "key"),
                "REGUI_REGISTRY_VERIFY": "on",
                "REGUI_REGISTRY_PULL_HOST": "registry.example:5000",
            }
        )
    )
    assert found["prod"] == RegistrySettings(
        name="prod",
        url="https://10.0.0.5",
        username="regui",
        password="password",
        ca_file=str(tmp_path / "ca"),
        client_cert=str(tmp_path / "cert"),
        client_key=str(tmp_path / "key"),
        pull_host="registry.example:5000",
    )
    assert found["prod"].host == "registry.example:5000"


def test_a_password_is_not_in_the_repr() -> None:
    found = RegistrySettings(name="main", url="http://r", username="u", password="hunter2")
    assert "hunter2" not in repr(found)


def test_several_registries_have_settings_each() -> None:
    found = from_env(
        Env(
            {
                "REGUI_REGISTRY_URL": "http://one",
                "REGUI_REGISTRIES": "prod-eu, test\tdev",
                "REGUI_REGISTRY_PROD_EU_URL": "https://eu",
                "REGUI_REGISTRY_PROD_EU_VERIFY": "off",
                "REGUI_REGISTRY_TEST_URL": "https://test",
                "REGUI_REGISTRY_DEV_URL": "https://dev",
            }
        )
    )
    assert list(found) == ["main", "prod-eu", "test", "dev"]
    assert not found["prod-eu"].verify
    assert found["test"].verify


@pytest.mark.parametrize(
    "name",
    ["api", "hooks", "healthz", "readyz", "metrics", "static", "accounts", "url", "client-key", "pull-host"],
)
def test_a_name_with_a_meaning_of_its_own_is_refused(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REGUI_REGISTRIES: a registry can't be called"):
        from_env(Env({"REGUI_REGISTRIES": name}))


@pytest.mark.parametrize("name", ["Prod", "-x", "a_b", "x" * 33, "a/b", "-"])
def test_a_name_that_would_not_fit_an_address_is_refused(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REGUI_REGISTRY_NAME: a registry's name is"):
        from_env(Env({"REGUI_REGISTRY_URL": "http://r", "REGUI_REGISTRY_NAME": name}))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (
            {"REGUI_REGISTRIES": "eu eu", "REGUI_REGISTRY_EU_URL": "http://r"},
            "REGUI_REGISTRIES: eu is named twice",
        ),
        (
            {
                "REGUI_REGISTRIES": "main",
                "REGUI_REGISTRY_URL": "http://r",
                "REGUI_REGISTRY_MAIN_URL": "http://r",
            },
            "REGUI_REGISTRIES: main is named twice",
        ),
        ({"REGUI_REGISTRIES": "eu"}, "REGUI_REGISTRY_EU_URL: must say where the registry eu is"),
        ({"REGUI_REGISTRY_URL": "localhost:5000"}, "REGUI_REGISTRY_URL: must be an address"),
        (
            {"REGUI_REGISTRY_URL": "http://r", "REGUI_REGISTRY_PASSWORD": "x"},
            "REGUI_REGISTRY_USERNAME: must be set along with REGUI_REGISTRY_PASSWORD",
        ),
        (
            {"REGUI_REGISTRY_URL": "http://r", "REGUI_REGISTRY_PULL_HOST": "https://r"},
            "REGUI_REGISTRY_PULL_HOST: must be a host",
        ),
        (
            {"REGUI_REGISTRY_URL": "http://r", "REGUI_REGISTRY_CA_FILE": "/no/such/file"},
            "REGUI_REGISTRY_CA_FILE: there is no such file",
        ),
        (
            {"REGUI_REGISTRY_URL": "http://r", "REGUI_REGISTRY_CLIENT_KEY": __file__},
            "REGUI_REGISTRY_CLIENT_CERT: must be set along with",
        ),
        (
            {
                "REGUI_REGISTRY_URL": "http://r",
                "REGUI_REGISTRY_CA_FILE": __file__,
                "REGUI_REGISTRY_VERIFY": "off",
            },
            "REGUI_REGISTRY_VERIFY: must be on",
        ),
    ],
)
def test_what_can_not_be_meant_is_refused(values: dict[str, str], why: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=why):
        from_env(Env(values))
