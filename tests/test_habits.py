"""What people who join find at the top of the repository is true."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import sslbench

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def commands(*targets: str) -> list[str]:
    """What make would run for these targets once the environment is set up."""
    done = subprocess.run(["make", "-n", *targets], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return [line for line in done.stdout.splitlines() if line.startswith(".venv/bin/") and " pip " not in line]


def test_the_citation_names_this_version_and_licence() -> None:
    citation = read("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)  # what the format demands
    assert citation["version"] == sslbench.__version__
    assert citation["license"] == PROJECT["license"]
    assert all({"name"} == set(author) or "family-names" in author for author in citation["authors"])


def test_ci_runs_what_a_person_runs() -> None:
    (job,) = read(".github/workflows/check.yml")["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make check", "make docs"]
    (version,) = [step["with"]["python-version"] for step in job["steps"] if "python-version" in step.get("with", {})]
    assert f"with Python {version} " in (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_the_hooks_of_git_together_are_make_check() -> None:
    hooks = [hook for repository in read(".pre-commit-config.yaml")["repos"] for hook in repository["hooks"]]
    assert {stage for hook in hooks for stage in hook["stages"]} == {"pre-commit", "pre-push"}
    run = [line for hook in hooks for line in commands(*hook["entry"].removeprefix("make ").split())]
    assert run == commands("check")
    assert len(run) == 4


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", ".github/workflows/check.yml"])
def test_targets_of_make_that_are_named_exist(name: str) -> None:
    named = re.findall(r"(?:`|^|run: )make ([a-z-]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert named
    assert set(named) <= set(targets)


def test_the_image_is_made_of_what_there_is_and_runs_the_quick_suite() -> None:
    lines = [shlex.split(line) for line in DOCKERFILE.splitlines()]
    copied = [name for line in lines if line[:1] == ["COPY"] for name in line[1:-1]]
    assert "benchmarks" in copied
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignored, name
    last = {line.split()[0]: line.partition(" ")[2] for line in DOCKERFILE.splitlines() if line[:1].isalpha()}
    assert json.loads(last["ENTRYPOINT"]) + json.loads(last["CMD"]) == ["sslbench", "run", "quick"]
    assert (ROOT / "benchmarks" / "quick.py").exists()


def test_links_of_contributing_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        assert target.startswith("https:") or (ROOT / target).exists(), target
