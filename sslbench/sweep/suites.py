"""Suites by name or path: one Python file each, with a `SUITE` and a docstring."""

from __future__ import annotations

import ast
from contextlib import suppress
from dataclasses import dataclass
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


class _Places:
    """Where suites lie, those in the folders first; looked up once, as listing all of them asks for each."""

    def __init__(self) -> None:
        self.files = _in_folders()
        #: Those that other packages offer beside, each as `module:SUITE`; asked where they lie, never imported.
        self.all = Registry[object]("suite", {name: f"{name}:SUITE" for name in self.files}, "sslbench.suites")

    def find(self, name: str) -> Path:
        """The file of a suite given by name or by path, as `find` says."""
        if name.endswith(".py"):
            path = Path(name)
            if not is_file(path):
                raise InputError(f"suite file {name!r} does not exist")
            return path.resolve()
        if name not in self.all:
            choices = ", ".join(self.all) or "(none found)"
            raise InputError(f"unknown suite {name!r}; choose one of {choices}, or a .py file")
        self.all.check(name)
        if name in self.files:
            return self.files[name]
        source = source_of(self.all.module(name))
        if source is None:
            raise InputError(f"suite {name!r}: {self.all.owner(name)} has no module {self.all.module(name)}")
        return source

    def told(self, name: str) -> Told:
        """What a suite says of itself, as `told` says."""
        try:
            tree = ast.parse(self.find(name).read_text(encoding="utf-8"))
        except InputError as error:
            return Told(f"(cannot be used: {error})")
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            return Told(f"(cannot be read: {type(error).__name__})")
        asked = [node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "datasets"]
        datasets: tuple[str, ...] = ()
        with suppress(ValueError, TypeError, RecursionError):
            datasets = tuple(ast.literal_eval(asked[0])) if asked else ()
        return Told(ast.get_docstring(tree) or "", datasets)


@dataclass(frozen=True)
class Told:
    """What the file of a suite says without being run.

    Attributes:
        description: its docstring; of a file that cannot be read, why.
        datasets: what it is evaluated on; none where it does not say so in plain words.
    """

    description: str
    datasets: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """First line of the description."""
        return self.description.split("\n")[0]


def names() -> list[str]:
    """Of all suites that can be run, from the folders first."""
    return list(_Places().all)


def find(name: str) -> Path:
    """The file of a suite given by name or by path.

    Raises:
        InputError: there is none; the message lists the names there are.
    """
    return _Places().find(name)


def told(name: str) -> Told:
    """What a suite given by name or by path says of itself; its file is read and not run."""
    return _Places().told(name)


def told_by_all() -> dict[str, Told]:
    """What every suite that can be run says of itself, by name, those in the folders first."""
    places = _Places()
    return {name: places.told(name) for name in places.all}


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
