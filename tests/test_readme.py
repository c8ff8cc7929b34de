"""The README shows what was published, and its example works as printed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import torch

from sslbench.encoders import ENCODERS
from sslbench.spec import InputSpec, PretextConfig

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_is_the_published_one() -> None:
    match = re.search(r"<!-- quick table.*?-->\n(.*?)<!-- end -->", README, re.DOTALL)
    assert match is not None
    shown = match[1].strip()
    assert shown.count("\n") > 5
    assert shown in (ROOT / "results" / "quick" / "table.md").read_text(encoding="utf-8")


def test_files_it_links_to_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_the_example_pretext_trains(tmp_path: Path) -> None:
    source = re.search(r"   ```python\n(   \"\"\"Guess.*?)   ```", README, re.DOTALL)
    assert source is not None
    code = "\n".join(line.removeprefix("   ") for line in source[1].splitlines())
    (tmp_path / "blank_out.py").write_text(code)
    sys.path.insert(0, str(tmp_path))
    try:
        from blank_out import BlankOut
    finally:
        sys.path.remove(str(tmp_path))
    spec = InputSpec("image", (1, 28, 28))
    task = BlankOut(ENCODERS.get("conv")(spec, 8), PretextConfig(), spec)
    inputs = torch.rand(8, 1, 28, 28)
    optimizer = torch.optim.Adam(task.parameters(), 1e-2)
    losses = []
    for _ in range(10):
        loss = task(inputs)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
