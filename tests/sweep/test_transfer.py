"""Pretraining on one dataset, evaluating on another; several labelled subsets of one pretraining."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest
import torch

from sslbench.contract.spec import InputSpec, Suite, ViewPolicy
from sslbench.datasets import load
from sslbench.datasets._base import Dataset
from sslbench.engine.budget import draw_budget
from sslbench.engine.evaluate import evaluate, extract, refit
from sslbench.engine.pretrain import build
from sslbench.report.records import from_records
from sslbench.report.scores.layout import lay_out
from sslbench.stores.addresses import locate, prepare
from sslbench.stores.axes import told_apart_by
from sslbench.sweep.asked import Selection
from sslbench.sweep.cells import Source
from sslbench.sweep.plan import Plan, make_plan, select
from sslbench.sweep.request import records_of, tracker_of
from sslbench.sweep.studies import open_queues, queued_pretraining
from tests.conftest import CPU, evaluate_cell, pretrain_cell, request_for, work_off
from tests.made_up import markdown

CLOTHES = InputSpec("image", (1, 28, 28), ViewPolicy(horizontal_flip=True))
DIGITS = InputSpec("image", (1, 28, 28), ViewPolicy(horizontal_flip=False))
PHOTOS = InputSpec("image", (3, 32, 32))
LARGE = InputSpec("image", (1, 32, 32))

SUITE = Suite(
    name="tested",
    datasets=("digits", "fashion_mnist"),
    pretrain_datasets=("fashion_mnist", "digits"),
    encoders=("conv",),
    pretexts=("raw_pixels", "random_init", "supervised", "rotation"),
    latent_dims=(8, 16),
    seeds=(0,),
    epochs=1,
    label_fractions=(0.1,),
    protocols=("linear_probe",),
)


def planned(suite: Suite, **inputs: InputSpec) -> Plan:
    return make_plan(suite, {name: Source(name, spec, 1000, 10) for name, spec in inputs.items()})


def pairs(plan: Plan, pretext: str) -> set[tuple[str, str, int]]:
    """(pretraining dataset as records say it, evaluated dataset, latent size) of every evaluation of a pretext."""
    cells = [cell for cell in plan.evaluations if cell.pretrain.pretext == pretext]
    found = {(cell.pretrain.pretrain_dataset, cell.dataset, cell.pretrain.latent_dim) for cell in cells}
    assert len(found) == len(cells)
    return found


def test_every_pretraining_dataset_meets_every_evaluated_one() -> None:
    plan = planned(SUITE, digits=DIGITS, fashion_mnist=CLOTHES)
    both = ("digits", "fashion_mnist")
    assert pairs(plan, "rotation") == {(seen, shown, size) for seen in both for shown in both for size in (8, 16)}
    assert len([cell for cell in plan.pretrain if cell.pretext == "rotation"]) == 4  # one encoder serves both datasets
    assert plan.unsuitable == {}


def test_baselines_train_on_nothing_and_stand_once_per_evaluated_dataset() -> None:
    plan = planned(SUITE, digits=DIGITS, fashion_mnist=CLOTHES)
    for pretext in ("random_init", "supervised"):
        assert pairs(plan, pretext) == {("", shown, size) for shown in SUITE.datasets for size in (8, 16)}
    assert pairs(plan, "raw_pixels") == {("", shown, 784) for shown in SUITE.datasets}
    baselines = [cell for cell in plan.evaluations if cell.pretrain.pretext != "rotation"]
    assert all(cell.pretrain.dataset == cell.dataset for cell in baselines)


def test_without_pretraining_datasets_each_dataset_is_its_own() -> None:
    plan = planned(dataclasses.replace(SUITE, pretrain_datasets=()), digits=DIGITS, fashion_mnist=CLOTHES)
    assert pairs(plan, "rotation") == {(name, name, size) for name in SUITE.datasets for size in (8, 16)}


@pytest.mark.parametrize(
    ("encoder", "shown", "reason"),
    [
        ("conv", PHOTOS, "pretrained on inputs of 1x28x28, encoder 'conv' cannot represent 3x32x32"),
        ("mlp", LARGE, "pretrained on inputs of 1x28x28, encoder 'mlp' cannot represent 1x32x32"),
        ("conv", LARGE, None),
        ("mlp", DIGITS, None),
    ],
)
def test_shapes_that_do_not_fit_are_left_out_with_the_reason(
    encoder: str, shown: InputSpec, reason: str | None
) -> None:
    suite = dataclasses.replace(
        SUITE,
        datasets=("digits",),
        pretrain_datasets=("fashion_mnist",),
        encoders=(encoder,),
        pretexts=("supervised", "autoencoder"),
    )
    plan = planned(suite, digits=shown, fashion_mnist=CLOTHES)
    place = ("fashion_mnist, evaluated on digits", encoder, "autoencoder")
    assert plan.unsuitable == ({} if reason is None else {place: reason})
    assert bool(pairs(plan, "autoencoder")) is (reason is None)
    assert pairs(plan, "supervised")


def test_a_transferred_encoder_is_augmented_as_the_evaluated_dataset_allows(digits: Dataset) -> None:
    cell = evaluate_cell(pretrain_cell("random_init"), 0.1, "finetune")
    clothes = dataclasses.replace(digits, input_spec=CLOTHES)
    encoder = build(cell.pretrain, clothes, CPU).encoder
    state = torch.random.get_rng_state()
    fitted = refit(encoder, "conv", digits.input_spec)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert (encoder.input_spec.views.horizontal_flip, fitted.input_spec.views.horizontal_flip) == (True, False)
    inputs = torch.rand(4, 1, 28, 28)
    assert torch.equal(fitted.eval()(inputs), encoder.eval()(inputs))


def test_an_encoder_of_any_size_is_evaluated_on_larger_inputs(digits: Dataset) -> None:
    larger = torch.nn.functional.pad(digits.train_inputs, (2, 2, 2, 2))
    test = torch.nn.functional.pad(digits.test_inputs, (2, 2, 2, 2))
    shown = dataclasses.replace(digits, name="large", input_spec=LARGE, train_inputs=larger, test_inputs=test)
    encoder = build(pretrain_cell("random_init"), digits, CPU).encoder
    for protocol in ("knn", "finetune"):
        cell = dataclasses.replace(evaluate_cell(pretrain_cell("random_init"), 0.05, protocol), dataset="large")
        if protocol == "finetune":
            cell = dataclasses.replace(cell, config=dataclasses.replace(cell.config, min_steps=5, max_steps=5))
        assert 0 <= evaluate(cell, shown, encoder, extract(encoder, shown, CPU)["latent"], CPU).accuracy <= 1


def test_a_label_seed_draws_the_labels_and_the_same_ones_for_every_row(digits: Dataset) -> None:
    digests = {}
    for pretext, seed, label_seed in (("random_init", 0, 5), ("autoencoder", 1, 5), ("random_init", 0, 0)):
        cell = evaluate_cell(pretrain_cell(pretext, seed=seed), 0.05, "knn")
        cell = dataclasses.replace(cell, label_seed=label_seed)
        encoder = build(cell.pretrain, digits, CPU).encoder
        features = extract(encoder, digits, CPU)["latent"]
        digests[pretext, label_seed] = evaluate(cell, digits, encoder, features, CPU).budget.digest
    assert digests["random_init", 5] == digests["autoencoder", 5]
    assert digests["random_init", 5] == draw_budget("digits", digits.train_labels, 0.05, 5).digest
    assert digests["random_init", 0] == draw_budget("digits", digits.train_labels, 0.05, 0).digest


def test_label_seeds_multiply_evaluations_and_not_pretrainings() -> None:
    alone = planned(dataclasses.replace(SUITE, seeds=(0, 1)), digits=DIGITS, fashion_mnist=CLOTHES)
    several = dataclasses.replace(SUITE, seeds=(0, 1), label_seeds=(7, 8, 9))
    crossed = planned(several, digits=DIGITS, fashion_mnist=CLOTHES)
    assert [cell.cell_id for cell in crossed.pretrain] == [cell.cell_id for cell in alone.pretrain]
    assert len(crossed.evaluations) == 3 * len(alone.evaluations)
    assert {cell.label_seed for cell in crossed.evaluations} == {7, 8, 9}
    assert all(cell.label_seed == cell.pretrain.seed for cell in alone.evaluations)


def test_a_part_of_a_suite_is_checkpointed_at_the_fraction_of_the_whole() -> None:
    suite = dataclasses.replace(SUITE, label_fractions=(0.01, 0.1), checkpoints=(0.5, 1))
    part = select(suite, Selection(label_fractions=(0.1,)))
    plan = planned(part, digits=DIGITS, fashion_mnist=CLOTHES)
    scores = [cell for cells in plan.checkpoints.values() for cell in cells]
    assert {(cell.label_fraction, cell.protocol) for cell in scores} == {(0.01, "knn")}
    assert {cell.pretrain.pretext for cell in scores} == {"rotation"}


SUITE_FILE = '''"""Digits and the same digits upside down."""
import dataclasses
from sslbench.datasets import DATASETS
from sslbench.datasets.images.digits import load_digits
from sslbench.contract.spec import Suite

@DATASETS.register("upside-down")
def load_upside_down(root):
    digits = load_digits(root)
    train, test = digits.train_inputs.flip(2), digits.test_inputs.flip(2)
    return dataclasses.replace(
        digits, name="upside-down", train_inputs=train, test_inputs=test, unlabelled_inputs=train
    )

SUITE = Suite(
    name="turned", datasets=("digits", "upside-down"), pretrain_datasets=("upside-down",), encoders=("conv",),
    pretexts=("supervised", "rotation"), latent_dims=(8,), seeds=(0, 1), label_seeds=(3, 4), epochs=2,
    label_fractions=(0.05, 1.0), protocols=("knn",), checkpoints=(0.5, 2),
    settings={"finetune": {"min_steps": 5, "max_steps": 5}},
)
'''


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The records of the suite above, run by one worker in this process."""
    folder = tmp_path_factory.mktemp("turned")
    request = request_for(folder, "turned", SUITE_FILE)
    prepared, _ = work_off(request)
    return from_records(records_of(request, prepared))


