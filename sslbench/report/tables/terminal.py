"""The tables on screen: what `make bench` ends with."""

from __future__ import annotations

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sslbench.report.scores.blocks import Block, place
from sslbench.report.statistics.spread import estimate
from sslbench.report.statistics.summary import Cell, cells_of, missing_line
from sslbench.report.tables.markdown import NOT_RUN, format_estimate, percent


def print_summary(records: pd.DataFrame, console: Console) -> None:
    """Print every block, compact enough for 100 columns with seven label fractions.

    Raises:
        InputError: two records claim the same cell and seed.
    """
    blocks = place(records)
    if not blocks:
        console.print("no test accuracy of any encoder yet")
        return
    most = 0
    for block in blocks:
        cells = cells_of(block)
        most = max([most, *(cell.accuracy.n for cell in cells.values())])
        console.print(_table(block, cells))
    console.print(_explanation(most))
    missing = missing_line(blocks)
    if missing:
        console.print(missing, style="yellow", markup=False, highlight=False)


def _table(block: Block, cells: dict[tuple[str, float], Cell]) -> Table:
    title = f"{block.place}: {block.protocol}, latent size {block.latent_dim}"
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for fraction in block.fractions:
        table.add_column(percent(fraction), justify="right", no_wrap=True)
    for row in block.rows:
        table.add_row(Text(row), *(_cell(cells.get((row, fraction))) for fraction in block.fractions))
        if row == "supervised":
            table.add_section()
    if block.ceiling:
        ceiling = Text(_compact(format_estimate(estimate(block.ceiling.values()))), style="dim")
        table.add_row(Text("ceiling", style="dim"), *[ceiling] * len(block.fractions))
    return table


def _cell(cell: Cell | None) -> Text:
    if cell is None:
        return Text(NOT_RUN, style="dim")
    return Text(_compact(format_estimate(cell.accuracy)), style="bold green" if cell.best_tied else "")


def _compact(text: str) -> str:
    return text.replace(" ± ", "±")


def _explanation(most: int) -> str:
    if most == 1:
        return "Test accuracy in percent from one seed: no intervals, and nothing can be told apart."
    return (
        f"Test accuracy in percent, mean ± 95% half-width over {most} seeds. [bold green]Green[/]: not shown to be "
        "worse than the best of its column (paired t-test, Holm). Ceiling: supervised with 100% of the labels."
    )
