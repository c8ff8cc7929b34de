"""The site of the documentation: the tutorial runs, every page can be reached, every name and task is shown."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

from sslbench import datasets, encoders, modalities, pretexts, protocols
from sslbench.contract.spec import BASELINES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SITE = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
FACES = (datasets, encoders, modalities, pretexts, protocols)


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    """What the site is built with."""
    found = importlib.util.spec_from_file_location("hooks", ROOT / SITE["hooks"][0])
    assert found is not None
    module = importlib.util.module_from_spec(found)
    assert found.loader is not None
    found.loader.exec_module(module)
    return module


def named(entry: Any) -> list[str]:
    """The pages below an entry of the navigation."""
    if isinstance(entry, str):
        return [entry]
    return [page for below in (entry.values() if isinstance(entry, dict) else entry) for page in named(below)]


def test_every_page_is_in_the_navigation_once_and_there_is_no_other() -> None:
    pages = [page.name for page in DOCS.glob("*.md")]
    elsewhere = ["CONTRIBUTING.md", "CHANGELOG.md", "results/README.md"]
    assert all((ROOT / page).exists() for page in elsewhere)
    assert sorted(named(SITE["nav"])) == sorted([*pages, *elsewhere, "tutorial.md"])


def test_the_tutorial_runs_and_answers(tmp_path: Path) -> None:
    notebook = nbformat.read(DOCS / "tutorial.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are made when the site is"
    notebook.cells.append(nbformat.v4.new_code_cell("print('falls', sum(losses[-20:]) < sum(losses[:20]) / 2)"))
    NotebookClient(notebook, timeout=None, resources={"metadata": {"path": str(tmp_path)}}).execute()
    told = [str(output) for cell in notebook.cells for output in cell.get("outputs", ())]
    assert sum("image/png" in output for output in told) == 2
    assert sum("of the labels" in output and "training from scratch" in output for output in told) == 2
    assert sum("p_holm" in output for output in told) == 1
    assert sum("torch.Size([3, 32])" in output for output in told) == 1, "the encoder of a run"
    assert "falls True" in told[-1], "the loss by hand"


def test_links_of_the_tutorial_lead_to_pages() -> None:
    cells = nbformat.read(DOCS / "tutorial.ipynb", as_version=4).cells
    targets = [found for cell in cells for found in re.findall(r"\]\(([^)#]+)\)", cell.source)]
    assert len(targets) > 3
    assert all((DOCS / target).exists() for target in targets)


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.__name__)
def test_what_a_family_hands_on_is_there_and_in_the_reference(face: ModuleType) -> None:
    page = (DOCS / "api-plugins.md").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^`from {face.__name__} import (.*)`$", page, re.MULTILINE)
    for name in line.split(", "):
        assert getattr(face, name).__name__ == name
        assert f"::: {face.__name__}.{name}\n" in page
        assert name in dir(face)


def test_names_that_a_family_lacks_are_no_attributes() -> None:
    with pytest.raises(AttributeError, match=r"module 'sslbench\.pretexts' has no attribute 'Nothing'"):
        pretexts.__getattr__("Nothing")


def test_the_gallery_shows_every_task_with_a_picture_that_exists(hooks: ModuleType) -> None:
    cards = "\n".join(hooks.gallery()).split("### ")[1:]
    shown = {re.search(r"\{ #(\w+) \}", card)[1]: re.findall(r"\]\(([^)]*\.png)\)", card) for card in cards}
    own = [name for name in pretexts.PRETEXTS if pretexts.PRETEXTS.module(name).startswith("sslbench.")]
    assert set(shown) == set(own) - set(BASELINES)
    for name, pictures in shown.items():
        assert pictures, name
        assert all((ROOT / picture).exists() or (DOCS / picture).exists() for picture in pictures), name
