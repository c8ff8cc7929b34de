"""Tuning on equal terms: the same number of trials and epochs for every pretext and for `supervised`.

What is tuned is handed a dataset without its test split and without any label but those of one budget, and a named
selection rule judges it (`criteria`). Each arm has an Optuna study (`tune_study`) and MLflow runs (`tuning_runs`);
winners and their cost go to a settings file (`settings`).
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from sslbench import __version__
from sslbench.contract.identity import named_seed
from sslbench.contract.provenance import git_commit
from sslbench.contract.settings import Budget, TunedArm, Tuning, read_tuning, write_tuning
from sslbench.contract.spec import InputError, PretrainCell, Suite
from sslbench.datasets import load
from sslbench.datasets._base import Dataset
from sslbench.engine.budget import draw_budget
from sslbench.pretexts import PRETEXTS
from sslbench.protocols.finetune import FinetuneConfig
from sslbench.stores.addresses import Stores, prepare
from sslbench.stores.trials import TuningRuns
from sslbench.sweep import suites
from sslbench.sweep.plan import Selection, check, make_plan, protocol_config, select
from sslbench.sweep.request import resolve_device
from sslbench.tuning.arms import Arm, PretextArm, SupervisedArm
from sslbench.tuning.criteria import CRITERIA, SUPERVISED, Criterion, Sight
from sslbench.tuning.plots import draw_study
from sslbench.tuning.study import ArmStudy, News


@dataclass(frozen=True)
class TuneRequest:
    """What a person asked to tune.

    Attributes:
        pretexts: which arms, `supervised` among them; empty means all of the suite and `supervised`.
        epochs: None means the suite's.
        dataset, encoder, latent_dim: where to tune; None means the suite's first.
        settings_file: None means `settings/<suite>.json` beside the suite's file.
    """

    suite: str
    stores: Stores
    data_root: Path
    trials: int = 20
    pretexts: tuple[str, ...] = ()
    epochs: float | None = None
    seed: int = 0
    criterion: str = "budget_cv"
    fraction: float = 0.01
    dataset: str | None = None
    encoder: str | None = None
    latent_dim: int | None = None
    device: str = "auto"
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
        left_out: arms that cannot be tuned here, with the reason.
        path: of the settings file.
    """

    suite: Suite
    budget: Budget
    arms: tuple[Arm, ...]
    left_out: Mapping[str, str]
    stores: Stores
    path: Path

    def study(self, arm: Arm) -> ArmStudy:
        """The study of an arm, created if need be."""
        return ArmStudy(self.suite.name, arm, self.budget, self.stores.storage)


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
    file = suites.find(request.suite)
    suite = _narrowed(suites.load_untuned(request.suite), request)
    rule = CRITERIA.get(request.criterion)()
    device = torch.device(resolve_device(request.device))
    prepare(request.stores)
    seed = named_seed("tuning", request.seed)  # no seed of a suite: neither its labels nor its initialisations
    origin = (suite.pretrain_datasets or suite.datasets)[0]
    seen = load(origin, request.data_root)
    shown = seen if origin == suite.datasets[0] else load(suite.datasets[0], request.data_root)
    blind = blindfold(shown, request.fraction, seed)
    sight = Sight(blind.train_inputs, blind.train_labels, blind.unlabelled_inputs, len(blind.classes), seed)
    budget = Budget(
        dataset=shown.name,
        pretrain_dataset=seen.name,
        encoder=suite.encoders[0],
        latent_dim=suite.latent_dims[0],
        criterion=request.criterion,
        fraction=request.fraction,
        num_labels=len(sight.labels),
        trials=request.trials,
        epochs=float(request.epochs or suite.epochs),
        num_unlabelled=suite.num_unlabelled,
        seed=request.seed,
    )
    arms, left_out = _arms(suite, budget, _Bench(seen, blind, sight, rule, device), request)
    path = request.settings_file or file.parent / "settings" / f"{suite.name}.json"
    _check_file(path, budget, [arm.name for arm in arms])
    return PreparedTuning(suite, budget, arms, left_out, request.stores, path)


@dataclass(frozen=True)
class _Bench:
    """What arms are built from."""

    seen: Dataset
    blind: Dataset
    sight: Sight
    rule: Criterion
    device: torch.device


def _narrowed(suite: Suite, request: TuneRequest) -> Suite:
    """The one place of a suite where it is tuned, as a suite of one seed; names are checked."""
    selection = Selection(
        datasets=(request.dataset or suite.datasets[0],),
        pretexts=request.pretexts or tuple(dict.fromkeys([SUPERVISED, *suite.pretexts])),
        latent_dims=(request.latent_dim or suite.latent_dims[0],),
        label_fractions=(request.fraction,),
        seeds=(named_seed("tuning", request.seed),),
    )
    narrowed = dataclasses.replace(
        select(suite, selection),
        encoders=(request.encoder or suite.encoders[0],),
        pretrain_datasets=suite.pretrain_datasets[:1],
        checkpoints=(),
    )
    check(narrowed)
    for name in request.pretexts:
        if not PRETEXTS.get(name).trains and name != SUPERVISED:
            raise InputError(f"baseline {name!r} has no settings to tune; choose a pretext or {SUPERVISED!r}")
    return narrowed


