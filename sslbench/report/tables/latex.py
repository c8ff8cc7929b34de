"""`table.tex`: the tables for a paper. Compiles on its own, and as input of one that loads booktabs and graphicx."""

from __future__ import annotations

import re
import unicodedata

from sslbench.report.tables.sheet import Entry, Sheet, Tables
from sslbench.report.words.reading import COLLAPSED, INCOMPLETE, STALE
from sslbench.report.words.wording import fewer_line

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


def table_tex(tables: Tables, title: str) -> str:
    """One LaTeX table per sheet of accuracy, with the cells and marks of `table.md`."""
    parts = [_table(sheet, title, number) for number, sheet in enumerate(tables.accuracy, start=1)]
    fewer = fewer_line(tables.layout.blocks)
    note = [rf"\noindent {escape(fewer)}"] if fewer else []
    return "\n\n".join([_HEAD, *parts, *note, _FOOT]) + "\n"


def _cell(entry: Entry) -> str:
    if entry.cell is None:
        return escape(entry.marked)
    text = entry.text.replace("±", r"\pm")
    number = rf"$\mathbf{{{text}}}$" if entry.bold else f"${text}$"
    difference = rf" {{\scriptsize (${entry.difference}$)}}" if entry.difference else ""
    return number + escape("".join(mark.sign for mark in entry.marks)) + difference


def _table(sheet: Sheet, title: str, number: int) -> str:
    body = [rf"{' & '.join(map(_cell, row))} \\" for row in sheet.rows]
    if sheet.ruled:
        body.insert(sheet.ruled, r"\midrule")
    columns = " & ".join(map(escape, sheet.headings))
    caption = escape(f"{title}: test accuracy in percent, {sheet.place}: {sheet.title}.")
    lines = [
        *(r"\begin{table}[htbp]", r"\centering", r"\footnotesize", r"\setlength{\tabcolsep}{4pt}"),
        rf"\caption{{{caption}}}",
        rf"\label{{tab:{re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-')}-{number}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{{'l' * sheet.names}{'r' * (len(sheet.headings) - sheet.names)}}}",
        *(r"\toprule", rf"{columns} \\", r"\midrule", *body, r"\bottomrule", r"\end{tabular}}"),
        *(rf"\par\smallskip {escape(note)}" for note in sheet.notes),
        r"\end{table}",
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
