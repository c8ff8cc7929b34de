"""Suites by name or path: one Python file each, with a `SUITE` and a docstring."""

from __future__ import annotations

import ast
from pathlib import Path

from sslbench.contract.files import is_file
from sslbench.contract.outside import run_file, source_of
from sslbench.contract.registry import Registry
from sslbench.contract.settings import Tuning, read_tuning, with_tuning
from sslbench.contract.spec import InputError, Suite

PACKAGE = Path(__file__).resolve().parents[1]


def folders() -> list[Path]:
    """Where suites are looked for: `benchmarks/` here, then the one in the package, or beside it in a checkout."""
    shipped = PACKAGE / "benchmarks"
    ours = shipped if shipped.is_dir() else PACKAGE.parent / "benchmarks"
    here = Path.cwd() / "benchmarks"
    return [here] if here.resolve() == ours else [here, ours]


def _in_folders() -> dict[str, Path]:
    """Names of suites that lie in these folders, and their files."""
    found: dict[str, Path] = {}
    for folder in folders():
        for path in sorted(folder.glob("*.py")):
            if not path.name.startswith("_"):
                found.setdefault(path.stem, path)
    return found


def _offered() -> Registry[object]:
    """Those that other packages offer, each as `module:SUITE`; asked where they lie, never imported."""
    return Registry("suite", {name: f"{name}:SUITE" for name in _in_folders()}, "sslbench.suites")


def names() -> list[str]:
    """Of all suites that can be run, from the folders first."""
    return list(_offered())


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
    known, there = _in_folders(), _offered()
    if name not in there:
        raise InputError(f"unknown suite {name!r}; choose one of {', '.join(there) or '(none found)'}, or a .py file")
    there.check(name)
    if name in known:
        return known[name]
    source = source_of(there.module(name))
    if source is None:
        raise InputError(f"suite {name!r}: {there.owner(name)} has no module {there.module(name)}")
    return source


def summary(name: str) -> str:
    """First line of what `description` says."""
    return description(name).split("\n")[0]


def description(name: str) -> str:
    """A suite's docstring, read without running it; of a file that cannot be read, why."""
    try:
        path = find(name)
    except InputError as error:
        return f"(cannot be used: {error})"
    try:
        return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        return f"(cannot be read: {type(error).__name__})"


def datasets(name: str) -> tuple[str, ...]:
    """What a suite is evaluated on, read without running it; nothing where its file does not say so in plain words."""
    try:
        tree = ast.parse(find(name).read_text(encoding="utf-8"))
        asked = [node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "datasets"]
        return tuple(ast.literal_eval(asked[0])) if asked else ()
    except (InputError, OSError, SyntaxError, ValueError, TypeError, RecursionError):
        return ()


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
    module = run_file(path, f"sslbench_suite_{path.stem}", "suite file")
    suite = vars(module).get("SUITE")
    if not isinstance(suite, Suite):
        raise InputError(f"suite file {path} defines no SUITE = Suite(...)")
    return suite
