"""The rooms of the house: imports point down, plug-ins know neither each other nor the engine.

Everything is read from the folders: a new room fails until it has its line in `BELOW`.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sslbench

PACKAGE = Path(sslbench.__file__).parent

#: What each room may import besides itself and `sslbench.__version__`.
BELOW = {
    "contract": set(),
    "numerics": {"contract"},
    "modalities": {"contract"},
    "datasets": {"contract", "modalities"},
    "encoders": {"contract", "numerics", "modalities"},
    "pretexts": {"contract", "numerics", "modalities", "encoders"},
    "protocols": {"contract", "numerics", "modalities", "encoders"},
    "engine": {"contract", "numerics", "modalities", "datasets", "encoders", "pretexts", "protocols"},
    "stores": {"contract"},
}
BELOW["sweep"] = BELOW["engine"] | {"engine", "stores"}
BELOW["tuning"] = BELOW["sweep"] | {"sweep"}
BELOW["report"] = {"contract"}
BELOW["publishing"] = BELOW["sweep"] | {"sweep", "report"}
BELOW["testing"] = BELOW["publishing"] | {"publishing", "tuning"}
BELOW["api"] = BELOW["publishing"] | {"publishing"}
BELOW["commands"] = BELOW["api"] | {"api", "tuning"}

#: The same inside the report: who may import whom.
REPORT = {"records": set[str]()}
REPORT["attachments"] = {"records"}
REPORT["scores"] = REPORT["attachments"] | {"attachments"}
REPORT["statistics"] = REPORT["scores"] | {"scores"}
REPORT["words"] = REPORT["statistics"] | {"statistics"}
REPORT["tables"] = REPORT["figures"] = REPORT["words"] | {"words"}
REPORT["readme"] = REPORT["comparison"] = REPORT["tables"] | {"tables"}
REPORT["page"] = REPORT["tables"] | {"tables", "figures"}
REPORT["build"] = REPORT["page"] | {"page"}

FAMILIES = ("datasets", "encoders", "pretexts", "protocols")


def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """Dotted names of every module of sslbench that a file imports; of packages, of the module the name stands for."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "sslbench":
            base = PACKAGE.parent / node.module.replace(".", "/")
            for item in node.names:
                is_module = (base / f"{item.name}.py").exists() or (base / item.name / "__init__.py").exists()
                found.add(f"{node.module}.{item.name}" if is_module else node.module)
        elif isinstance(node, ast.Import):
            found |= {item.name for item in node.names if item.name.split(".")[0] == "sslbench"}
    return found - {"sslbench"}


def test_nothing_but_rooms_lies_at_the_top() -> None:
    files = {path.name for path in PACKAGE.iterdir() if path.is_file()}
    assert files == {"__init__.py", "__main__.py", "py.typed"}
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms == {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms == set(BELOW)


def test_every_room_says_what_it_is_for() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        assert len(doc) > 20, dotted(path)


@pytest.mark.parametrize("room", BELOW)
def test_imports_point_down(room: str) -> None:
    for path in modules(PACKAGE / room):
        for name in imports(path):
            assert name.split(".")[1] in BELOW[room] | {room}, f"{dotted(path)} imports {name}"


@pytest.mark.parametrize("room", REPORT)
def test_imports_point_down_inside_the_report(room: str) -> None:
    place = PACKAGE / "report" / room
    for path in modules(place) if place.is_dir() else [place.with_suffix(".py")]:
        for name in imports(path):
            if name.startswith("sslbench.report."):
                assert name.split(".")[2] in REPORT[room] | {room}, f"{dotted(path)} imports {name}"


def test_every_corner_of_the_report_has_its_place() -> None:
    places = {path.stem for path in (PACKAGE / "report").iterdir()} - {"__init__", "__pycache__"}
    assert places == set(REPORT)


def test_modules_import_each_other_in_one_direction_only() -> None:
    known = {dotted(path): path for path in modules(PACKAGE)}
    graph = {name: imports(path) & set(known) for name, path in known.items()}
    settled: set[str] = set()
    while free := {name for name, targets in graph.items() if name not in settled and targets <= settled | {name}}:
        settled |= free
    assert not set(graph) - settled, "these import each other in a circle"


def test_plug_ins_never_import_each_other() -> None:
    for family in FAMILIES:
        plug_ins = {dotted(path) for path in modules(PACKAGE / family) if not path.stem.startswith("_")}
        for name in plug_ins:
            path = PACKAGE.parent / (name.replace(".", "/") + ".py")
            clash = imports(path) & plug_ins - {name}
            assert not clash, f"{name} imports {clash}"


def test_reports_import_neither_torch_nor_mlflow() -> None:
    for path in modules(PACKAGE / "report"):
        assert not outside(path) & {"torch", "mlflow", "optuna"}, dotted(path)


def test_only_stores_talk_to_mlflow() -> None:
    for path in modules(PACKAGE):
        if "mlflow" in outside(path):
            assert path.parent.name == "stores", dotted(path)


def test_only_the_contracts_need_pytest() -> None:
    for path in modules(PACKAGE):
        assert ("pytest" in outside(path)) <= (path.parent.name == "testing"), dotted(path)


def outside(path: Path) -> set[str]:
    """Top names of everything a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            found |= {item.name.split(".")[0] for item in node.names}
    return found
