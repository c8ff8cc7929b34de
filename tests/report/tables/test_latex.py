"""`table.tex`: the cells of the table, in LaTeX that compiles whatever the names."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from sslbench.report.records import from_records
from sslbench.report.tables.latex import escape
from tests.made_up import latex, markdown, probes, supervised


def cells(tex: str) -> list[list[str]]:
    """Rows of all tables, without mathematics, sizes and bold."""
    rows = []
    for line in re.findall(r"^(.*&.*) \\\\$", tex, re.MULTILINE):
        plain = re.sub(r"\\mathbf\{([^}]*)\}|\{\\scriptsize (.*?)\}", lambda match: match[1] or match[2], line)
        plain = plain.replace(r" \pm ", " ± ").replace("$", "").replace(r"\%", "%").replace(r"\_", "_")
        plain = plain.replace(r"\textdagger{}", " †").replace("--", "–")
        rows.append([text.strip() for text in plain.split("&")])
    return rows


def test_the_tables_hold_the_cells_of_the_markdown(golden: pd.DataFrame) -> None:
    shown = markdown(golden, "tested").split("## How to read this")[0].replace("**", "")
    wanted = [
        [text.strip() for text in line.strip("|").split("|")]
        for line in shown.splitlines()
        if line.startswith("|") and ":--" not in line
    ]
    assert cells(latex(golden, "tested")) == wanted


def test_environments_braces_and_dollars_are_balanced() -> None:
    records = from_records(probes("sim_{clr}$", 0.8, 0.82) + supervised(0.7, 0.71, 0.72))
    tex = latex(records.assign(dataset='50% & #1 \\ ~^ "é漢|<>'), "a_b & c")
    begun = re.findall(r"\\begin\{(\w+)\}", tex)
    ended = re.findall(r"\\end\{(\w+)\}", tex)
    assert sorted(begun) == sorted(ended)
    assert begun.count("tabular") == ended.count("tabular") == tex.count(r"\toprule") == tex.count(r"\bottomrule") == 1
    bare = re.sub(r"\\[{}$&%#_]", "", tex)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert tex.isascii() or set(tex) - set(map(chr, range(256))) == set()


def test_every_row_has_the_columns_of_its_table(golden: pd.DataFrame) -> None:
    tex = latex(golden, "tested")
    for columns, body in re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", tex, re.DOTALL):
        rows = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert rows
        assert {len(re.split(r"(?<!\\)&", line)) for line in rows} == {len(columns)}


def test_bold_means_tied_for_best() -> None:
    tex = latex(from_records(probes("simclr", 0.8, 0.82, 0.81) + supervised(0.5, 0.52, 0.51)), "t")
    assert r"simclr & $\mathbf{81.0 \pm 2.5}$ {\scriptsize ($+30.0$)}" in tex
    assert r"supervised & $51.0 \pm 2.5$" in tex


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b", r"a\_b"),
        ("50% & more", r"50\% \& more"),
        ("\\end{document}", r"\textbackslash{}end\{document\}"),
        ("~^", r"\textasciitilde{}\textasciicircum{}"),
        ("$x$ #1", r"\$x\$ \#1"),
        ("é", "é"),
        ("ő 漢", "o ?"),
        ("\n", "?"),
    ],
)
def test_special_characters_are_set_as_they_stand(text: str, expected: str) -> None:
    assert escape(text) == expected


def test_what_is_missing_stands_below_the_tables() -> None:
    tex = latex(from_records(probes("simclr", 0.8, 0.8) + probes("rotation", 0.7)), "t")
    assert (
        r"\noindent fewer seeds than other cells of the column: rotation linear\_probe d=32 at 1\% (without seed 1)."
        in tex
    )


def test_equal_records_give_equal_tables(golden: pd.DataFrame) -> None:
    assert latex(golden, "t") == latex(golden.sample(frac=1, random_state=1), "t")
