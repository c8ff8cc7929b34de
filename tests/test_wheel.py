"""What pip installs works away from the checkout, suites included."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import sslbench as sb

ROOT = Path(__file__).parents[1]
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
OFFLINE = ("--no-deps", "--no-index")


def call(place: Path, *command: str) -> str:
    """What a command prints that knows nothing of this checkout."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the package is built from: building leaves files behind."""
    place = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, place / name)
    for name in ("sslbench", "benchmarks", "results"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "pictures"))
    return place


@pytest.fixture(scope="module")
def wheel(source: Path) -> Path:
    call(source, *PIP, "wheel", *OFFLINE, "--no-build-isolation", "--wheel-dir", "dist", ".")
    (built,) = (source / "dist").iterdir()
    return built


def install(place: Path, wheel: Path) -> str:
    """The command of an environment of its own that has this wheel, and our environment's packages to depend on."""
    venv.create(place, symlinks=True)
    call(place, *PIP[:3], "--python", str(place / "bin" / "python"), *PIP[3:], "install", *OFFLINE, str(wheel))
    (packages,) = (place / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()))
    return str(place / "bin" / "sslbench")


def test_the_wheel_has_every_suite_and_nothing_beside_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"sslbench"}
    suites = {*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "benchmarks").glob("settings/*.json")}
    shipped = {name.removeprefix("sslbench/benchmarks/") for name in names if name.startswith("sslbench/benchmarks/")}
    assert shipped == {path.relative_to(ROOT / "benchmarks").as_posix() for path in suites}
    numbers = {"sslbench/" + path.relative_to(ROOT).as_posix() for path in (ROOT / "results").glob("*/records.csv")}
    assert numbers <= set(names)
    assert not [name for name in names if name.startswith("sslbench/results/") and name.endswith((".html", ".png"))]
    package = {path.relative_to(ROOT).as_posix() for path in (ROOT / "sslbench").rglob("*.*")}
    assert {name for name in package if "__pycache__" not in name} <= set(names)


def test_the_installed_wheel_lists_and_plans_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    command = install(tmp_path / "environment", wheel)
    away = tmp_path / "away"
    away.mkdir()
    listed = call(away, command, "list")
    for name in ("quick", "transfer", "simclr", "digits"):
        assert f"\n {name} " in listed
    places = ("--home=home", "--data-root=data")
    planned = call(away, command, "run", "quick", "--dry-run", *places)  # its dataset would have to be downloaded
    assert "pretrainings and 0 of" in planned
    assert "missing" in planned
    assert planned.partition("missing")[2].startswith(" everything")
    tuned = call(away, command, "run", "quick_tuned", "--dry-run", "--dataset=digits", "--seed=0", *places)
    assert "missing" in tuned
    assert not (away / "results").exists()


def test_the_installed_wheel_knows_the_published_tables(wheel: Path, tmp_path: Path) -> None:
    python = Path(install(tmp_path / "environment", wheel)).with_name("python")
    asked = "import sslbench as sb; print(len(sb.records('digits')), sb.findings('digits')[0])"
    told = call(tmp_path, str(python), "-c", asked)
    assert told.split()[0] == str(len(sb.records(ROOT / "results" / "digits")))
    assert "training from scratch" in told


def test_an_editable_installation_finds_the_suites_of_its_checkout(source: Path, tmp_path: Path) -> None:
    build = "import sys; from setuptools.build_meta import build_editable; build_editable(sys.argv[1])"
    call(source, sys.executable, "-c", build, str(tmp_path))  # as pip does it
    (editable,) = tmp_path.glob("*.whl")
    command = install(tmp_path / "environment", editable)
    (source / "benchmarks" / "newest.py").write_text('"""Written a moment ago."""\n')
    assert "Written a moment ago." in call(tmp_path, command, "list", "suites")
