"""The job that docs/in-use.md offers for Kubernetes is what it says, and its script does what it should."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

DOCS = Path(__file__).parent.parent / "docs" / "in-use.md"
MANIFEST = re.compile(r"```yaml\n(.*?)```", re.DOTALL)

KUBECTL = """#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
[ -z "$BROKEN" ] || exit 1
printf 'registry.example/team/app:1.0\\n\\nregistry.example/team/web:2.0\\nregistry.example/team/app:1.0\\n'
"""
CURL = """#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
cat > "$SENT"
"""


def documents() -> dict[str, Any]:
    (text,) = MANIFEST.findall(DOCS.read_text())
    return {one["kind"]: one for one in yaml.safe_load_all(text)}


def container() -> dict[str, Any]:
    pod = documents()["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (found,) = pod["containers"]
    return dict(found)


def run(folder: Path, broken: str = "") -> subprocess.CompletedProcess[str]:
    """The container's script, with a kubectl and a curl that write down what they are asked."""
    for name, text in (("kubectl", KUBECTL), ("curl", CURL)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    given = {"REGUI_URL": "https://regui.example", "SOURCE_NAME": "prod", "REGUI_TOKEN": "regui_x"}
    paths = {"PATH": f"{folder}:/usr/bin:/bin", "CALLS": f"{folder}/calls", "SENT": f"{folder}/sent"}
    command = [*container()["command"], *container()["args"]]
    return subprocess.run(
        command,
        env={**given, **paths, "BROKEN": broken},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_the_job_may_list_pods_and_nothing_else_and_has_its_token_from_a_secret() -> None:
    found = documents()
    assert list(found) == ["ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Secret", "CronJob"]
    assert found["ClusterRole"]["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    job, name = found["CronJob"], found["ServiceAccount"]["metadata"]["name"]
    assert job["spec"]["schedule"] == "*/10 * * * *"
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == name == found["ClusterRoleBinding"]["subjects"][0]["name"]
    assert found["ClusterRoleBinding"]["roleRef"]["name"] == found["ClusterRole"]["metadata"]["name"]
    (token,) = [one for one in container()["env"] if one["name"] == "REGUI_TOKEN"]
    secret = token["valueFrom"]["secretKeyRef"]
    assert secret["name"] == found["Secret"]["metadata"]["name"]
    assert secret["key"] in found["Secret"]["stringData"]


def test_its_script_sends_each_image_once(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    sent = json.loads((tmp_path / "sent").read_text())
    images = ["registry.example/team/app:1.0", "registry.example/team/web:2.0"]
    assert sent == {"ttl": "1h", "images": images}
    asked, told = (tmp_path / "calls").read_text().splitlines()
    assert asked.startswith("get pods -A -o jsonpath=")
    assert "initContainers" in asked
    assert "imageID" in asked
    assert "-X PUT https://regui.example/api/v1/in-use/prod" in told
    assert "Authorization: Bearer regui_x" in told


def test_a_list_that_could_not_be_had_is_not_told_as_an_empty_one(tmp_path: Path) -> None:
    done = run(tmp_path, "yes")
    assert done.returncode != 0
    assert not (tmp_path / "sent").exists()