def test_a_transfer_suite_runs_to_records_of_both_datasets(finished: pd.DataFrame) -> None:
    scores = finished[(finished["metric"] == "accuracy") & (finished["split"] == "test")]
    axes = ["pretext", "pretrain_dataset", "dataset"]
    counts = scores.groupby(axes).size().to_dict()
    # two seeds, two label seeds and two fractions each
    assert counts == {
        ("rotation", "upside-down", "digits"): 8,
        ("rotation", "upside-down", "upside-down"): 8,
        ("supervised", "", "digits"): 8,
        ("supervised", "", "upside-down"): 8,
    }
    # The same encoder on other pictures gives other features, so the cache must not mix them up.
    knn = scores[scores["pretext"] == "rotation"].pivot_table("value", ["seed", "label_fraction"], "dataset")
    assert (knn["digits"] != knn["upside-down"]).any()


def test_checkpoints_become_records_of_every_dataset_and_label_seed(finished: pd.DataFrame) -> None:
    scores = finished[finished["metric"].str.startswith("accuracy_after_")]
    assert set(scores["metric"]) == {"accuracy_after_0.5_epochs", "accuracy_after_2_epochs"}
    assert set(scores["pretext"]) == {"rotation"}
    assert len(scores) == 2 * 2 * 2 * 2 * 2  # epochs, datasets, seeds, label seeds, splits
    assert set(scores["protocol"]) == {"knn"}
    assert set(scores["label_fraction"]) == {0.05}
    assert set(scores["num_labels"]) == {len(draw_budget("digits", load_labels(), 0.05, 3).indices)}


