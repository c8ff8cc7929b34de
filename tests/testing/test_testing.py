"""The contracts can be inherited anywhere, and say what they lack."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PLUG_IN = """
import torch
from sslbench.contract.spec import ProtocolConfig
from sslbench.protocols import PROTOCOLS
from sslbench.protocols._base import FrozenProtocol, Prediction
from sslbench.testing import ProtocolContract


@PROTOCOLS.register("first_class")
class FirstClass(FrozenProtocol):
    def predict(self, features, labels, test_features, num_classes, seed):
        return Prediction(torch.full((len(test_features),), ANSWER), 0.5)


class TestMine(ProtocolContract):
    names = ("first_class",)
"""


def run(code: str, place: Path) -> subprocess.CompletedProcess[str]:
    (place / "test_mine.py").write_text(code)
    command = [sys.executable, "-m", "pytest", "-q", "test_mine.py"]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=200)


def test_one_line_holds_a_plug_in_to_its_contract(tmp_path: Path) -> None:
    done = run(PLUG_IN.replace("ANSWER", "0"), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_a_broken_promise_fails_and_shows_what_was_compared(tmp_path: Path) -> None:
    done = run(PLUG_IN.replace("ANSWER", "num_classes"), tmp_path)
    assert done.returncode == 1
    assert "assert 3 < 3" in done.stdout


def test_without_pytest_it_says_so() -> None:
    code = "import sys; sys.modules['pytest'] = None; import sslbench.testing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert "sslbench.testing needs pytest; install it with: pip install pytest" in done.stderr
