"""What a suite's grid becomes."""

from __future__ import annotations

from dataclasses import replace

from sslbench.contract.cells import FEW_STEPS, PretrainCell
from sslbench.contract.spec import Suite
from sslbench.datasets._base import Dataset
from sslbench.sweep.asked import Selection
from sslbench.sweep.plan import Source, beyond, make_plan


def test_a_suite_may_have_more_seeds_where_labels_are_few(digits: Dataset) -> None:
    suite = Suite(
        name="seeds",
        datasets=("digits",),
        encoders=("conv",),
        pretexts=("random_init",),
        latent_dims=(8,),
        seeds=(0, 1, 2),
        epochs=1.0,
        label_fractions=(1.0,),
        labels_per_class=(1,),
        protocols=("knn",),
        include=lambda one: one.seed == 0 or one.labels_per_class == 1,
    )
    plan = make_plan(suite, {"digits": Source.of("digits", digits)})
    run = {(cell.pretrain.seed, cell.labels_per_class) for cell in plan.evaluations}
    assert run == {(0, None), (0, 1), (1, 1), (2, 1)}


def test_what_a_suite_evaluates_nowhere_is_not_pretrained(digits: Dataset) -> None:
    suite = Suite(
        name="holes",
        datasets=("digits",),
        encoders=("conv",),
        pretexts=("random_init", "rotation"),
        latent_dims=(8, 16),
        seeds=(0,),
        epochs=1.0,
        label_fractions=(0.05,),
        protocols=("knn",),
        include=lambda one: (one.pretext, one.latent_dim) != ("rotation", 16),
    )
    plan = make_plan(suite, {"digits": Source.of("digits", digits)})
    kept = {(cell.pretext, cell.latent_dim) for cell in plan.pretrain}
    assert kept == {("random_init", 8), ("random_init", 16), ("rotation", 8)}
    assert all(plan.evaluate[cell.cell_id] for cell in plan.pretrain)


def test_what_a_selection_has_beyond_its_suite_is_named() -> None:
    suite = Suite("s", ("digits",), ("conv",), ("rotation",), (8,), (0,), epochs=1, label_fractions=(0.05, 1.0))
    assert beyond(suite, Selection()) == ()
    assert beyond(suite, Selection(("digits",), ("rotation",), (8,), (1.0,), (0,))) == ()
    more = Selection(("mnist",), ("rotation", "simclr"), (16,), (0.05, 0.1), (0, 1))
    named = ("dataset mnist", "pretext simclr", "latent size 16", "label fraction 0.1", "seed 1")
    assert beyond(suite, more) == named


def test_epochs_over_few_inputs_of_ones_own_are_at_least_so_many_steps(digits: Dataset) -> None:
    """1,297 digits in batches of 256 are five steps an epoch."""
    suite = Suite(
        "s", ("digits",), ("conv",), ("random_init", "rotation"), (8,), (0,), epochs=2, label_fractions=(1.0,)
    )
    published = Source.of("digits", digits)
    own = Source.of("folder:/photos", digits)
    assert (own.own, published.own, Source.of("ucr:GunPoint", digits).own) == (True, False, False)

    def trained(suite: Suite, source: Source) -> list[PretrainCell]:
        return list(make_plan(suite, {"digits": source}).pretrain)

    few, baseline = trained(suite, own)
    assert (few.epochs, few.steps, few.steps_over(1297)) == (0.0, FEW_STEPS, FEW_STEPS)
    assert (baseline.epochs, baseline.steps, baseline.pretrain_dataset) == (0.0, None, "")
    assert [cell.epochs for cell in trained(suite, published)] == [2.0, 0.0]  # what is published keeps its identity
    for enough in (replace(suite, epochs=40), replace(suite, epochs=None, steps=10)):
        assert trained(enough, own) == trained(enough, published)
