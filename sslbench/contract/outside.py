"""Plug-ins of other people: what installed packages offer as entry points, and files and modules named by hand."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from sslbench.contract.errors import InputError
from sslbench.contract.files import is_file

if TYPE_CHECKING:
    from importlib.metadata import SelectableGroups

_NAME = re.compile(r"([A-Za-z0-9_-]{1,100})(?:\.v([1-9][0-9]{0,8}))?")
_PLACE = re.compile(r"\w+(\.\w+)*:\w+")


@dataclass(frozen=True)
class At:
    """Where a plug-in lies, and which of its versions that is.

    Attributes:
        place: `module:object`.
        version: raised by whoever changes what the plug-in computes; part of the identity of every cell it takes part
            in, so that no result of an old rule is taken for one of the new.
        owner: the distribution that offers it, e.g. `distribution sslbench-example 0.1`; empty for sslbench's own.
        problem: why it cannot be used, naming its owner; empty if nothing is known to be wrong.
    """

    place: str
    version: int = 1
    owner: str = ""
    problem: str = ""

    @property
    def module(self) -> str:
        """The module of `place`."""
        return self.place.partition(":")[0]


@cache
def _entries() -> SelectableGroups:
    """Of all groups and distributions, read once."""
    from importlib.metadata import entry_points  # as slow as all else that `--help` needs

    return entry_points()


def offered(kind: str, group: str, own: Container[str]) -> dict[str, At]:
    """What installed distributions offer by name; nothing of them is imported.

    The name of an entry point is that of the plug-in, `mine`, or from its second version on `mine.v2`.

    Args:
        kind: the word errors use.
        group: of entry points, e.g. `sslbench.pretexts`.
        own: names that are taken by sslbench itself.
    """
    found: dict[str, At] = {}
    for entry in _entries().select(group=group):
        owner = f"distribution {entry.dist.name} {entry.dist.version}" if entry.dist else "a distribution of no name"
        spelt = _NAME.fullmatch(entry.name)
        name, version = (spelt[1], int(spelt[2] or 1)) if spelt else (entry.name, 1)
        problem = ""
        if spelt is None:
            problem = (
                f"{owner}: {kind} {name!r} is not spelt with letters, digits, - and _, and .v2 if it is the second"
            )
        elif _PLACE.fullmatch(entry.value) is None:
            problem = f"{owner}: {kind} {name!r} lies at {entry.value!r}, which is not module:object"
        elif name in own:
            problem = f"{owner}: {kind} {name!r} has the name of one of sslbench's own; rename or uninstall it"
        elif name in found:
            problem = f"{kind} {name!r} is offered twice, by {found[name].owner} and {owner}; uninstall one"
        found[name] = At(entry.value, version, owner, problem)
    return found


def source_of(module: str) -> Path | None:
    """The file of a module, found without importing it or the packages around it; None if there is none."""
    top, *below = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or not below:
        return Path(spec.origin) if spec is not None and spec.origin is not None else None
    places = [Path(folder, *below) for folder in spec.submodule_search_locations or ()]
    files = [file for place in places for file in (place.with_name(f"{place.name}.py"), place / "__init__.py")]
    return next(filter(is_file, files), None)


def run_file(path: Path, name: str, what: str) -> ModuleType:
    """Run a person's Python file as a module.

    Args:
        name: of the module.
        what: the word errors use.

    Raises:
        InputError: it does not run.
    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{what} {path} cannot be read")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except InputError as error:
        raise InputError(f"{what} {path}: {error}") from error
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # a file that ends the program would end it silently
        raise InputError(f"{what} {path} does not run: {type(error).__name__}: {error}") from error
    return module


def load_plugins(names: Iterable[str]) -> None:
    """Run files and import modules, whose plug-ins register themselves; what was loaded before is left alone.

    Args:
        names: each a `.py` file or a module that Python finds.

    Raises:
        InputError: there is no such file or module, or it does not run.
    """
    for name in names:
        if name.endswith(".py"):
            _load_file(Path(name))
        else:
            import_module(name, "plug-in")


def _load_file(path: Path) -> None:
    if not is_file(path):
        raise InputError(f"plug-in file {str(path)!r} does not exist")
    path, name = path.resolve(), f"sslbench_plugin_{path.stem}"
    known = sys.modules.get(name)
    if known is None:
        try:
            run_file(path, name, "plug-in file")
        except InputError:
            sys.modules.pop(name, None)
            raise
    elif known.__file__ != str(path):
        raise InputError(f"plug-in files {known.__file__} and {path} have one name; rename one")


def import_module(name: str, whose: str) -> ModuleType:
    """Import a module by name, from the current folder too.

    Args:
        whose: begins errors.

    Raises:
        InputError: there is none, or it does not run.
    """
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        return importlib.import_module(name)
    except InputError as error:
        raise InputError(f"{whose} {name!r}: {error}") from error
    except (Exception, SystemExit) as error:
        said = f"{type(error).__name__}: {error}"
        raise InputError(f"{whose} {name!r} is no .py file, nor a module that can be imported: {said}") from error
