"""What there is to choose from, as `sslbench list` shows it. Imports no command-line parser: see `__main__`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sslbench.contract.errors import InputError
from sslbench.contract.registry import Registry

if TYPE_CHECKING:
    from rich.console import Console

KINDS = ("datasets", "encoders", "pretexts", "protocols", "suites")


def show(kind: str | None, console: Console) -> None:
    """Print the names of one kind, or of all, with the first line of what each says about itself.

    Raises:
        InputError: there is no such kind.
    """
    from rich.table import Table
    from rich.text import Text

    if kind is not None and kind not in KINDS:
        raise InputError(f"cannot list {kind!r}; choose one of {', '.join(KINDS)}")
    for shown in KINDS if kind is None else (kind,):
        for title, lines in groups(shown):
            table = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None)
            table.add_column(style="cyan", no_wrap=True)
            table.add_column()
            for name, summary in lines:
                table.add_row(Text(name), Text(summary))
            console.print(table)


def groups(kind: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Names of one kind and their summaries, read from the sources without running them, modality after modality."""
    found: dict[str, list[tuple[str, str]]] = {}
    if kind == "suites":
        from sslbench.sweep import suites

        for name, told in suites.told_by_all().items():
            rooms = {_room_of(dataset) for dataset in told.datasets}
            title = f"{kind} of {rooms.pop()}" if len(rooms) == 1 and all(rooms) else kind
            found.setdefault(title, []).append((name, told.summary))
        return list(found.items())
    for registry, written in _registries(kind):
        for name in registry:
            owner, room = registry.owner(name), registry.module(name).split(".")[2:-1]
            title = f"{kind} of {owner or room[0]}" if owner or room else kind
            found.setdefault(title, []).append((written.format(name), registry.summary(name)))
    return list(found.items())


def _room_of(dataset: str) -> str:
    """`images`, `series` or `text`: where the loader of a dataset lies; nothing for others."""
    name, colon, _ = dataset.partition(":")
    for registry, written in _registries("datasets"):
        if bool(colon) == (":" in written) and name in registry:
            return "".join(registry.module(name).split(".")[2:3]) if not registry.owner(name) else ""
    return ""


def _registries(kind: str) -> list[tuple[Registry[Any], str]]:
    """The registries of one kind, and how a name of each is written."""
    from sslbench.datasets import COLLECTIONS, DATASETS, OWN
    from sslbench.encoders import ENCODERS
    from sslbench.pretexts import PRETEXTS
    from sslbench.protocols import PROTOCOLS

    registries: dict[str, list[tuple[Registry[Any], str]]] = {
        "datasets": [(DATASETS, "{}"), (COLLECTIONS, "{}:NAME"), (OWN, "{}:PATH")],
        "encoders": [(ENCODERS, "{}")],
        "pretexts": [(PRETEXTS, "{}")],
        "protocols": [(PROTOCOLS, "{}")],
    }
    return registries[kind]
