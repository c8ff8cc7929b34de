"""`table.tex`: the tables for a paper. Compiles on its own, and as input of one that loads booktabs and graphicx."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence

import pandas as pd

from sslbench.report.page.tables import block_title
from sslbench.report.scores.blocks import Block, place
from sslbench.report.scores.marks import STALE, Evidence, evidence_of, is_collapsed, is_stale
from sslbench.report.scores.measures import COLLAPSED
from sslbench.report.statistics.spread import Estimate, estimate
from sslbench.report.statistics.summary import Cell, cells_of, missing_line
from sslbench.report.tables.markdown import CEILING, INCOMPLETE, NOT_RUN, column_title, format_difference

_SPECIAL = {
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{character: f"\\{character}" for character in "&%$#_{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}"},
    **{"–": "--", "±": r"$\pm$", INCOMPLETE: r"\textdagger{}", COLLAPSED: r"\textdaggerdbl{}", STALE: r"\S{}"},
}

#: A document begins here only where none has begun: LaTeX lets `\@nodocument` go when one begins.
_HEAD = r"""% Compiles on its own; in a paper: \usepackage{booktabs,graphicx} in the preamble, then \input{table}.
\makeatletter
\newif\ifsslbenchalone
\ifx\@nodocument\relax\else\sslbenchalonetrue\fi
\makeatother
\ifsslbenchalone
\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage[landscape,margin=15mm]{geometry}
\usepackage{booktabs,graphicx}
\begin{document}
\fi"""
_FOOT = r"""\ifsslbenchalone\else\endinput\fi
\end{document}"""


def table_tex(records: pd.DataFrame, title: str) -> str:
    """One LaTeX table per block, with the cells and marks of `table.md`."""
    blocks = place(records)
    evidence = evidence_of(records)
    tables = []
    for number, block in enumerate(blocks, start=1):
        cells = cells_of(block)
        tables.append(_table(block, [_row(block, row, cells, evidence) for row in block.rows], title, number))
    missing = missing_line(blocks)
    note = [rf"\noindent {escape(missing)}"] if missing else []
    return "\n\n".join([_HEAD, *tables, *note, _FOOT]) + "\n"


def _row(block: Block, row: str, cells: Mapping[tuple[str, float], Cell], evidence: Evidence) -> str:
    name = f"{row} {COLLAPSED}" if is_collapsed(block, row, evidence.collapsed) else row
    shown = [
        _cell(cells.get((row, fraction)), is_stale(evidence.runs.behind(block, row, fraction), evidence.stale))
        for fraction in block.fractions
    ]
    return " & ".join([escape(name), *shown])


def _cell(cell: Cell | None, stale: bool) -> str:
    if cell is None:
        return escape(NOT_RUN)
    accuracy = _math(cell.accuracy, cell.best_tied)
    marks = ("" if cell.complete else INCOMPLETE) + (STALE if stale else "")
    difference = "" if cell.difference is None else rf" {{\scriptsize (${format_difference(cell.difference)}$)}}"
    return accuracy + escape(marks) + difference


def _math(accuracy: Estimate, bold: bool) -> str:
    text = f"{100 * accuracy.mean:.1f}"
    if not math.isnan(accuracy.half_width):
        text += rf" \pm {100 * accuracy.half_width:.1f}"
    return rf"$\mathbf{{{text}}}$" if bold else f"${text}$"


def _table(block: Block, rows: Sequence[str], title: str, number: int) -> str:
    after = block.rows.index("supervised") + 1 if "supervised" in block.rows else 0
    body = [rf"{row} \\" for row in rows]
    if 0 < after < len(body):
        body.insert(after, r"\midrule")
    if block.ceiling:
        ceiling = _math(estimate(block.ceiling.values()), False)
        body += [r"\midrule", rf"{escape(CEILING)} & {' & '.join([ceiling] * len(block.fractions))} \\"]
    columns = " & ".join(["", *(escape(column_title(block, fraction)) for fraction in block.fractions)])
    caption = escape(f"{title}: test accuracy in percent, {block_title(block, True)}.")
    lines = [
        *(r"\begin{table}[htbp]", r"\centering", r"\footnotesize", r"\setlength{\tabcolsep}{4pt}"),
        rf"\caption{{{caption}}}",
        rf"\label{{tab:{re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-')}-{number}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{l{'r' * len(block.fractions)}}}",
        *(r"\toprule", rf"{columns} \\", r"\midrule", *body, r"\bottomrule"),
        *(r"\end{tabular}}", r"\end{table}"),
    ]
    return "\n".join(lines)


def escape(text: str) -> str:
    """Text that LaTeX sets as it stands; letters beyond Latin-1 lose their accents, other signs become `?`."""
    return "".join(_SPECIAL[character] if character in _SPECIAL else _plain(character) for character in text)


def _plain(character: str) -> str:
    if character.isprintable() and ord(character) < 256:
        return character
    bare = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")
    return "".join(_SPECIAL.get(part, part) for part in bare) if bare.isprintable() and bare else "?"
