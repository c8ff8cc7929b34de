"""Which labels an evaluation may see: a share of every class, or the same number of each."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
import torch

from sslbench.contract.spec import InputError, InputSpec, Suite
from sslbench.datasets._base import Dataset
from sslbench.engine.budget import draw_budget, draw_unseen
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


def test_an_unstratified_draw_looks_at_no_label(digits: Dataset) -> None:
    cell = dataclasses.replace(evaluate_cell(pretrain_cell("random_init"), 0.05, "knn"), stratified=False)
    mixed = dataclasses.replace(digits, train_labels=digits.train_labels.flip(0))
    drawn, stratified = budget_of(cell, digits), budget_of(dataclasses.replace(cell, stratified=True), digits)
    assert budget_of(cell, mixed).digest == drawn.digest
    assert budget_of(dataclasses.replace(cell, stratified=True), mixed).digest != stratified.digest != drawn.digest
    assert len(drawn.indices.unique()) == round(0.05 * len(digits.train_labels))


def test_unstratified_draws_are_nested_and_follow_dataset_and_seed() -> None:
    budgets = [set(draw_unseen("made_up", 500, share, 3).indices.tolist()) for share in (0.0001, 0.01, 0.3, 1.0)]
    assert [len(one) for one in budgets] == [1, 5, 150, 500]
    for smaller, larger in itertools.pairwise(budgets):
        assert smaller < larger
    others = {draw_unseen(name, 500, 0.3, seed).digest for name, seed in (("made_up", 3), ("made_up", 4), ("b", 3))}
    assert len(others) == 3
    with pytest.raises(InputError, match=r"label fraction 0 is outside"):
        draw_unseen("made_up", 500, 0.0, 3)


def test_only_an_unstratified_cell_has_another_identity(digits: Dataset) -> None:
    sources = {"digits": Source.of("digits", digits)}
    usual, drawn = (make_plan(dataclasses.replace(SUITE, stratified=said), sources) for said in (True, False))
    (cell,), (unseen,) = usual.evaluations, drawn.evaluations
    assert cell.cell_id == "bd6c43c06969e7f6"  # as before there was a choice
    assert unseen.cell_id != cell.cell_id
    assert unseen.pretrain.cell_id == cell.pretrain.cell_id
    assert (cell.title, unseen.title) == ("5% knn", "5% at random knn")


def test_so_many_of_every_class_cannot_be_drawn_without_looking() -> None:
    with pytest.raises(InputError, match="labels_per_class looks at labels, and stratified=False draws without"):
        dataclasses.replace(SUITE, labels_per_class=(2,), stratified=False)


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
