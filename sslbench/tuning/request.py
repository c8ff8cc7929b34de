"""What a person asked to tune, checked, its data blindfolded and its arms built before any training starts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from sslbench.contract.identity import named_seed
from sslbench.contract.settings import Budget, TunedArm, read_tuning
from sslbench.contract.spec import InputError, InputSpec, PretrainCell, Suite
from sslbench.datasets._base import Dataset
from sslbench.engine.budget import draw_budget
from sslbench.pretexts import PRETEXTS
from sslbench.protocols.finetune import FinetuneConfig
from sslbench.stores.addresses import Stores
from sslbench.sweep import suites
from sslbench.sweep.plan import Selection, make_plan, protocol_config, select
from sslbench.sweep.request import Request, acquire, resolve_device
from sslbench.tuning.arms import Arm, Bench, PretextArm, SupervisedArm
from sslbench.tuning.criteria import CRITERIA, SUPERVISED, Sight
from sslbench.tuning.study import ArmStudy


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
        if self.trials < 1:
            raise InputError(f"--trials {self.trials} is not a positive number")
        if self.epochs is not None and not 0 < self.epochs < float("inf"):
            raise InputError(f"--epochs {self.epochs:g} is not a positive number")


@dataclass(frozen=True)
class PreparedTuning:
    """A request after everything that can be wrong with it was checked.

    Attributes:
        suite: its name.
        left_out: arms that cannot be tuned here, with the reason.
        path: of the settings file.
    """

    suite: str
    budget: Budget
    arms: tuple[Arm, ...]
    left_out: Mapping[str, str]
    stores: Stores
    path: Path

    def study(self, arm: Arm) -> ArmStudy:
        """The study of an arm, created if need be."""
        return ArmStudy(self.suite, arm, self.budget, self.stores.storage)

    def kept(self) -> dict[str, TunedArm]:
        """Arms of the settings file that this tuning does not touch.

        Raises:
            InputError: they had another budget, which side by side would look like a fair comparison; or the file is
                no settings file.
        """
        if not self.path.exists():
            return {}
        known, names = read_tuning(self.path), {arm.name for arm in self.arms}
        kept = {name: arm for name, arm in known.arms.items() if name not in names}
        if kept and known.budget != self.budget:
            raise InputError(
                f"{self.path} holds {', '.join(sorted(kept))} tuned with another budget; tune all arms again, or name "
                "another file with --settings"
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
        epochs=float(request.epochs or suite.epochs),
        num_unlabelled=suite.num_unlabelled,
        seed=suite.seeds[0],
    )
    bench = Bench(seen, blind, sight, rule, torch.device(resolve_device(request.at.device)))
    inputs = {name: (dataset.name, dataset.input_spec) for name, dataset in datasets.items()}
    arms, left_out = _arms(suite, budget, bench, inputs)
    for name in request.at.selection.pretexts:
        if name in left_out:
            raise InputError(f"{name!r} cannot be tuned: {left_out[name]}")
    if not arms:
        raise InputError(f"nothing to tune: {'; '.join(f'{name}: {reason}' for name, reason in left_out.items())}")
    path = request.settings_file or suites.find(request.at.suite).parent / "settings" / f"{suite.name}.json"
    prepared = PreparedTuning(suite.name, budget, arms, left_out, request.at.stores, path)
    prepared.kept()  # says now what would be refused after all trials
    return prepared


def _narrowed(suite: Suite, selection: Selection) -> Suite:
    """The one place of a suite where it is tuned, as a suite of its own."""
    first = Selection(
        datasets=selection.datasets or suite.datasets[:1],
        pretexts=selection.pretexts or tuple(dict.fromkeys([SUPERVISED, *suite.pretexts])),
        latent_dims=selection.latent_dims or suite.latent_dims[:1],
        label_fractions=selection.label_fractions or suite.label_fractions[:1],
        seeds=selection.seeds or suite.seeds[:1],
        encoders=selection.encoders or suite.encoders[:1],
    )
    narrowed = dataclasses.replace(select(suite, first), pretrain_datasets=suite.pretrain_datasets[:1], checkpoints=())
    if len(narrowed.grid()) * len(narrowed.label_fractions) > len(narrowed.pretexts):
        raise InputError("tuning takes one dataset, encoder, latent size, label fraction and seed; name one of each")
    for name in selection.pretexts:
        if not PRETEXTS.get(name).trains and name != SUPERVISED:
            raise InputError(f"baseline {name!r} has no settings to tune; choose a pretext or {SUPERVISED!r}")
    return narrowed


def _arms(
    suite: Suite, budget: Budget, bench: Bench, inputs: Mapping[str, tuple[str, InputSpec]]
) -> tuple[tuple[Arm, ...], dict[str, str]]:
    """The arms of a narrowed suite, `supervised` first, and why others are left out."""
    plan = make_plan(dataclasses.replace(suite, epochs=budget.epochs), inputs)
    left_out = {pretext: reason for (_, _, pretext), reason in plan.unsuitable.items()}
    arms: list[Arm] = []
    for cell in plan.pretrain:
        if not cell.epochs and cell.pretext != SUPERVISED:
            continue  # a baseline has nothing to tune
        reason = bench.rule.unsuitable(cell.pretext, bench.sight)
        if reason is None:
            arms.append(_arm(suite, budget, bench, dataclasses.replace(cell, seed=bench.sight.seed)))
        else:
            left_out[cell.pretext] = f"criterion {budget.criterion!r}: {reason}"
    return tuple(sorted(arms, key=lambda arm: arm.name != SUPERVISED)), left_out


def _arm(suite: Suite, budget: Budget, bench: Bench, cell: PretrainCell) -> Arm:
    if cell.pretext != SUPERVISED:
        return PretextArm(cell, bench)
    config = protocol_config(suite, "finetune")
    if not isinstance(config, FinetuneConfig):
        raise TypeError("protocol 'finetune' has another configuration than its own")
    return SupervisedArm(cell, config, budget.epochs / suite.epochs, bench)