def load_labels() -> torch.Tensor:
    return load("digits", Path()).train_labels


def test_the_checkpoint_at_the_end_is_the_evaluation_at_the_end(finished: pd.DataFrame) -> None:
    chosen = finished[(finished["pretext"] == "rotation") & (finished["label_fraction"] == 0.05)]
    axes = ["dataset", "seed", "label_seed", "split"]
    last = chosen[chosen["metric"] == "accuracy_after_2_epochs"].set_index(axes)["value"].sort_index()
    final = chosen[chosen["metric"] == "accuracy"].set_index(axes)["value"].sort_index()
    # The bank went through the encoder in other batches, which may show in the last bits and so in a tie.
    pd.testing.assert_series_equal(last, final, check_exact=False, rtol=0, atol=0.005)


def test_tables_have_a_section_per_pretraining_dataset_with_the_baselines_in_each(finished: pd.DataFrame) -> None:
    blocks = {block.place: block for block in lay_out(finished).blocks if block.protocol == "knn"}
    assert set(blocks) == {"digits from upside-down, conv", "upside-down, conv"}
    for block in blocks.values():
        assert block.rows == ("supervised", "rotation")
        # Each seed with one label seed: two evaluations of one training are not independent.
        assert set(block.replicates.values()) == {((0, 3), (1, 4))}
        assert block.crossed
        assert all(len(scores) == 2 for scores in block.scores.values())
    page = markdown(finished)
    assert "## digits from upside-down, conv\n\n### knn, latent size 8" in page
    assert "| digits      | conv      | upside-down     | rotation" in page
    assert "Seeds are crossed with labelled subsets" in page
    assert "missing" not in page


def test_the_runs_and_trials_of_a_suite_say_what_tells_them_apart(tmp_path: Path) -> None:
    """Of several datasets and encoders, in MLflow by the names of runs and in Optuna by an axis of the study."""
    stores = locate(tmp_path)
    prepare(stores)
    suite = dataclasses.replace(SUITE, encoders=("mlp", "conv"))
    cell = planned(suite, digits=DIGITS, fashion_mnist=CLOTHES).evaluations[-1]
    tracker = tracker_of(stores, suite.name, told_apart_by(suite))
    parent = tracker.start_pretrain(cell.pretrain, None, "cpu")
    child = tracker.start_evaluate(cell, parent, None, "cpu")
    pretrained, evaluated = (tracker.client.get_run(each).info.run_name for each in (parent, child))
    assert pretrained == f"{cell.pretrain.title} · {cell.pretrain.dataset} · {cell.pretrain.encoder}"
    assert evaluated == f"{pretrained} · {cell.title}"
    pretrain, _ = open_queues(suite, Selection(), stores.storage)
    names, cells = (
        {"digits": "digits", "fashion_mnist": "fashion_mnist"},
        planned(suite, digits=DIGITS, fashion_mnist=CLOTHES),
    )
    pretrain.fill([queued_pretraining(each, names) for each in cells.pretrain])
    assert {trial.params["encoder"] for trial in pretrain.waiting()} == {"mlp", "conv", "raw"}
    single, _ = open_queues(SUITE, Selection(), stores.storage)
    assert "encoder" not in single.axes
