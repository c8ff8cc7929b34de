"""The layers of the design: imports point down, plug-ins know neither each other nor the engine."""

from __future__ import annotations

import ast
from pathlib import Path

import sslbench

PACKAGE = Path(sslbench.__file__).parent

L0 = {"spec", "identity", "registry", "provenance", "settings", "memory", "files"}
L1 = {"views", "randomness", "optimization", "diagnostics", "flops", "datasets", "encoders", "pretexts", "protocols"}
L2 = {"plan", "estimate", "cells", "stores", "pretrain", "evaluate", "pictures", "tracking", "worker", "sweep"}
L2 |= {"request", "suites", "reproduce", "queues", "examine", "layout", "finished"}
L2 |= {"tune", "tune_study", "tune_plots", "tuning_runs", "arms", "criteria", "readback"}
L3 = {"report"}
L4 = {"cli", "listing", "commands", "tune_command", "publish", "__main__"}

ALLOWED = {
    **dict.fromkeys(L0, L0),
    **dict.fromkeys(L1, L0 | L1),
    **dict.fromkeys(L2, L0 | L1 | L2),
    **dict.fromkeys(L3, L0 | L3),
    **dict.fromkeys(L4, L0 | L1 | L2 | L3 | L4),
}
# Checking a published row needs to read it and its interval: pure functions of records.
ALLOWED["reproduce"] = ALLOWED["reproduce"] | {"report"}

FAMILIES = ("datasets", "encoders", "pretexts", "protocols")


def imports(path: Path) -> set[str]:
    """Dotted names of everything in sslbench that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "sslbench":
            found |= (
                {f"{node.module}.{item.name}" for item in node.names} if node.module == "sslbench" else {node.module}
            )
        elif isinstance(node, ast.Import):
            found |= {item.name for item in node.names if item.name.split(".")[0] == "sslbench"}
    return found


def test_every_module_belongs_to_a_layer() -> None:
    names = {path.stem for path in PACKAGE.glob("*.py")} | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert names - {"__init__"} == set(ALLOWED)


def test_imports_point_down() -> None:
    for path in PACKAGE.rglob("*.py"):
        layer = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if layer == "__init__":
            continue
        for name in imports(path):
            target = name.split(".")[1]
            assert target.startswith("__version__") or target in ALLOWED[layer], f"{path.name} imports {name}"


def test_plug_ins_never_import_each_other() -> None:
    for family in FAMILIES:
        plug_ins = {path.stem for path in (PACKAGE / family).glob("*.py") if not path.stem.startswith("_")}
        shared = {"budget"}  # which labels an evaluation may see is no plug-in
        for path in (PACKAGE / family).glob("*.py"):
            if path.stem.startswith("_"):
                continue
            for name in imports(path):
                parts = name.split(".")
                if parts[1] == family and len(parts) > 2:
                    assert parts[2] not in plug_ins - shared, f"{path.name} imports {name}"


def test_reports_import_neither_torch_nor_mlflow() -> None:
    for path in (PACKAGE / "report").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [item.name for item in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & {"torch", "mlflow", "optuna"}, path.name


def test_only_tracking_and_stores_talk_to_mlflow() -> None:
    for path in PACKAGE.rglob("*.py"):
        names = {
            (node.module or "").split(".")[0]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
        if "mlflow" in names:
            assert path.stem in {"tracking", "readback", "tuning_runs", "stores"}, path.name
