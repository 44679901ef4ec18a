"""The registries that the environment names."""

from pathlib import Path

import pytest
import trustme
from django.core.exceptions import ImproperlyConfigured

from regui.env import Env
from regui.registries import RegistrySettings, from_env


def certificates(folder: Path) -> None:
    """An authority, and a certificate of it with its key, as ca, cert and key in that folder."""
    authority = trustme.CA()
    issued = authority.issue_cert("regui")
    authority.cert_pem.write_to_path(folder / "ca")
    issued.cert_chain_pems[0].write_to_path(folder / "cert")
    issued.private_key_pem.write_to_path(folder / "key")


def test_without_a_setting_there_is_no_registry() -> None:
    assert from_env(Env({})) == {}


def test_one_registry_is_called_main() -> None:
    found = from_env(Env({"REGUI_REGISTRY_URL": "http://localhost:5000/"}))
    assert found == {"main": RegistrySettings(name="main", url="http://localhost:5000")}
    assert found["main"].host == "localhost:5000"


def test_one_registry_with_everything(tmp_path: Path) -> None:
    certificates(tmp_path)
    (tmp_path / "password").write_text("password\n")
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
    assert [one.prefix for one in found.values()][:2] == ["REGUI_REGISTRY", "REGUI_REGISTRY_PROD_EU"]
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
            {"REGUI_REGISTRY_URL": "http://r", "REGUI_REGISTRY_USERNAME": "u:x"},
            "REGUI_REGISTRY_USERNAME: must have no colon",
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
    ],
)
def test_what_can_not_be_meant_is_refused(values: dict[str, str], why: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=why):
        from_env(Env(values))


def test_a_ca_file_that_would_not_be_looked_at_is_refused(tmp_path: Path) -> None:
    certificates(tmp_path)
    values = {"REGUI_REGISTRY_URL": "https://r", "REGUI_REGISTRY_CA_FILE": str(tmp_path / "ca")}
    with pytest.raises(ImproperlyConfigured, match="REGUI_REGISTRY_VERIFY: must be on"):
        from_env(Env(values | {"REGUI_REGISTRY_VERIFY": "off"}))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"CA_FILE": "password"}, "REGUI_REGISTRY_EU_CA_FILE: the file holds no certificate"),
        ({"CLIENT_CERT": "password"}, "REGUI_REGISTRY_EU_CLIENT_CERT: the file holds no certificate"),
        ({"CLIENT_CERT": "cert"}, "REGUI_REGISTRY_EU_CLIENT_CERT: the file holds no certificate and its"),
        (
            {"CLIENT_CERT": "ca", "CLIENT_KEY": "key"},
            "REGUI_REGISTRY_EU_CLIENT_CERT: it and REGUI_REGISTRY_EU_CLIENT_KEY hold no certificate",
        ),
    ],
)
def test_a_file_that_holds_something_else_is_refused(
    values: dict[str, str], why: str, tmp_path: Path
) -> None:
    certificates(tmp_path)
    (tmp_path / "password").write_text("hunter2")
    files = {f"REGUI_REGISTRY_EU_{name}": str(tmp_path / file) for name, file in values.items()}
    with pytest.raises(ImproperlyConfigured, match=why):
        from_env(Env({"REGUI_REGISTRIES": "eu", "REGUI_REGISTRY_EU_URL": "https://r"} | files))


def test_names_and_prefixes_are_told_apart() -> None:
    text = "team/app, team/web\n other/ shared/*,team/app"
    found = from_env(Env({"REGUI_REGISTRY_URL": "http://one", "REGUI_REGISTRY_NAMES": text}))
    assert (found["main"].names, found["main"].under) == (("team/app", "team/web"), ("other", "shared"))


@pytest.mark.parametrize(
    "text", ["app team/App", "app /app", "app te*m", "app team*", "app a//", "app *", "app /"]
)
def test_what_can_be_no_name_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(
        ImproperlyConfigured, match=r"^REGUI_REGISTRY_NAMES: .*, which entry 2 is not\.$"
    ) as caught:
        from_env(Env({"REGUI_REGISTRY_URL": "http://one", "REGUI_REGISTRY_NAMES": text}))
    assert f" {text.split()[1]} " not in str(caught.value)
