"""`table.md` and `table.csv`: the numbers a reader looks for, and how to read them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd
from tabulate import tabulate

from sslbench.report.scores.blocks import Block, place, protocol_rank
from sslbench.report.scores.marks import STALE, STALE_TEXT, Evidence, evidence_of, is_collapsed, is_stale
from sslbench.report.scores.measures import COLLAPSED, SHOWN, measure_rows
from sslbench.report.statistics.cost import costs, format_count, format_flops, format_seconds
from sslbench.report.statistics.spread import Estimate, estimate, t_quantile
from sslbench.report.statistics.summary import Cell, cells_of, missing_line, summarise

CEILING = "ceiling (supervised, 100%)"
NOT_RUN = "–"
INCOMPLETE = "†"

Cells = Mapping[tuple[str, float], Cell]


def table_csv(records: pd.DataFrame) -> str:
    """The summary as CSV, every digit kept."""
    return summarise(records).to_csv(index=False, lineterminator="\n")


def table_markdown(records: pd.DataFrame, title: str, notes: Sequence[str] = ()) -> str:
    """The page people read: blocks, how to read them, what is missing, notes, cost."""
    blocks = place(records)
    cells = [cells_of(block) for block in blocks]
    several = len({block.place for block in blocks}) > 1
    parts = [f"# {title}"]
    section = None
    evidence = evidence_of(records)
    for block, block_cells in zip(blocks, cells, strict=True):
        if several and section != block.place:
            section = block.place
            parts.append(f"## {block.place}")
        parts.append(f"{'###' if several else '##'} {block.protocol}, latent size {block.latent_dim}")
        parts.append(_block_table(block, block_cells, evidence))
    parts += ["## How to read this", *legend(blocks, cells)]
    parts += [f"- {note}" for note in notes]
    if evidence.stale:
        parts.append(STALE_TEXT)
    if evidence.collapsed:
        parts.append(f"{COLLAPSED} a collapsed representation in at least one seed: see the measures below.")
    parts += [*_measures(records), "## Cost", *_cost_tables(records)]
    return "\n\n".join(parts) + "\n"


def percent(share: float) -> str:
    """A label fraction as people write it: 0.01 is `1%`."""
    return f"{100 * share:g}%"


def column_title(block: Block, fraction: float) -> str:
    """`1% (600)`: the fraction and how many labels that is."""
    counts = block.num_labels[fraction]
    numbers = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    return f"{percent(fraction)} ({numbers})"


def format_estimate(accuracy: Estimate) -> str:
    """`76.3 ± 0.4` in percent; without an interval if there is one seed."""
    mean = f"{100 * accuracy.mean:.1f}"
    return mean if math.isnan(accuracy.half_width) else f"{mean} ± {100 * accuracy.half_width:.1f}"


def format_difference(difference: Estimate) -> str:
    """`+3.1` points; nothing is `0.0`, never `-0.0`."""
    points = round(100 * difference.mean, 1)
    return f"{points:+.1f}" if points else "0.0"


def format_cell(cell: Cell | None, stale: bool = False) -> str:
    """`**76.3 ± 0.4** (+3.1)`; marks say that a cell has fewer seeds than others, or that it is stale."""
    if cell is None:
        return NOT_RUN
    text = format_estimate(cell.accuracy) + ("" if cell.complete else f" {INCOMPLETE}") + (f" {STALE}" if stale else "")
    text = f"**{text}**" if cell.best_tied else text
    return text if cell.difference is None else f"{text} ({format_difference(cell.difference)})"


def legend(blocks: Sequence[Block], cells: Sequence[Cells]) -> list[str]:
    """Paragraphs that say what the cells hold, computed from what they do hold."""
    flat = [cell for block_cells in cells for cell in block_cells.values()]
    most = max((cell.accuracy.n for cell in flat), default=0)
    paragraphs = [" ".join(_reading(flat, most))]
    if any(not cell.complete for cell in flat):
        paragraphs.append(f"{INCOMPLETE} fewer seeds than other cells: see the missing evaluations below.")
    if any(block.crossed for block in blocks):
        paragraphs.append(
            "Seeds are crossed with labelled subsets: each seed stands here with one subset of its own, because scores "
            "that share a training or labels are no independent repetitions; `records.csv` holds them all."
        )
    missing = missing_line(blocks)
    if missing:
        paragraphs.append(missing)
    return paragraphs


def _reading(cells: Sequence[Cell], most: int) -> list[str]:
    seeds = "1 seed" if most == 1 else f"{most} seeds"
    sentences = [f"Test accuracy in percent, {'from' if most == 1 else 'mean over'} {seeds}; {NOT_RUN} is not run."]
    if most > 1:
        sentences.append("± is the half-width of the 95% confidence interval over seeds (Student t).")
    if any(cell.difference is not None for cell in cells):
        sentences.append(
            "In parentheses: the difference in points to `supervised`, the same encoder trained from scratch on the "
            "same labels, paired by seed."
        )
    if most == 1:
        return [*sentences, "One seed has no interval and cannot tell rows apart, so nothing is bold."]
    sentences.append(
        "Bold: the best mean of its column and every row that a paired t-test over seeds (Holm-corrected over the "
        "column, 5% level) does not tell from it; a column whose best row has a single seed has no bold, and the "
        "majority class and the ceiling are never bold."
    )
    if most == 2:
        sentences.append(
            f"Two seeds leave one degree of freedom: an interval reaches {t_quantile(2):.1f} standard errors to each "
            "side, and rows that differ by points may tie. Bold then means only: not shown to be worse."
        )
    return sentences


def _block_table(block: Block, cells: Cells, evidence: Evidence) -> str:
    def title(row: str) -> str:
        return f"{row} {COLLAPSED}" if is_collapsed(block, row, evidence.collapsed) else row

    def shown(row: str, fraction: float) -> str:
        stale = is_stale(evidence.runs.behind(block, row, fraction), evidence.stale)
        return format_cell(cells.get((row, fraction)), stale)

    rows = [[title(row), *(shown(row, fraction) for fraction in block.fractions)] for row in block.rows]
    if block.ceiling:
        rows.append([CEILING, *[format_estimate(estimate(block.ceiling.values()))] * len(block.fractions)])
    return _pipe_table(["", *(column_title(block, fraction) for fraction in block.fractions)], rows, names=1)


def _measures(records: pd.DataFrame) -> list[str]:
    """The label-free measures, where there are any."""
    rows = measure_rows(records)
    if not rows:
        return []
    explained = (
        "Measured without labels on the representation of 2,048 unlabelled inputs (LiDAR and alignment: 1,000 inputs "
        "in four views), means over seeds."
    )
    headers = ["pretext", "latent size", *(shown for _, shown, _ in SHOWN), "collapsed"]
    return ["## Measures without labels", explained, _pipe_table(headers, rows, names=1)]


def _cost_tables(records: pd.DataFrame) -> list[str]:
    """One ledger for the whole page; the protocols' columns are those that were run."""
    entries = costs(records)
    protocols = sorted({name for entry in entries for name in entry.evaluate_seconds}, key=protocol_rank)
    several = len({entry.dataset for entry in entries}) > 1 or len({entry.encoder for entry in entries} - {"raw"}) > 1
    transfer = any(entry.pretrain_dataset not in ("", entry.dataset) for entry in entries)
    axes = (["dataset", "encoder"] if several else []) + (["pretrained on"] if transfer else [])
    headers = ["pretext", "latent size", "pretraining s", "samples", "compute", "parameters"]
    headers += [f"{protocol} s" for protocol in protocols]
    rows = []
    for entry in entries:
        pretraining = [format_seconds(entry.pretrain_seconds), format_count(entry.pretrain_samples)]
        pretraining += [format_flops(entry.pretrain_flops), format_count(entry.parameters)]
        spent = [format_seconds(entry.evaluate_seconds.get(protocol, math.nan)) for protocol in protocols]
        where = [entry.dataset, entry.encoder] if several else []
        where += [entry.pretrain_dataset or NOT_RUN] if transfer else []
        rows.append([*where, entry.pretext, str(entry.latent_dim), *pretraining, *spent])
    table = _pipe_table([*axes, *headers], rows, names=len(axes) + 1)
    explained = (
        "Means over seeds, in seconds. Pretraining is paid once per encoder; an evaluation is one protocol at one "
        "label fraction, averaged over the fractions that were run."
    )
    return [explained, table]


def _pipe_table(headers: Sequence[str], rows: Sequence[Sequence[str]], names: int) -> str:
    """Markdown with the first `names` columns to the left and numbers to the right."""
    escaped = [[text.replace("|", "\\|") for text in row] for row in rows]
    align = ["left"] * names + ["right"] * (len(headers) - names)
    return tabulate(escaped, headers=list(headers), tablefmt="pipe", disable_numparse=True, colalign=align)
