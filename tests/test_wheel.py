"""The wheel: built, installed where no checkout is near, and served from there."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.serving import serving

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built with what the lock pins."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a venv that has the wheel, and borrows what regui needs, but not regui, from ours."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    site = Path(output(python, "import sysconfig; print(sysconfig.get_path('purelib'))", home))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # After its own site-packages, so that the wheel's regui comes first; our editable one hooks in by a .pth
    # file, which isn't read from a folder added this way.
    (site / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return python


def output(python: Path, program: str, folder: Path) -> str:
    """What a program prints, run in that folder."""
    done = subprocess.run([python, "-c", program], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_wheel_holds_templates_and_static_files_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for folder in ("templates", "static"):
        beside = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert {f"regui/{path}" for path in beside} <= set(names)
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"regui"}
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_it_serves_from_a_clean_venv(clean: Path, tmp_path: Path) -> None:
    assert output(clean, "import regui; print(regui.__file__)", tmp_path).startswith(str(clean.parent.parent))
    with serving(tmp_path / "data", program=(str(clean), "-m", "regui"), cwd=tmp_path) as site:
        assert site.get("/healthz").text == "ok\n"
        page = site.get("/")
        assert page.status == 200
        (sheet, *_) = [part.split('"')[0] for part in page.text.split('<link rel="stylesheet" href="')[1:]]
        answer = site.get(sheet)
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/css")
