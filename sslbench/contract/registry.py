"""Plug-ins by name: a lazy dictionary whose errors list the choices and whose listing imports no torch."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar, cast

from sslbench.contract.spec import InputError

Plugin = TypeVar("Plugin")


@dataclass(frozen=True)
class At:
    """Where a plug-in lies, and which of its versions that is.

    Attributes:
        place: `module:object`.
        version: raised by whoever changes what the plug-in computes; part of the identity of every cell it takes part
            in, so that no result of an old rule is taken for one of the new.
    """

    place: str
    version: int = 1


class Registry(Generic[Plugin]):
    """Names to plug-ins, imported when first asked for.

    Args:
        kind: the word errors use, e.g. `pretext`.
        entries: name to `module:object`, or to `At(...)` once its version is another than 1; one line here is all
            the wiring a plug-in needs.
    """

    def __init__(self, kind: str, entries: Mapping[str, str | At]) -> None:
        self.kind = kind
        self._entries = {name: At(entry) if isinstance(entry, str) else entry for name, entry in entries.items()}
        self._loaded: dict[str, Plugin] = {}
        self._versions = {name: self._numbered(name, entry.version) for name, entry in self._entries.items()}

    def register(self, name: str, version: int = 1) -> Callable[[Plugin], Plugin]:
        """Decorator for plug-ins that live outside the package, e.g. in a suite's own file.

        Args:
            version: as of `At`.

        Raises:
            InputError: the name holds more than letters, digits, `-` and `_`, or the version is no number from 1 on.
        """
        self.check_spelling(name)
        self._numbered(name, version)

        def add(plugin: Plugin) -> Plugin:
            self._loaded[name] = plugin
            self._versions[name] = version
            return plugin

        return add

    def __iter__(self) -> Iterator[str]:
        yield from self._entries
        yield from (name for name in self._loaded if name not in self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries or name in self._loaded

    def check(self, name: str) -> None:
        """Raise an error naming the culprit and the choices unless `name` is known.

        Raises:
            InputError: unknown name.
        """
        if name not in self:
            raise InputError(f"unknown {self.kind} {name!r}; choose one of {', '.join(self)}")

    def check_spelling(self, name: str) -> None:
        """Raise an error unless a plug-in may call itself so: its name becomes part of paths.

        Raises:
            InputError: the name holds more than letters, digits, `-` and `_`.
        """
        from sslbench.contract.schema import Name, checked

        checked(Name, name, f"name of a {self.kind}")

    def get(self, name: str) -> Plugin:
        """The plug-in called `name`, imported now if need be.

        Raises:
            InputError: unknown name.
        """
        self.check(name)
        if name not in self._loaded:
            module, _, attribute = self._entries[name].place.partition(":")
            self._loaded[name] = cast(Plugin, vars(importlib.import_module(module))[attribute])
        return self._loaded[name]

    def version(self, name: str) -> int:
        """Of the plug-in called `name`, without importing it.

        Raises:
            InputError: unknown name.
        """
        self.check(name)
        return self._versions[name]

    def module(self, name: str) -> str:
        """The module of the plug-in called `name`, which need not be imported for it.

        Raises:
            InputError: unknown name.
        """
        self.check(name)
        if name in self._entries:
            return self._entries[name].place.partition(":")[0]
        return self._loaded[name].__module__

    def _numbered(self, name: str, version: int) -> int:
        """The version, unless it is none: checked here, because `schema` would make every start slower."""
        if type(version) is not int or version < 1:
            raise InputError(f"version of {self.kind} {name!r} must be a whole number from 1 on, not {version!r}")
        return version

    def summary(self, name: str) -> str:
        """First line of the plug-in's docstring, read from its source without importing it."""
        self.check(name)
        if name in self._loaded:
            doc = self._loaded[name].__doc__
        else:
            module, _, attribute = self._entries[name].place.partition(":")
            doc = _docstring(module, attribute)
        return (doc or "").strip().split("\n")[0]


def _docstring(module: str, attribute: str) -> str | None:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return None
    source = Path(spec.origin).read_text(encoding="utf-8")
    # Parsing 40 files takes longer than all the rest of a listing, so the usual form is found by its looks.
    usual = re.search(rf'^(?:class|def) {attribute}\b[^"#]*:\n    """(.*)', source, re.MULTILINE)
    if usual is not None:
        return usual[1].partition('"""')[0]
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == attribute:
            return ast.get_docstring(node)
    return None
