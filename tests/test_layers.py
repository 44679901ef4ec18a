"""Who may import whom, and who may do what to a registry: this table is also the documentation.

Left never imports right, and imports stand at the top of a file, where they can be seen.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import regui

PACKAGE = Path(regui.__file__).parent

# What a part may import besides itself.
PLAIN = {"", "bind", "database", "env", "keys", "paths", "patterns", "registries", "sealed", "secrets"}
PLAIN |= {"directories", "mapping", "outlets", "proxies"}
MAY_IMPORT: dict[str, set[str]] = {
    "": set(),
    "bind": set(),
    "database": set(),
    "directories": {"bind", "env", "mapping", "registries"},
    "env": set(),
    "mapping": set(),
    "outlets": {"bind", "env"},
    "proxies": {"env", "mapping"},
    "keys": {"env"},
    "paths": set(),
    "patterns": set(),
    "registries": {"env", "oci"},
    "secrets": set(),
    "sealed": {"secrets"},
    # What may stand in an address, of pages and of the API.
    "converters": {"oci", "registries"},
    "settings": PLAIN,
    "oci": {""},
    "index": PLAIN | {"oci"},
    "accounts": PLAIN | {"oci", "index"},
    # Pure decisions, as `oci` is a pure client.
    "retention": {"env", "patterns"},
    "actions": PLAIN | {"oci", "index", "accounts", "retention"},
    "jobs": PLAIN | {"oci", "index", "accounts", "retention", "actions"},
    "web": PLAIN | {"converters", "oci", "index", "accounts", "retention", "actions", "jobs"},
    "api": PLAIN | {"converters", "oci", "index", "accounts", "retention", "actions", "jobs"},
    "urls": {"api", "web"},
    "wsgi": set(),
    "attend": set(),
    "prepare": PLAIN | {"index", "accounts"},
    "serve": PLAIN | {"index", "accounts", "prepare"},
    "demo": PLAIN | {"oci"},
    "cli": PLAIN,
    "__main__": {"cli"},
    # The commands behind the console script: they tell of changes in the pages' words.
    "management": PLAIN
    | {"oci", "index", "accounts", "retention", "actions", "jobs", "web", "prepare", "serve", "demo"},
}
# What changes a registry, and who may call it: for people the steps that `run` takes, with the transfer of
# blobs that goes before some, `demo` for the registry it started itself.
WRITES = {
    "put_manifest",
    "delete_manifest",
    "delete_blob",
    "start_upload",
    "upload_chunk",
    "finish_upload",
    "cancel_upload",
    "push_blob",
    "mount_blob",
}
WRITERS = ("actions/steps.py", "actions/transfer.py", "demo/", "oci/")
CONNECTORS = ("index/connect.py", "demo/", "management/commands/demo.py", "oci/")

FILES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)


def part(path: Path) -> str:
    """The part of the package a file belongs to: its first folder, or its own name; "" is the package."""
    first = path.parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imported(tree: ast.AST) -> Iterator[str]:
    """Every part of regui that a file imports."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            module = str(node.module)
            # `from regui import oci` imports a part; `from regui import __version__` the package itself.
            names = [f"regui.{alias.name}" for alias in node.names] if module == "regui" else [module]
        for name in names:
            if name == "regui" or name.startswith("regui."):
                found = name.split(".")[1] if "." in name else ""
                yield found if found in MAY_IMPORT else ""


def parsed(path: Path) -> ast.Module:
    return ast.parse((PACKAGE / path).read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_part_imports_only_what_stands_left_of_it(path: Path) -> None:
    assert part(path) in MAY_IMPORT, f"{path}: say in this table whom it may import"
    allowed = MAY_IMPORT[part(path)] | {part(path)}
    assert set(imported(parsed(path))) <= allowed


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_stand_at_the_top(path: Path) -> None:
    tree = parsed(path)
    nested = [
        node.lineno
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert nested == []


def calls(tree: ast.AST) -> Iterator[ast.Attribute]:
    """What is called as `something.name(…)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func


@pytest.mark.parametrize("path", FILES, ids=str)
def test_only_run_writes_to_a_registry(path: Path) -> None:
    if not path.as_posix().startswith(WRITERS):
        assert [call.attr for call in calls(parsed(path)) if call.attr in WRITES] == []


@pytest.mark.parametrize("path", FILES, ids=str)
def test_only_connect_builds_a_client(path: Path) -> None:
    if not path.as_posix().startswith(CONNECTORS):
        built = [
            call.lineno
            for call in calls(parsed(path))
            if call.attr == "Client" and isinstance(call.value, ast.Name) and call.value.id == "oci"
        ]
        assert built == []


def test_oci_knows_nothing_of_django() -> None:
    for path in FILES:
        if part(path) == "oci":
            source = (PACKAGE / path).read_text(encoding="utf-8")
            assert "django" not in source.lower().replace("nothing of django", ""), path


def test_requests_does_not_leak_out_of_oci() -> None:
    for path in FILES:
        if part(path) != "oci":
            names = {
                alias.name
                for node in ast.walk(parsed(path))
                if isinstance(node, ast.Import)
                for alias in node.names
            }
            assert not names & {"requests", "urllib3"}, path


# What opens connections. `oci` sees to it that none leads to an address off limits, so it alone does.
NETWORK = re.compile(r"aiohttp|ftplib|http\.client|httpx|requests|smtplib|socket|urllib\.request|urllib3")
# Those who listen, or look for a port to listen on.
LISTENERS = {Path("bind.py"), Path("serve.py"), Path("demo/server.py")}


def test_only_oci_opens_connections() -> None:
    found = set()
    for path in FILES:
        for node in ast.walk(parsed(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            if part(path) != "oci" and any(NETWORK.fullmatch(name) for name in names):
                found.add(path)
    assert found == LISTENERS
