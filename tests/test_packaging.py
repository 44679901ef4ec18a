"""The files around the package: what Docker and make are told is there."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def copied() -> list[str]:
    """What the Dockerfile copies from the checkout."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return [source.rstrip("/") for line in lines for source in line.split()[:-1]]


def test_the_dockerfile_copies_what_there_is() -> None:
    assert {"regui", "templates", "static", "requirements.lock"} <= set(copied())
    assert [source for source in copied() if not (ROOT / source).exists()] == []


def test_dockerignore_lets_through_what_is_copied() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == set(copied())


def test_the_wheel_in_the_image_finds_the_files_it_is_made_of() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], PROJECT["project"]["readme"]}
    assert needed | set(PROJECT["project"]["license-files"]) <= set(copied())


def test_the_container_does_not_run_as_root() -> None:
    last_stage = DOCKERFILE[DOCKERFILE.rindex("FROM ") :]
    assert re.search(r"^USER (?!root|0)\w+$", last_stage, re.MULTILINE)
    assert last_stage.index("USER regui") < last_stage.index('CMD ["regui"]')


def test_the_health_check_is_python_that_compiles() -> None:
    command = re.search(r'CMD \["python", "-c", "(.+)"\]', DOCKERFILE)
    assert command is not None
    ast.parse(command[1])
    assert "/readyz" in command[1]


def test_compose_runs_a_registry_that_deletes_and_regui_on_it() -> None:
    registry, regui = COMPOSE["services"]["registry"], COMPOSE["services"]["regui"]
    assert registry["image"] == "registry:3"
    assert registry["environment"]["REGISTRY_STORAGE_DELETE_ENABLED"] == "true"
    assert regui["environment"]["REGUI_REGISTRY_URL"] == "http://registry:5000"
    assert regui["depends_on"]["registry"]["condition"] == "service_healthy"
    assert "healthcheck" in registry


def test_compose_publishes_to_this_machine_only() -> None:
    for service in COMPOSE["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_compose_keeps_what_matters_in_volumes() -> None:
    used = {volume.partition(":")[0] for part in COMPOSE["services"].values() for volume in part["volumes"]}
    assert used == set(COMPOSE["volumes"])


def test_the_locks_name_every_dependency_with_hashes_and_no_address() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        lock = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in lock
        blocks = re.findall(r"^[a-z0-9][^\n]*\\\n(?:    --hash=[^\n]*\n)+", lock, re.MULTILINE)
        assert len(blocks) == len(re.findall(r"^[a-z0-9]", lock, re.MULTILINE))
    runtime = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for dependency in PROJECT["project"]["dependencies"]:
        package = re.split(r"[<>=\[]", dependency)[0]
        assert re.search(rf"^{re.escape(package)}==", runtime, re.MULTILINE), package


def test_both_locks_agree() -> None:
    def pins(name: str) -> dict[str, str]:
        lock = (ROOT / name).read_text(encoding="utf-8")
        return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", lock, re.MULTILINE))

    tests, runtime = pins("requirements-dev.lock"), pins("requirements.lock")
    assert {name: runtime[name] for name in runtime.keys() & tests.keys()} == {
        name: tests[name] for name in runtime.keys() & tests.keys()
    }


def test_make_help_lists_the_targets() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("run", "test", "test-long", "install", "lint", "fix", "lock", "help"):
        assert re.search(rf"^  make {target} +\w", done.stdout, re.MULTILINE), target


def test_make_run_serves_the_registry_that_is_named_or_the_demo() -> None:
    def last(**environment: str) -> str:
        done = subprocess.run(
            ["make", "-n", "run"],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip().splitlines()[-1]

    assert last().endswith("regui demo")
    assert last(REGUI_REGISTRY_URL="http://r").endswith("regui")
    assert last(REGUI_REGISTRIES="a b").endswith("regui")


def test_continuous_integration_runs_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "make test" in script.read_text(encoding="utf-8")
