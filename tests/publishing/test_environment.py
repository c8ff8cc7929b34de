"""What a report says about its machine, and what it must not import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

import sslbench.report
from sslbench.publishing.environment import environment


def test_the_environment_names_versions_but_neither_host_nor_user_nor_path():
    found = environment()
    packages = found["packages"]
    assert isinstance(packages, dict)
    text = json.dumps(found)
    assert packages["pandas"] == pd.__version__
    asked = "date git_commit python system release machine processor cpu_count memory_gib packages"
    assert set(found) == set(asked.split())
    assert "/" not in text.replace(str(found["processor"]), "")
    assert str(Path.home()) not in text


def test_reports_need_neither_torch_nor_mlflow():
    folder = Path(sslbench.report.__file__).parent
    modules = sorted(f"sslbench.report.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__")
    code = f"import sys, {', '.join(modules)}; print([n for n in ('torch', 'mlflow') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