def _arms(suite: Suite, budget: Budget, bench: _Bench, request: TuneRequest) -> tuple[tuple[Arm, ...], dict[str, str]]:
    """The arms of a narrowed suite, and why others are left out.

    Raises:
        InputError: none is left, or one that was asked for by name cannot be tuned.
    """
    names = {suite.datasets[0]: bench.blind, (suite.pretrain_datasets or suite.datasets)[0]: bench.seen}
    inputs = {name: (dataset.name, dataset.input_spec) for name, dataset in names.items()}
    plan = make_plan(dataclasses.replace(suite, epochs=budget.epochs), inputs)
    left_out = {pretext: reason for (_, _, pretext), reason in plan.unsuitable.items()}
    arms: list[Arm] = []
    for cell in plan.pretrain:
        if not PRETEXTS.get(cell.pretext).trains and cell.pretext != SUPERVISED:
            continue
        reason = bench.rule.unsuitable(cell.pretext, bench.sight)
        if reason is None:
            arms.append(_arm(suite, budget, bench, cell))
        else:
            left_out[cell.pretext] = f"criterion {budget.criterion!r}: {reason}"
    for name, reason in left_out.items():
        if name in request.pretexts:
            raise InputError(f"{name!r} cannot be tuned: {reason}")
    if not arms:
        raise InputError(f"nothing to tune: {'; '.join(f'{name}: {reason}' for name, reason in left_out.items())}")
    return tuple(sorted(arms, key=lambda arm: arm.name != SUPERVISED)), left_out


def _arm(suite: Suite, budget: Budget, bench: _Bench, cell: PretrainCell) -> Arm:
    if cell.pretext != SUPERVISED:
        return PretextArm(cell, bench.seen, bench.sight, bench.rule, bench.device)
    config = protocol_config(suite, "finetune")
    if not isinstance(config, FinetuneConfig):
        raise TypeError("protocol 'finetune' has another configuration than its own")
    return SupervisedArm(cell, config, budget.epochs / suite.epochs, bench.blind, bench.sight, bench.device)


def run(prepared: PreparedTuning, show: Callable[[News], None]) -> Tuning:
    """Run the trials that are missing, write the settings file and return it.

    Raises:
        InputError: another process is tuning this suite in the same stores, or no trial of an arm was completed.
        KeyboardInterrupt: after everything was put in order; finished trials are kept.
    """
    with _alone(prepared):
        runs = TuningRuns(prepared.suite.name, prepared.stores)
        runs.bury()
        arms: dict[str, TunedArm] = {}
        try:
            for arm in prepared.arms:
                study = prepared.study(arm)
                study.settle()
                arms[arm.name] = _tune(study, prepared, runs, show)
        finally:
            runs.bury()
        tuning = Tuning(prepared.suite.name, __version__, git_commit(), prepared.budget, arms)
        tuning = _merged(tuning, prepared.path)
        write_tuning(tuning, prepared.path)
        return tuning


def _tune(study: ArmStudy, prepared: PreparedTuning, runs: TuningRuns, show: Callable[[News], None]) -> TunedArm:
    if len(study.ended()) > prepared.budget.trials:  # its run in MLflow tells of a larger budget
        return study.result()
    facts = {name: value for name, value in dataclasses.asdict(prepared.budget).items() if name != "trials"}
    parent = runs.open_arm(study.name, study.arm.name, facts)
    while len(study.finished()) < prepared.budget.trials:
        study.run_next(runs, parent, show)
    found = study.result()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "plots").mkdir()
        draw_study(study.study, prepared.budget.criterion, Path(folder) / "plots")
        runs.log_files(parent, Path(folder))
    metrics = {"score": found.score, "trials": float(found.trials), "completed": float(found.completed)}
    metrics |= {"seconds": found.seconds, "samples": float(found.samples), "flops": found.flops}
    runs.close(parent, metrics, {"winner": str(found.trial)})
    return found


@contextmanager
def _alone(prepared: PreparedTuning) -> Iterator[None]:
    lock = FileLock(prepared.stores.home / f"{prepared.suite.name}-tune.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        where = f"suite {prepared.suite.name!r} is already being tuned in {prepared.stores.home}"
        raise InputError(f"{where}; wait, or use another store") from error
    try:
        yield
    finally:
        lock.release()


def _check_file(path: Path, budget: Budget, arms: list[str]) -> None:
    """Refuse to put arms of different budgets into one file: it would look like a fair comparison.

    Raises:
        InputError: the file holds other arms with another budget, or is no settings file.
    """
    if path.exists():
        known = read_tuning(path)
        kept = sorted(known.arms.keys() - set(arms))
        if kept and known.budget != budget:
            raise InputError(
                f"{path} holds {', '.join(kept)} tuned with another budget; tune all arms again, or name another "
                "file with --settings"
            )


def _merged(tuning: Tuning, path: Path) -> Tuning:
    """The tuning with the arms that the file holds already and this one did not touch; budgets were compared."""
    known = read_tuning(path).arms if path.exists() else {}
    return dataclasses.replace(tuning, arms=dict(sorted({**known, **tuning.arms}.items())))
