"""Suites by name or path: one Python file each, with a `SUITE` and a docstring."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path

from sslbench.contract.files import is_file
from sslbench.contract.settings import Tuning, read_tuning, with_tuning
from sslbench.contract.spec import InputError, Suite


def folders() -> list[Path]:
    """Where suites are looked for: `benchmarks/` here, then the one beside the package."""
    beside = Path(__file__).resolve().parents[2] / "benchmarks"
    here = Path.cwd() / "benchmarks"
    return [here] if here.resolve() == beside else [here, beside]


def available() -> dict[str, Path]:
    """Names of the suites that can be run, and their files."""
    found: dict[str, Path] = {}
    for folder in folders():
        for path in sorted(folder.glob("*.py")):
            if not path.name.startswith("_"):
                found.setdefault(path.stem, path)
    return found


def find(name: str) -> Path:
    """The file of a suite given by name or by path.

    Raises:
        InputError: there is none; the message lists the names there are.
    """
    if name.endswith(".py"):
        path = Path(name)
        if not is_file(path):
            raise InputError(f"suite file {name!r} does not exist")
        return path.resolve()
    known = available()
    if name not in known:
        raise InputError(f"unknown suite {name!r}; choose one of {', '.join(known) or '(none found)'}, or a .py file")
    return known[name]


def summary(path: Path) -> str:
    """First line of a suite's docstring, read without running it; of a file that cannot be read, why."""
    try:
        return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        return f"(cannot be read: {type(error).__name__})"


def load(name: str) -> Suite:
    """Run a suite's file and return its `SUITE`, the settings of its settings file added if it names one.

    Raises:
        InputError: there is no such file, it does not run, or it defines no `SUITE`; likewise for its settings file.
    """
    suite = load_untuned(name)
    tuning = tuning_of(name, suite)
    return suite if tuning is None else with_tuning(suite, tuning)


def tuning_of(name: str, suite: Suite) -> Tuning | None:
    """What the settings file of a suite says, cost included; None if the suite names none.

    Raises:
        InputError: the file does not exist or is no settings file.
    """
    return read_tuning(find(name).parent / suite.settings_file) if suite.settings_file else None


def load_untuned(name: str) -> Suite:
    """Run a suite's file and return its `SUITE` with its own settings only: where tuning starts.

    Raises:
        InputError: there is no such file, it does not run, or it defines no `SUITE`.
    """
    path = find(name)
    module_name = f"sslbench_suite_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"suite file {path} cannot be read")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except InputError as error:
        raise InputError(f"suite file {path}: {error}") from error
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # a file that ends the program would end it silently
        raise InputError(f"suite file {path} does not run: {type(error).__name__}: {error}") from error
    suite = vars(module).get("SUITE")
    if not isinstance(suite, Suite):
        raise InputError(f"suite file {path} defines no SUITE = Suite(...)")
    return suite
