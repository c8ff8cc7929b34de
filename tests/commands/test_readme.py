"""The README shows what was published, and its example works as printed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sslbench.contract.spec import InputError
from sslbench.report.readme import SENTENCES, refreshed

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_findings_and_tables_are_the_published_ones() -> None:
    assert README.count("<!-- findings of quick -->") == 1
    assert README.count("<!-- table of quick:") == 1
    assert refreshed(README, ROOT / "results") == README


def test_passages_between_marks_are_written_anew_and_nothing_else() -> None:
    text = "before\n<!-- findings of quick -->\nstale\n<!-- end -->\nafter\n"
    fresh = refreshed(text, ROOT / "results")
    assert fresh.startswith("before\n<!-- findings of quick -->\n\n- ")
    assert fresh.endswith("\n\n<!-- end -->\nafter\n")
    assert fresh.count("\n- ") == SENTENCES
    assert "stale" not in fresh


def test_a_mark_that_names_no_table_lists_the_tables() -> None:
    with pytest.raises(InputError, match=r"choose one of .*linear_probe, latent size 128"):
        refreshed("<!-- table of quick: latent size 7 -->\n<!-- end -->", ROOT / "results")


def test_files_it_links_to_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target


def steps() -> dict[str, str]:
    """What the README tells to write in its four steps: file name, source, the line to add, the command to run."""
    section = README[README.index("## Add a pretext in four steps") :]
    name = re.search(r"\*\*Write it\.\*\* `([^`]+)`", section)
    blocks = re.findall(r"   ```(python|sh)\n(.*?)   ```", section, re.DOTALL)
    assert name is not None
    assert [kind for kind, _ in blocks[:3]] == ["python", "python", "sh"]
    source, line, command = (re.sub(r"^   ", "", text, flags=re.MULTILINE) for _, text in blocks[:3])
    return {"file": name[1], "source": source, "line": line, "command": command}


def test_the_four_steps_add_a_pretext_that_runs(tmp_path: Path) -> None:
    told = steps()
    for folder in ("sslbench", "benchmarks"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "performance"))
    (tmp_path / told["file"]).write_text(told["source"])
    registry = tmp_path / "sslbench" / "pretexts" / "__init__.py"
    entries = registry.read_text()
    assert entries.count("    },\n)") == 1
    registry.write_text(entries.replace("    },\n)", f"{told['line']}    }},\n)"))

    program, *arguments = told["command"].split()
    assert program == ".venv/bin/sslbench"
    # Digits and one seed instead of Fashion-MNIST and three: the same path in seconds.
    small = ["--dataset", "digits", "--seed", "0", "--home", "home", "--data-root", "data", "--results", "results"]
    done = subprocess.run(
        [sys.executable, "-m", "sslbench", *arguments, *small],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\s*blank_out\s+\d+\.\d", done.stdout, re.MULTILINE), done.stdout
