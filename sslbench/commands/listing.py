"""What there is to choose from, as `sslbench list` shows it. Imports no command-line parser: see `__main__`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sslbench.contract.registry import Registry
from sslbench.contract.spec import InputError

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
        table = Table(title=shown, title_justify="left", title_style="bold", show_header=False, box=None)
        table.add_column(style="cyan", no_wrap=True)
        table.add_column()
        for name, summary in entries(shown):
            table.add_row(Text(name), Text(summary))
        console.print(table)


def entries(kind: str) -> list[tuple[str, str]]:
    """Names of one kind and their summaries, read from the sources without running them."""
    if kind == "suites":
        from sslbench.sweep import suites

        return [(name, suites.summary(path)) for name, path in suites.available().items()]
    registry = _registry(kind)
    found = [(name, registry.summary(name)) for name in registry]
    if kind == "datasets":
        found.append(("folder:PATH", "Your own images: one folder per class, optionally unlabeled/ beside them."))
    return found


def _registry(kind: str) -> Registry[Any]:
    from sslbench.datasets import DATASETS
    from sslbench.encoders import ENCODERS
    from sslbench.pretexts import PRETEXTS
    from sslbench.protocols import PROTOCOLS

    registries: dict[str, Registry[Any]] = {
        "datasets": DATASETS,
        "encoders": ENCODERS,
        "pretexts": PRETEXTS,
        "protocols": PROTOCOLS,
    }
    return registries[kind]
