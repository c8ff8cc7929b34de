"""What a dry run says of a plan that is done in part."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from rich.console import Console

from sslbench.commands import missing
from sslbench.commands.missing import missing_words, say_matrices
from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.spec import Suite
from sslbench.datasets._base import Dataset
from sslbench.sweep.cells import Source
from sslbench.sweep.plan import make_plan
from sslbench.sweep.request import Prepared

Cell = PretrainCell | EvaluateCell


def prepared(digits: Dataset, done: Callable[[Cell], bool]) -> Prepared:
    """Two pretexts at two latent sizes and two seeds, at two fractions by two protocols; a part of it done."""
    suite = Suite(
        name="part",
        datasets=("digits",),
        encoders=("conv",),
        pretexts=("random_init", "rotation"),
        latent_dims=(8, 16),
        seeds=(0, 1),
        epochs=1.0,
        label_fractions=(0.05, 1.0),
        protocols=("linear_probe", "knn"),
        include=lambda one: one.latent_dim == 8 or one.label_fraction == 1,
    )
    plan = make_plan(suite, {"digits": Source.of("digits", digits)})
    cells: list[Cell] = [*plan.pretrain, *plan.evaluations]
    finished = {cell.cell_id: "run" for cell in cells if done(cell)}
    return Prepared(suite, plan, {"digits": "digits"}, {"digits": 1297}, finished)


def pretraining(cell: Cell) -> PretrainCell:
    return cell if isinstance(cell, PretrainCell) else cell.pretrain


def test_pretexts_of_which_everything_is_missing_share_a_line(digits: Dataset) -> None:
    assert missing_words(prepared(digits, lambda cell: False)) == ["everything"]
    assert missing_words(prepared(digits, lambda cell: True)) == []
    one = prepared(digits, lambda cell: pretraining(cell).pretext == "rotation")
    assert missing_words(one) == ["random_init: everything"]
    begun = prepared(digits, lambda cell: cell is pretraining(cell) and cell.pretext == "rotation")
    assert missing_words(begun)[0] == "random_init: everything"


def test_parts_are_named_by_latent_size_and_protocol_and_then_by_budget_and_seed(digits: Dataset) -> None:
    def done(cell: Cell) -> bool:
        trained = pretraining(cell)
        if trained.pretext == "random_init":
            return True
        if isinstance(cell, PretrainCell):
            return cell.latent_dim == 8
        return trained.latent_dim == 8 and (cell.protocol == "knn" or (cell.label_fraction, trained.seed) == (0.05, 0))

    assert missing_words(prepared(digits, done)) == [
        "rotation: pretraining of d=16 s=0, d=16 s=1",
        "rotation d=8, linear_probe: 5% (seed 1); 100% (seeds 0, 1)",
        "rotation d=16, linear_probe: everything",
        "rotation d=16, knn: everything",
    ]


def test_more_lines_than_anybody_reads_are_counted(digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing, "LINES", 3)
    half = prepared(digits, lambda cell: pretraining(cell).seed == 0)
    lines = missing_words(half)
    assert len(lines) == 3
    assert lines[0] == "rotation: pretraining of d=8 s=1, d=16 s=1"
    assert lines[-1] == "… and 8 more such lines"


def test_matrices_count_what_is_done_over_seeds_and_latent_sizes(digits: Dataset) -> None:
    half = prepared(digits, lambda cell: pretraining(cell).seed == 0 or pretraining(cell).pretext == "random_init")
    printed = StringIO()
    say_matrices(half, Console(width=80, file=printed, color_system=None))
    lines = [" ".join(line.split()) for line in printed.getvalue().splitlines()]
    at = lines.index("pretraining, by latent size")
    assert lines[at + 2 : at + 6 : 1][0] == "d=8 d=16"
    assert {"rotation 1/2 1/2", "random_init 2 2"} <= set(lines[at : at + 6])
    at = lines.index("linear_probe on digits, by label fraction")
    assert "5% 100%" in lines[at : at + 6]
    assert {"rotation 1/2 2/4", "random_init 2 4"} <= set(lines[at : at + 6])
    assert "knn on digits, by label fraction" in lines
