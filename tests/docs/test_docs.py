"""What the pages in docs/ tell to write is written, and works as printed."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sslbench

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
EXAMPLES = [page.stem for page in PAGES if page.stem.startswith("add-")]
END_OF_REGISTRY = "    },\n)"


def told(page: str) -> list[tuple[str, str]]:
    """The Python blocks of a page, each with the file that the text before it names last."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"`([\w/]+\.py)`:\n\n```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == text.count("```python"), "a block says not which file it belongs to"
    return blocks


def follow(page: str, place: Path) -> Path:
    """Do in a copy of the package what a page tells; returns the test file."""
    shutil.copytree(ROOT / "sslbench", place / "sslbench", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "benchmarks", place / "benchmarks", ignore=shutil.ignore_patterns("__pycache__", "perf*"))
    (source, _), (registry, line), (test, _) = blocks = told(page)
    assert not (place / source).exists()
    assert line.count("\n") == 1
    for file, code in blocks:
        path = place / file
        if file == registry:
            entries = path.read_text(encoding="utf-8")
            assert entries.count(END_OF_REGISTRY) == 1
            code = entries.replace(END_OF_REGISTRY, line + END_OF_REGISTRY)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    return place / test


def python(place: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=place, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("page", EXAMPLES)
def test_the_plug_in_of_a_page_keeps_its_contract(page: str, tmp_path: Path) -> None:
    test = follow(page, tmp_path)
    assert " passed" in python(tmp_path, "pytest", "-q", "-W", "error", str(test))
    python(ROOT, "ruff", "check", "--config", "pyproject.toml", str(tmp_path / told(page)[0][0]))


def test_the_command_of_the_page_on_pretexts_prints_its_row(tmp_path: Path) -> None:
    follow("add-a-pretext", tmp_path)
    text = (ROOT / "docs" / "add-a-pretext.md").read_text(encoding="utf-8")
    command = re.search(r"```sh\nsslbench (.*)\n```", text)
    assert command is not None
    # Digits and one seed instead of Fashion-MNIST and three: the same path in seconds.
    small = ["--dataset", "digits", "--seed", "0", "--home", "home", "--data-root", "data", "--results", "results"]
    output = python(tmp_path, "sslbench", *command[1].split(), *small)
    assert re.search(r"^\s*blank_out\s+\d+\.\d", output, re.MULTILINE), output


def test_there_is_a_page_for_every_family() -> None:
    assert EXAMPLES == ["add-a-dataset", "add-a-pretext", "add-a-protocol", "add-an-encoder"]


def test_the_tree_has_every_room_and_no_other() -> None:
    tree = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("```")[1]
    rooms = {path.parent.name for path in Path(sslbench.__file__).parent.glob("*/__init__.py")}
    assert set(re.findall(r"^  (\w+)/", tree, re.MULTILINE)) == rooms


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_that_pages_name_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (page.parent / target).exists(), target
    new = {file for file, _ in (told(page.stem) if page.stem in EXAMPLES else [])}
    for file in re.findall(r"`((?:sslbench|tests|benchmarks)/[\w/.]+)`", text):
        assert file in new or (ROOT / file).exists(), file


@pytest.mark.parametrize("page", EXAMPLES)
def test_code_in_pages_is_typed(page: str) -> None:
    source = told(page)[0][1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            assert node.returns is not None, node.name
