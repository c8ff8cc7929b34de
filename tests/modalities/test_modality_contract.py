"""What every modality promises, of our own and of somebody else's, with the plug-ins that go with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sslbench.modalities import MODALITIES
from sslbench.testing import ModalityContract


class TestRegistered(ModalityContract):
    names = tuple(MODALITIES)


def test_a_foreign_modality_and_its_plug_ins_keep_the_same_contracts() -> None:
    # In a process of its own: what the file registers would be there for every other test, too.
    path = Path(__file__).with_name("vectors_contracts.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", str(path)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
