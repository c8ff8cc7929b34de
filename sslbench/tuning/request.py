"""What a person asked to tune, checked, its data blindfolded and its arms built before any training starts."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from sslbench.contract.identity import named_seed
from sslbench.contract.outside import load_plugins
from sslbench.contract.schema import Count, Epochs, checked
from sslbench.contract.settings import Budget, TunedArm, configure, read_tuning
from sslbench.contract.spec import InputError, Suite
from sslbench.datasets._base import Dataset
from sslbench.engine.budget import draw_budget
from sslbench.pretexts import PRETEXTS
from sslbench.protocols.finetune import FinetuneConfig
from sslbench.stores.addresses import Stores
from sslbench.sweep import suites
from sslbench.sweep.asked import Request, Selection
from sslbench.sweep.cells import Source
from sslbench.sweep.plan import Plan, make_plan, select
from sslbench.sweep.request import acquire, resolve_device
from sslbench.tuning.arms import Arm, Bench, PretextArm, SupervisedArm
from sslbench.tuning.criteria import CRITERIA, SUPERVISED, Sight
from sslbench.tuning.study import ArmStudy

#: Settings chosen on some labels serve budgets up to so many times as many: curves bend within a decade or two, and
#: gains of an earlier tuning at its 600 labels were gone at 60,000.
SERVED = 10


@dataclass(frozen=True)
class TuneRequest:
    """What a person asked to tune.

    Attributes:
        at: suite, stores, data and device, and by its selection the one place of the suite where it is tuned. An empty
            axis means the suite's first; no pretexts mean all of the suite and `supervised`.
        epochs: None means the suite's.
        settings_file: None means `settings/<suite>.json` beside the suite's file.
    """

    at: Request
    trials: int = 20
    epochs: float | None = None
    criterion: str = "budget_cv"
    settings_file: Path | None = None

    def __post_init__(self) -> None:
        checked(Count, self.trials, "--trials")
        checked(Epochs | None, self.epochs, "--epochs")


@dataclass(frozen=True)
class PreparedTuning:
    """A request after everything that can be wrong with it was checked.

    Attributes:
        suite: its name.
        studies: one per arm, with what was done of it before.
        left_out: arms that cannot be tuned here, with the reason.
        path: of the settings file.
    """

    suite: str
    budget: Budget
    studies: Sequence[ArmStudy]
    left_out: Mapping[str, str]
    stores: Stores
    path: Path


def kept_arms(path: Path, budget: Budget, tuned: Collection[str]) -> dict[str, TunedArm]:
    """Arms of a settings file that stay when others are tuned with a budget.

    Raises:
        InputError: theirs was another, and side by side they would look like a fair comparison; or it is no such file.
    """
    if not path.exists():
        return {}
    known = read_tuning(path)
    kept = {name: arm for name, arm in known.arms.items() if name not in tuned}
    if kept and known.budget != budget:
        raise InputError(
            f"{path} holds {', '.join(sorted(kept))} tuned with another budget; tune all arms again, or name another "
            "file with --settings"
        )
    return kept


def blindfold(dataset: Dataset, fraction: float, seed: int) -> Dataset:
    """The dataset with nothing left of its labels and its test split but one label budget.

    What is tuned gets this, so no rule can look at more: the budget stands where the test split was, too.
    """
    budget = draw_budget(dataset.name, dataset.train_labels, fraction, seed)
    inputs, labels = dataset.train_inputs[budget.indices], dataset.train_labels[budget.indices]
    return dataclasses.replace(
        dataset, train_inputs=inputs, train_labels=labels, test_inputs=inputs, test_labels=labels
    )


def prepare_tuning(request: TuneRequest) -> PreparedTuning:
    """Check a request, acquire its data, create its stores; no training happens.

    Raises:
        InputError: whatever is wrong, in one line.
    """
    load_plugins(request.at.plugins)
    suite = _narrowed(suites.load_untuned(request.at.suite), request.at.selection)
    rule = CRITERIA.get(request.criterion)()
    datasets = dict(acquire(suite, request.at))
    seed = named_seed("tuning", suite.seeds[0])  # no seed of a suite: neither its labels nor its initialisations
    seen = datasets[(suite.pretrain_datasets or suite.datasets)[0]]
    blind = blindfold(datasets[suite.datasets[0]], suite.label_fractions[0], seed)
    sight = Sight(blind.train_inputs, blind.train_labels, blind.unlabelled_inputs, len(blind.classes), seed)
    budget = Budget(
        dataset=blind.name,
        pretrain_dataset=seen.name,
        encoder=suite.encoders[0],
        latent_dim=suite.latent_dims[0],
        criterion=request.criterion,
        fraction=suite.label_fractions[0],
        num_labels=len(sight.labels),
        trials=request.trials,
        epochs=_epochs(request, suite),
        num_unlabelled=suite.num_unlabelled,
        seed=suite.seeds[0],
        serves_from=len(sight.labels) if rule.uses_labels else 1,
        serves_to=SERVED * len(sight.labels) if rule.uses_labels else len(datasets[suite.datasets[0]].train_labels),
    )
    bench = Bench(seen, blind, sight, rule, torch.device(resolve_device(request.at.device)))
    inputs = {name: Source.of(name, dataset) for name, dataset in datasets.items()}
    plan = make_plan(dataclasses.replace(suite, epochs=budget.epochs, steps=None, flops=None), inputs)
    arms, left_out = _arms(suite, plan, bench, budget)
    for name in request.at.selection.pretexts:
        if name in left_out:
            raise InputError(f"{name!r} cannot be tuned: {left_out[name]}")
    if not arms:
        raise InputError(f"nothing to tune: {'; '.join(f'{name}: {reason}' for name, reason in left_out.items())}")
    path = request.settings_file or suites.find(request.at.suite).parent / "settings" / f"{suite.name}.json"
    kept_arms(path, budget, [arm.name for arm in arms])  # says now what would be refused after all trials
    studies = [ArmStudy(suite.name, arm, budget, request.at.stores.storage) for arm in arms]
    return PreparedTuning(suite.name, budget, studies, left_out, request.at.stores, path)


def _epochs(request: TuneRequest, suite: Suite) -> float:
    """How long a trial is: as asked, else as in the suite.

    Raises:
        InputError: the suite counts in steps or operations.
    """
    if request.epochs is None and suite.epochs is None:
        raise InputError(f"suite {suite.name!r} says no epochs; say with --epochs how long a trial is")
    return float(request.epochs or suite.epochs or 0)


def _narrowed(suite: Suite, selection: Selection) -> Suite:
    """The one place of a suite where it is tuned, as a suite of its own without baselines that have nothing to tune."""
    trained = [name for name in suite.pretexts if PRETEXTS.get(name).trains]
    first = Selection(
        datasets=selection.datasets or suite.datasets[:1],
        pretexts=selection.pretexts or tuple(dict.fromkeys([SUPERVISED, *trained])),
        latent_dims=selection.latent_dims or suite.latent_dims[:1],
        label_fractions=selection.label_fractions or suite.label_fractions[:1],
        seeds=selection.seeds or suite.seeds[:1],
        encoders=selection.encoders or suite.encoders[:1],
    )
    narrowed = dataclasses.replace(select(suite, first), pretrain_datasets=suite.pretrain_datasets[:1], checkpoints=())
    if not suite.stratified:
        raise InputError(f"suite {suite.name!r} has stratified=False, and tuning draws a stratified label budget")
    if len(narrowed.grid()) * len(narrowed.label_fractions) > len(narrowed.pretexts):
        raise InputError("tuning takes one dataset, encoder, latent size, label fraction and seed; name one of each")
    for name in selection.pretexts:
        if not PRETEXTS.get(name).trains and name != SUPERVISED:
            raise InputError(f"baseline {name!r} has no settings to tune; choose a pretext or {SUPERVISED!r}")
    return narrowed


def _arms(suite: Suite, plan: Plan, bench: Bench, budget: Budget) -> tuple[list[Arm], dict[str, str]]:
    """The arms of a plan, `supervised` first, and why others are left out."""
    left_out = {pretext: reason for (_, _, pretext), reason in plan.unsuitable.items()}
    finetune = configure(FinetuneConfig(), suite.settings.get("finetune", {}), "protocol 'finetune'")
    share, arms = budget.epochs / (suite.epochs or budget.epochs), list[Arm]()
    for planned in plan.pretrain:
        reason = bench.rule.unsuitable(planned.pretext, bench.sight)
        if reason is not None:
            left_out[planned.pretext] = f"criterion {budget.criterion!r}: {reason}"
            continue
        cell = dataclasses.replace(planned, seed=bench.sight.seed)
        supervised = cell.pretext == SUPERVISED
        arms.append(SupervisedArm(cell, finetune, share, bench) if supervised else PretextArm(cell, bench))
    return sorted(arms, key=lambda arm: arm.name != SUPERVISED), left_out
