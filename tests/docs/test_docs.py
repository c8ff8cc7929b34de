"""What the pages in docs/ tell to write is written, and works as printed."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sslbench
from tests.forked import command

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
EXAMPLES = [page.stem for page in PAGES if page.stem.startswith("add-")]
EXAMPLE = ROOT / "docs" / "examples" / "sslbench-example"
END_OF_REGISTRY = '    },\n    "sslbench.'


def told(page: str) -> list[tuple[str, str]]:
    """The Python blocks of a page, each with the file that the text before it names last: plug-in, test, registry."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"`([\w/]+\.py)`:\n\n```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == text.count("```python") == 3, "a block says not which file it belongs to"
    return blocks


def python(place: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=place, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example package and its tests, and what pip installed of it."""
    place = tmp_path_factory.mktemp("example")
    shutil.copytree(EXAMPLE, place / "source", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    python(place, "pip", "install", "--quiet", *offline, "--target", str(place / "site"), str(place / "source"))
    return place


@pytest.fixture
def installed(example: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That folder, the package being installed for every Python that the test starts."""
    monkeypatch.setenv("PYTHONPATH", f"{example / 'site'}{os.pathsep}{ROOT}")
    return example


def small(place: Path) -> list[str]:
    """Options that keep a run below a folder."""
    return [f"--{option}={place / option}" for option in ("home", "data-root", "results")]


@pytest.mark.parametrize("page", EXAMPLES)
def test_what_a_page_tells_to_write_is_the_example_package(page: str) -> None:
    (source, code), (test, checks), _ = told(page)
    assert (EXAMPLE / source).read_text(encoding="utf-8") == code
    assert (EXAMPLE / test).read_text(encoding="utf-8") == checks
    entry = re.search(r"```toml\n(.*?)```", (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8"), re.DOTALL)
    assert entry is not None
    assert entry[1] in (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")


def test_the_plug_ins_of_the_pages_keep_their_contracts(installed: Path) -> None:
    tests = [f"source/{told(page)[1][0]}" for page in EXAMPLES]
    passed = python(installed, "pytest", "-v", "-W", "error", "-p", "no:cacheprovider", *tests)
    assert all(re.search(rf"{test}::.* PASSED", passed) for test in tests)


def test_a_suite_of_plug_ins_runs_in_a_process_of_its_own(installed: Path) -> None:
    some = ("--seed=0", "--fraction=1", "--pretext=blank_out", "--pretext=random_init", "--workers=1", "--device=cpu")
    output = python(installed, "sslbench", "run", "few_faces", *some, *small(installed))
    assert "failed" not in output
    assert len(re.findall(r"^\s*blank_out\s+\d+\.\d", output, re.MULTILINE)) == 2, output


def test_installed_plug_ins_are_listed_with_their_distribution(installed: Path) -> None:
    output = python(installed, "sslbench", "list")
    for kind in ("datasets", "encoders", "pretexts", "protocols"):
        assert f"{kind} of distribution sslbench-example 0.1" in output
    for name in ("faces", "patchwork", "blank_out", "nearest_mean", "few_faces"):
        assert re.search(rf"^ {name} +[A-Z]", output, re.MULTILINE), name


def test_tables_say_whose_plug_ins_computed_them(installed: Path) -> None:
    ask = "from sslbench.publishing.publish import offered_by; from sslbench.sweep import suites; "
    ask += "print([offered_by(suites.load(name)) for name in ('few_faces', 'quick')])"
    done = subprocess.run([sys.executable, "-c", ask], cwd=installed, capture_output=True, text=True, timeout=100)
    assert done.stdout == "[{'plug_ins_of': 'distribution sslbench-example 0.1'}, {}]\n", done.stderr


def test_the_command_of_the_page_on_pretexts_runs_a_file_that_is_no_package(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "add-a-pretext.md").read_text(encoding="utf-8")
    line = re.search(r"```sh\nsslbench (.*)\n```", text)
    decorator = re.search(r"`(@PRETEXTS\.register.*?)` above the class, and `(--plugin .*?)`", text.replace("\n", " "))
    assert line is not None
    assert decorator is not None
    code = told("add-a-pretext")[0][1].replace("class BlankOut(", f"{decorator[1]}\nclass BlankOut(")
    name = decorator[2].split()[1]
    (tmp_path / name).write_text(
        code.replace("from sslbench.pretexts import Picture", "from sslbench.pretexts import PRETEXTS, Picture")
    )
    # Digits and one seed instead of Fashion-MNIST and three: the same path in seconds.
    digits = ["--dataset=digits", "--seed=0", *decorator[2].split(), *small(tmp_path)]
    output = command(*line[1].split(), *digits, place=tmp_path).ends()
    assert re.search(r"^\s*blank_out\s+\d+\.\d", output, re.MULTILINE), output


def test_a_line_takes_a_plug_in_into_sslbench_itself(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "sslbench", tmp_path / "sslbench", ignore=shutil.ignore_patterns("__pycache__"))
    asks, things = [], []
    for page in EXAMPLES:
        (_, code), _, (registry, line) = told(page)
        name, module, thing = re.fullmatch(r' {8}"(\w+)": "([\w.]+):(\w+)",\n', line).groups()
        (tmp_path / module.replace(".", "/")).with_suffix(".py").write_text(code, encoding="utf-8")
        entries = (tmp_path / registry).read_text(encoding="utf-8")
        assert entries.count(END_OF_REGISTRY) == 1
        (tmp_path / registry).write_text(entries.replace(END_OF_REGISTRY, line + END_OF_REGISTRY), encoding="utf-8")
        family = registry.split("/")[1]
        asks.append(f"from sslbench.{family} import {family.upper()} as known; print(known.get({name!r}).__name__)")
        things.append(thing)
    ask = "\n".join(asks)
    done = subprocess.run([sys.executable, "-c", ask], cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.stdout.split() == things, done.stderr


def test_scores_are_sent_in_as_the_page_says(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "submit.md").read_text(encoding="utf-8")
    (code,), (whose,), commands = (
        re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL) for kind in ("python", "toml", "sh")
    )
    place = tmp_path / "results" / "community"
    place.mkdir(parents=True)
    (place / "flat.py").write_text(code, encoding="utf-8")
    (place / "flat.toml").write_text(whose, encoding="utf-8")
    told = []
    for line in "".join(commands).splitlines():
        program, *arguments = line.split()
        assert program == "sslbench"
        told.append(command(*arguments, place=tmp_path).ends())
    assert "10 rows run again: 10 inside, 0 outside their interval" in told[-1]
    command("leaderboard", place=tmp_path).ends()
    assert "Pixels that differ, by Ada Lovelace" in (tmp_path / "results" / "leaderboard.html").read_text(
        encoding="utf-8"
    )


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
        assert "//" in target or (page.parent / target).exists(), target
    new = {file for file, _ in (told(page.stem) if page.stem in EXAMPLES else [])}
    for file in re.findall(r"`((?:sslbench|tests|benchmarks)/[\w/.]+)`", text):
        assert file in new or (ROOT / file).exists(), file


@pytest.mark.parametrize("page", EXAMPLES)
def test_code_in_pages_is_typed(page: str) -> None:
    source = told(page)[0][1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            assert node.returns is not None, node.name
