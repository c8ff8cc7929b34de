"""A file of plug-ins reaches every process that needs it, and suites of other packages are found by name."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from sslbench.contract import outside
from sslbench.contract.spec import InputError
from sslbench.sweep import suites
from tests.forked import command

PLUG_IN = '''"""A task that is nothing but another name."""
from sslbench.pretexts import PRETEXTS
from sslbench.pretexts.images.rotation import Rotation

@PRETEXTS.register("turning", version=2)
class Turning(Rotation):
    """Rotation by another name."""
'''
SUITE = '''"""A small sweep with a task from elsewhere."""
from sslbench.contract.spec import Suite

SUITE = Suite(
    name="elsewhere", datasets=("digits",), encoders=("conv",), pretexts=("random_init", "turning"), latent_dims=(8,),
    seeds=(0,), epochs=0.2, label_fractions=(1.0,), protocols=("knn",),
)
'''


def call(place: Path, *arguments: str) -> str:
    return command(*arguments, "--data-root=data", "--plugin=turning.py", place=place).ends()


def test_a_file_of_plug_ins_is_loaded_wherever_its_names_are_needed(tmp_path: Path) -> None:
    (tmp_path / "turning.py").write_text(PLUG_IN)
    (tmp_path / "elsewhere.py").write_text(SUITE)
    call(tmp_path, "run", "elsewhere.py", "--workers=2", "--device=cpu", "--home=home")
    records = "home/results/elsewhere/records.csv"
    assert "turning" in (tmp_path / records).read_text()
    line = ["reproduce", records, "--suite=elsewhere.py", "--workers=2", "--device=cpu", "--data-root=data"]
    line = [sys.executable, "-m", "sslbench", *line, "--plugin=turning.py"]  # joblib does not go with copies
    again = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert "2 rows run again: 2 inside" in again.stdout, again.stderr
    assert "written" in call(tmp_path, "report", "elsewhere.py", "--home=home")
    tuned = call(tmp_path, "tune", "elsewhere.py", "--pretext=turning", "--fraction=0.1", "--dry-run", "--home=home")
    assert "turning: 0 of 20 trials done" in tuned


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages, one of which offers suites: one by a name of its own, two by none that serves."""
    entries = ("far_away = far.away:SUITE", "quick = far.away:SUITE", "gone = far.gone:SUITE")
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "away.py").write_text(SUITE)
    info = tmp_path / "far-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: far\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("\n".join(["[sslbench.suites]", *entries, ""]))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(outside, "_entries", importlib.metadata.entry_points)
    return tmp_path


def test_a_suite_of_another_package_is_found_and_read_without_being_imported(site: Path) -> None:
    assert suites.find("far_away") == site / "far" / "away.py"
    assert suites.told("far_away").summary == "A small sweep with a task from elsewhere."
    assert "far.away" not in sys.modules
    assert suites.load("far_away").name == "elsewhere"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("quick", "distribution far 0.1: suite 'quick' has the name of one of sslbench's own"),
        ("gone", "suite 'gone': distribution far 0.1 has no module far.gone"),
    ],
)
def test_a_suite_that_cannot_be_had_names_its_distribution(site: Path, name: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        suites.load(name)
    assert str(caught.value).startswith(message)
    assert suites.told(name).summary == f"(cannot be used: {caught.value})"
