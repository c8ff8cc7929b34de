"""What `sslbench run --dry-run` says: how much of every part of a plan is done, and in words what is missing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sslbench.commands.options import say
from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.spec import table_protocol
from sslbench.report.words.numbers import percent
from sslbench.sweep.request import Prepared

#: Lines of words at most; the tables count what comes after them.
LINES = 20

#: A row's name, the number of a column and its heading, and whether the cell is done.
Entry = tuple[str, float, str, bool]

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)


def say_matrices(prepared: Prepared, console: Console) -> None:
    """Print how many pretrainings are done, then of every dataset, protocol and reading how many evaluations."""
    plan, done = prepared.plan, prepared.done
    encoders = [
        (_row(cell, prepared), cell.latent_dim, f"d={cell.latent_dim}", cell.cell_id in done) for cell in plan.pretrain
    ]
    _say_matrix("pretraining, by latent size", encoders, console)
    for (dataset, protocol), cells in _grouped(plan.evaluations, lambda cell: (cell.dataset, _protocol(cell))).items():
        entries = []
        for cell in cells:
            row, fraction = _row(cell.pretrain, prepared, dataset), cell.label_fraction
            entries.append((row, fraction, percent(fraction), cell.cell_id in done))
        _say_matrix(f"{protocol} on {dataset}, by label fraction", entries, console)
    say(console, "2/6: 2 of 6 are done, over seeds and latent sizes; 6: all of them\n")


def missing_words(prepared: Prepared) -> list[str]:
    """What is missing: everything, or pretexts of which everything is and a line for each part of the others."""
    whole: list[str] = []
    lines: list[str] = []
    evaluate = prepared.plan.evaluate
    rows = _grouped(prepared.plan.pretrain, lambda one: _row(one, prepared))
    for pretext, trained in rows.items():
        cells = [child for one in trained for child in evaluate[one.cell_id]]
        untrained = [one.title.partition(" ")[2] for one in trained if one.cell_id not in prepared.done]
        left = [one for one in cells if one.cell_id not in prepared.done]
        if (len(untrained), len(left)) == (len(trained), len(cells)):
            whole.append(pretext)
            continue
        if untrained:
            lines.append(f"{pretext}: pretraining of {', '.join(untrained)}")
        for part, of_part in _grouped(cells, lambda one: _part(one, prepared)).items():
            lacking = [one for one in of_part if one.cell_id not in prepared.done]
            if lacking:
                what = "everything" if len(lacking) == len(of_part) else _budgets(lacking)
                lines.append(f"{pretext} {part}: {what}")
    if whole:
        lines = ["everything" if len(whole) == len(rows) else f"{', '.join(whole)}: everything", *lines]
    return lines if len(lines) <= LINES else [*lines[: LINES - 1], f"… and {len(lines) - LINES + 1} more such lines"]


def _part(cell: EvaluateCell, prepared: Prepared) -> str:
    on = f" on {cell.dataset}" if len(prepared.suite.datasets) > 1 else ""
    return f"d={cell.pretrain.latent_dim}, {_protocol(cell)}{on}"


def _budgets(cells: Iterable[EvaluateCell]) -> str:
    """`0.1%, 1% (seeds 0, 1); 5% (seed 2)`."""
    seeds: dict[str, str] = {}
    ordered = sorted(cells, key=lambda one: one.label_fraction)
    for budget, group in _grouped(ordered, lambda one: percent(one.label_fraction)).items():
        seeds[budget] = ", ".join(dict.fromkeys(str(one.pretrain.seed) for one in group))
    alike = _grouped(seeds, lambda budget: seeds[budget])
    return "; ".join(f"{', '.join(budgets)} (seed{'s' * (',' in which)} {which})" for which, budgets in alike.items())


def _row(cell: PretrainCell, prepared: Prepared, evaluated: str = "") -> str:
    """A pretext, with what else tells its pretrainings apart in this suite."""
    suite = prepared.suite
    encoder = f" {cell.encoder}" if len(suite.encoders) > 1 else ""
    several = len(suite.all_datasets) > 1 and cell.dataset != evaluated
    return f"{cell.pretext}{encoder}{f' of {cell.dataset}' if several else ''}"


def _protocol(cell: EvaluateCell) -> str:
    return table_protocol(cell.protocol, cell.reading)


def _grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """Items by key, both in the order they first appear."""
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def _say_matrix(title: str, entries: Sequence[Entry], console: Console) -> None:
    headings = dict(sorted((number, heading) for _, number, heading, _ in entries))
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("")
    for heading in headings.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for row, of_row in _grouped(entries, lambda entry: entry[0]).items():
        columns = {number: [entry[3] for entry in of_row if entry[1] == number] for number in headings}
        table.add_row(Text(row), *(_counted(columns[number]) for number in headings))
    say(console, (title, "bold"))
    console.print(table)


def _counted(done: Sequence[bool]) -> Text:
    if all(done):
        return Text(str(len(done)) if done else "", style="green")
    return Text(f"{sum(done)}/{len(done)}", style="yellow")
