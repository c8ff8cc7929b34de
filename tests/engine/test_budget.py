"""Which labels an evaluation may see: a share of every class, or the same number of each."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
import torch

from sslbench.contract.spec import InputError, InputSpec, Suite
from sslbench.datasets._base import Dataset
from sslbench.engine.budget import draw_budget
from sslbench.engine.evaluate import budget_of
from sslbench.sweep.plan import Source, make_plan
from tests.conftest import evaluate_cell, pretrain_cell

SUITE = Suite("s", ("digits",), ("conv",), ("random_init",), (8,), (0,), 1.0, (0.05,), ("knn",))


@pytest.mark.parametrize("count", [1, 2, 6, 50])
def test_so_many_labels_of_every_class_are_exactly_so_many(digits: Dataset, count: int) -> None:
    chosen = draw_budget("digits", digits.train_labels, count, 0).indices
    assert digits.train_labels[chosen].bincount().tolist() == [count] * 10
    assert torch.equal(chosen, chosen.unique())


def test_smaller_budgets_lie_in_larger_ones_whether_shares_or_numbers(digits: Dataset) -> None:
    sizes = (1, 2, 0.02, 6, 0.1, 50, 0.5, 1.0)  # in labels of a class about 1, 2, 3, 6, 13, 50, 65, 130
    budgets = [set(draw_budget("digits", digits.train_labels, size, 3).indices.tolist()) for size in sizes]
    for smaller, larger in itertools.pairwise(budgets):
        assert smaller < larger
    assert len(budgets[-1]) == len(digits.train_labels)


def test_other_seeds_draw_other_labels_of_a_class(digits: Dataset) -> None:
    first, second = (draw_budget("digits", digits.train_labels, 6, seed) for seed in (0, 1))
    assert first.digest != second.digest
    assert first.digest == draw_budget("digits", digits.train_labels, 6, 0).digest


def test_a_class_with_fewer_gives_all_it_has() -> None:
    labels = torch.tensor([0] * 9 + [1] * 2 + [2] * 5)
    chosen = draw_budget("made_up", labels, 4, 0).indices
    assert labels[chosen].bincount().tolist() == [4, 2, 4]


@pytest.mark.parametrize("fraction", [0.001, 0.005, 0.02])
def test_a_share_is_at_least_one_of_every_class(digits: Dataset, fraction: float) -> None:
    counts = digits.train_labels[draw_budget("digits", digits.train_labels, fraction, 0).indices].bincount()
    whole = digits.train_labels.bincount()
    assert counts.tolist() == [max(1, round(fraction * number)) for number in whole.tolist()]


def test_a_cell_draws_what_it_was_given_as(digits: Dataset) -> None:
    cell = evaluate_cell(pretrain_cell("random_init"), 0.1, "knn")
    per_class = dataclasses.replace(cell, labels_per_class=3)
    assert budget_of(cell, digits).digest == draw_budget("digits", digits.train_labels, 0.1, 0).digest
    assert budget_of(per_class, digits).digest == draw_budget("digits", digits.train_labels, 3, 0).digest


def test_numbers_stand_among_the_shares_by_size(digits: Dataset) -> None:
    suite = dataclasses.replace(SUITE, label_fractions=(0.005, 0.05), labels_per_class=(30, 2))
    cells = make_plan(suite, {"digits": Source.of("digits", digits)}).evaluations
    total = len(digits.train_labels)
    assert [(cell.label_fraction, cell.labels_per_class) for cell in cells] == [
        (0.005, None),
        (20 / total, 2),
        (0.05, None),
        (300 / total, 30),
    ]
    sources = {"digits": Source.of("digits", digits)}
    alone = make_plan(dataclasses.replace(suite, label_fractions=()), sources).evaluations
    assert [cell.cell_id for cell in alone] == [cells[1].cell_id, cells[3].cell_id]


def test_more_labels_of_a_class_than_there_are_is_refused_before_work(digits: Dataset) -> None:
    suite = dataclasses.replace(SUITE, labels_per_class=(200,))
    with pytest.raises(
        InputError, match="200 labels per class are more than the 1,297 labels of 10 classes of 'digits'"
    ):
        make_plan(suite, {"digits": Source.of("digits", digits)})


def test_the_same_number_of_labels_twice_is_refused_before_work() -> None:
    """Tables have one column for it, and two scores for a cell of it would be one too many."""
    suite = dataclasses.replace(SUITE, label_fractions=(0.001, 0.01), labels_per_class=(1, 6))
    source = Source("digits", InputSpec("image", (1, 28, 28)), 60_000, 10)
    with pytest.raises(InputError, match=r"6 labels per class of 'digits' are its label fraction 0\.001; keep one"):
        make_plan(suite, {"digits": source})
