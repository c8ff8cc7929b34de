"""The contracts can be inherited anywhere, and say what they lack."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PLUG_INS = """
import torch
from sslbench.contract.spec import ProtocolConfig
from sslbench.protocols import PROTOCOLS
from sslbench.protocols._base import FrozenProtocol, Prediction
from sslbench.testing import ProtocolContract


@PROTOCOLS.register("first_class")
class FirstClass(FrozenProtocol):
    def predict(self, features, labels, test_features, num_classes, seed):
        return Prediction(torch.zeros(len(test_features), dtype=torch.long), 0.5)


class TestMine(ProtocolContract):
    names = ("first_class",)


@PROTOCOLS.register("no_class")
class NoClass(FrozenProtocol):
    def predict(self, features, labels, test_features, num_classes, seed):
        return Prediction(torch.full((len(test_features),), num_classes), 0.5)


class TestBroken(ProtocolContract):
    names = ("no_class",)
"""


def test_one_line_holds_a_plug_in_to_its_contract_and_a_broken_promise_shows_what_was_compared(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(PLUG_INS)
    command = [sys.executable, "-m", "pytest", "-v", "test_mine.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == 1, done.stdout + done.stderr
    kept = re.findall(r"::TestMine::.* (PASSED|FAILED)", done.stdout)
    assert kept
    assert set(kept) == {"PASSED"}, done.stdout
    assert "assert 3 < 3" in done.stdout


def test_without_pytest_it_says_so() -> None:
    code = "import sys; sys.modules['pytest'] = None; import sslbench.testing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert "sslbench.testing needs pytest; install it with: pip install pytest" in done.stderr
