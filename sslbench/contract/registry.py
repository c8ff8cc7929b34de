"""Plug-ins by name: a lazy dictionary whose errors list the choices and whose listing imports no torch."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Generic, TypeVar, cast

from sslbench.contract.errors import InputError
from sslbench.contract.outside import At as At
from sslbench.contract.outside import offered, source_of

Plugin = TypeVar("Plugin")

#: A class or function of a module up to its name, and what mostly follows up to the first line of its docstring.
_NAMED, _USUAL = re.compile(r"^(?:class|def) (\w+)", re.MULTILINE), re.compile(r'[^"#]*:\n    """(.*)')


class Registry(Generic[Plugin]):
    """Names to plug-ins, imported when first asked for.

    Args:
        kind: the word errors use, e.g. `pretext`.
        entries: name to `module:object`, or to `At(...)` once its version is another than 1; one line here is all
            the wiring a plug-in needs.
        group: of the entry points by which other packages add theirs, e.g. `sslbench.pretexts`; empty for none.
    """

    def __init__(self, kind: str, entries: Mapping[str, str | At], group: str = "") -> None:
        self.kind, self._group = kind, group
        self._entries = {name: At(entry) if isinstance(entry, str) else entry for name, entry in entries.items()}
        self._loaded: dict[str, Plugin] = {}
        self._versions: dict[str, int] = {}  # of what registered itself
        for name, entry in self._entries.items():
            self._numbered(name, entry.version)

    @cached_property
    def _known(self) -> Mapping[str, At]:
        """Ours and what other packages offer, which is found when first a name is asked for or listed."""
        return {**self._entries, **(offered(self.kind, self._group, self._entries) if self._group else {})}

    def register(self, name: str, version: int = 1) -> Callable[[Plugin], Plugin]:
        """Decorator for plug-ins in a file of one's own: that of a suite, or one that `--plugin` names.

        Args:
            version: as of `At`.

        Raises:
            InputError: the name holds more than letters, digits, `-` and `_`, or is taken, or the version is no number
                from 1 on.
        """
        self.check_spelling(name)
        self._numbered(name, version)

        def add(plugin: Plugin) -> Plugin:
            self._check_free(name, plugin, version)
            self._loaded[name] = plugin
            self._versions[name] = version
            return plugin

        return add

    def __iter__(self) -> Iterator[str]:
        yield from self._known
        yield from (name for name in self._loaded if name not in self._known)

    def __contains__(self, name: object) -> bool:
        return name in self._known or name in self._loaded

    def check(self, name: str) -> None:
        """Raise an error naming the culprit and the choices unless `name` is known.

        Raises:
            InputError: unknown name, or another package's plug-in of that name cannot be used.
        """
        self._check_known(name)
        if name in self._known and self._known[name].problem:
            raise InputError(self._known[name].problem)

    def _check_known(self, name: str) -> None:
        if name not in self:
            raise InputError(f"unknown {self.kind} {name!r}; choose one of {', '.join(self)}")

    def _check_free(self, name: str, plugin: Plugin, version: int) -> None:
        """Raise an error unless a plug-in may register itself so; the file of one may run several times."""
        if name in self._entries:
            raise InputError(f"{self.kind} {name!r} is one of sslbench's own; give yours another name")
        if name in self._known:
            there = self._known[name]
            if there.module != plugin.__module__:
                raise InputError(f"{self.kind} {name!r} is offered by {there.owner}; give yours another name")
            if there.version != version:
                raise InputError(f"{self.kind} {name!r} of {there.owner}: its file says another version than its entry")
        elif name in self._loaded and self._loaded[name].__module__ != plugin.__module__:
            both = f"{self._loaded[name].__module__} and {plugin.__module__}"
            raise InputError(f"{self.kind} {name!r} is registered twice, by {both}; give one another name")

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
            InputError: unknown name, or another package's plug-in that cannot be imported.
        """
        self.check(name)
        if name not in self._loaded:
            self._loaded[name] = self._imported(name)
        return self._loaded[name]

    def _imported(self, name: str) -> Plugin:
        entry = self._known[name]
        try:
            module = importlib.import_module(entry.module)
            return cast(Plugin, vars(module)[entry.place.partition(":")[2]])
        except (Exception, SystemExit) as error:
            if not entry.owner:
                raise
            said = f"{type(error).__name__}: {error}"
            raise InputError(f"{self.kind} {name!r} of {entry.owner} cannot be loaded: {said}") from error

    def version(self, name: str) -> int:
        """Of the plug-in called `name`, without importing it.

        Raises:
            InputError: unknown name.
        """
        self._check_known(name)
        entry = self._entries.get(name) or self._known.get(name)
        return self._versions[name] if entry is None else entry.version

    def module(self, name: str) -> str:
        """The module of the plug-in called `name`, which need not be imported for it.

        Raises:
            InputError: unknown name.
        """
        self._check_known(name)
        return self._known[name].module if name in self._known else self._loaded[name].__module__

    def owner(self, name: str) -> str:
        """The distribution that offers the plug-in called `name`; empty for sslbench's own and for registered ones."""
        return self._known[name].owner if name in self._known else ""

    def _numbered(self, name: str, version: int) -> int:
        """The version, unless it is none: checked here, because `schema` would make every start slower."""
        if type(version) is not int or version < 1:
            raise InputError(f"version of {self.kind} {name!r} must be a whole number from 1 on, not {version!r}")
        return version

    def summary(self, name: str) -> str:
        """First line of the plug-in's docstring, read from its source without importing it, or why it is of no use.

        Raises:
            InputError: unknown name.
        """
        self._check_known(name)
        if name in self._loaded:
            return _first_line(self._loaded[name].__doc__)
        entry = self._known[name]
        source = source_of(entry.module)
        if entry.problem or source is None:
            return f"(cannot be used: {entry.problem or f'{entry.owner} has no module {entry.module}'})"
        try:
            return _first_line(_docstring(source.read_text(encoding="utf-8"), entry.place.partition(":")[2]))
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            return f"(cannot be read: {entry.owner}: {type(error).__name__})"


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().split("\n")[0]


def _docstring(source: str, name: str) -> str | None:
    """Of a class or function, by the text of its module."""
    # Parsing 40 files takes longer than all the rest of a listing, so the usual form is found by its looks.
    begun = next((found.end() for found in _NAMED.finditer(source) if found[1] == name), len(source))
    usual = _USUAL.match(source, begun)
    if usual is not None:
        return usual[1].partition('"""')[0]
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return ast.get_docstring(node)
    return None
