"""docs/configuration.md and the settings say the same."""

import re
from pathlib import Path

from regui import registries
from regui.env import Env, env

ROOT = Path(__file__).parent.parent
DOCUMENT = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def asked() -> set[str]:
    """Every variable the settings look up, with one registry and without names of our choosing."""
    one = Env({"REGUI_REGISTRY_URL": "http://registry.example"})
    registries.from_env(one)
    # Importing the settings, which pytest-django did, has asked for the rest.
    return {name for name in env.asked | one.asked if name.startswith("REGUI_")}


def described() -> set[str]:
    """Every variable that has a row in one of the tables, and the one that lists registries."""
    return set(re.findall(r"^\| `(REGUI_[A-Z_]+)`", DOCUMENT, re.MULTILINE)) | {"REGUI_REGISTRIES"}


def test_each_setting_is_described() -> None:
    assert asked() - described() == set()


def test_each_description_is_of_a_setting() -> None:
    assert described() - asked() == set()


def test_every_variable_mentioned_exists() -> None:
    example = re.compile(r"REGUI_REGISTRY_(PROD_EU|TEST)_[A-Z_]+")
    mentioned = set(re.findall(r"REGUI_[A-Z_]*[A-Z]", DOCUMENT))
    assert {name for name in mentioned if not example.fullmatch(name)} - asked() == set()


def test_the_reserved_names_are_listed() -> None:
    named = set(re.findall(r"`([a-z-]+)`", DOCUMENT.partition("can't\nbe names:")[2].partition("\n\n")[0]))
    assert named == registries.RESERVED | registries.WORDS


def test_defaults_are_as_described() -> None:
    assert "| `REGUI_BIND` | `127.0.0.1:8000` |" in DOCUMENT
    assert "| `REGUI_REGISTRY_NAME` | `main` |" in DOCUMENT
    one = registries.from_env(Env({"REGUI_REGISTRY_URL": "http://registry.example"}))
    assert list(one) == ["main"]
    assert one["main"].verify


def test_other_documents_mention_only_what_exists() -> None:
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*.yml"), ROOT / "Dockerfile"):
        mentioned = set(re.findall(r"REGUI_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8")))
        known = asked() | {"REGUI_REGISTRY_PROD_EU_URL"}
        if path.name != "configuration.md":
            assert mentioned - known == set(), path.name
