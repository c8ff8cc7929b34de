"""The two studies of a suite, and how cells look in them."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.owner import OWNER
from sslbench.contract.spec import READINGS, REFERENCE_PROTOCOLS, Suite
from sslbench.contract.titles import RAW
from sslbench.stores.outage import patiently
from sslbench.stores.queue import Axis, CellQueue, QueuedCell
from sslbench.stores.storage import open_storage
from sslbench.sweep.asked import Selection
from sslbench.sweep.plan import Plan


def open_queues(suite: Suite, selection: Selection, storage_url: str) -> tuple[CellQueue, CellQueue]:
    """The two studies of a suite: `pretrain`, whose value is what share of the latent numbers the encoder uses, and
    `evaluate`, whose value is the score inside the label budget.

    Losses of different tasks say nothing of each other; and whoever picks Optuna's best trial has not looked at the
    test split.

    Args:
        suite: whole, so that a selection of it works in the same studies.
        selection: may name values beyond the suite's own.
    """
    storage = open_storage(storage_url)

    def categories(own: Sequence[str], selected: Sequence[str] = ()) -> CategoricalDistribution:
        return CategoricalDistribution([*own, *sorted(set(selected) - set(own))])

    sources = categories(suite.all_datasets, selection.datasets)
    axes: dict[str, Axis] = {
        "pretrain_dataset": sources,  # a baseline's own dataset, though it trains on none
        "pretext": categories(suite.pretexts, selection.pretexts),
        **({"encoder": categories((*suite.encoders, RAW))} if len(suite.encoders) > 1 else {}),
        "latent_dim": IntDistribution(1, 2**31),
        "seed": IntDistribution(0, 2**31),
    }
    evaluation: dict[str, Axis] = {
        "dataset": sources,
        "label_seed": IntDistribution(0, 2**31),
        "label_fraction": FloatDistribution(0.0, 1.0),
        "protocol": categories(suite.protocols, tuple(REFERENCE_PROTOCOLS.values())),
        "reading": categories(READINGS),
    }
    return (
        patiently(CellQueue, storage, f"{suite.name}/pretrain", axes, "effective rank / latent size"),
        patiently(CellQueue, storage, f"{suite.name}/evaluate", {**axes, **evaluation}, "held-out accuracy"),
    )


def held_in(storage: RDBStorage, suite: str) -> dict[str, str]:
    """Owner of every cell that a worker holds in any study of a suite, by the cell's identity.

    Whoever asks for values beyond the suite's own has studies apart, and runs in the same experiment.
    """
    held: dict[str, str] = {}
    for name in optuna.get_all_study_names(storage):
        if name.startswith((f"{suite}/pretrain/", f"{suite}/evaluate/")):
            study_id = storage.get_study_id_from_name(name)
            for trial in storage.get_all_trials(study_id, deepcopy=False, states=(TrialState.RUNNING,)):
                if "cell_id" in trial.user_attrs:
                    held[trial.user_attrs["cell_id"]] = trial.user_attrs.get(OWNER, "")
    return held


def queued_evaluation(cell: EvaluateCell, datasets: Mapping[str, str]) -> QueuedCell:
    """An evaluation as its queue shows it; `datasets` maps identities to the names people gave."""
    axes = {**queued_pretraining(cell.pretrain, datasets).axes}
    axes |= {"dataset": datasets[cell.dataset], "label_seed": cell.label_seed}
    axes |= {"label_fraction": cell.label_fraction, "protocol": cell.protocol, "reading": cell.reading}
    return QueuedCell(cell.cell_id, f"{cell.title} of {cell.pretrain.title}", axes)


def queued_pretraining(cell: PretrainCell, datasets: Mapping[str, str]) -> QueuedCell:
    """A pretraining as its queue shows it; `datasets` maps identities to the names people gave."""
    axes: dict[str, str | int | float] = {
        "pretrain_dataset": datasets[cell.dataset],
        "pretext": cell.pretext,
        "encoder": cell.encoder,
        "latent_dim": cell.latent_dim,
        "seed": cell.seed,
    }
    return QueuedCell(cell.cell_id, cell.title, axes)


def missing_pretrainings(plan: Plan, done: Container[str], datasets: Mapping[str, str]) -> Iterator[QueuedCell]:
    """Pretrainings that are not done, of which an evaluation is missing, as their queue shows them."""
    for cell in plan.pretrain:
        if cell.cell_id not in done and any(child.cell_id not in done for child in plan.evaluate[cell.cell_id]):
            yield queued_pretraining(cell, datasets)


def missing_evaluations(plan: Plan, done: Container[str], datasets: Mapping[str, str]) -> Iterator[QueuedCell]:
    """Evaluations that are not done, of pretrainings that are, as their queue shows them."""
    for cell in plan.pretrain:
        if cell.cell_id in done:
            yield from (
                queued_evaluation(child, datasets) for child in plan.evaluate[cell.cell_id] if child.cell_id not in done
            )
