"""Tuning on equal terms: the same number of trials and epochs for every pretext and for `supervised`.

Each arm has an Optuna study and MLflow runs in experiment `<suite>-tune`, one per arm and nested in it one per trial;
winners and their cost go to a settings file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import NullPool, create_engine

from sslbench import __version__
from sslbench.contract.errors import InputError
from sslbench.contract.provenance import git_commit
from sslbench.contract.settings import TunedArm, Tuning, write_tuning
from sslbench.stores.reports import describe
from sslbench.stores.storage import in_turn
from sslbench.stores.tracker import Tracker
from sslbench.stores.urls import shown
from sslbench.sweep.request import alone, tracker_of
from sslbench.tuning.plots import draw_study
from sslbench.tuning.request import PreparedTuning, kept_arms
from sslbench.tuning.study import ArmStudy, News


def experiment(suite: str) -> str:
    """Name of the experiment of a suite's tuning."""
    return f"{suite}-tune"


def run(prepared: PreparedTuning, show: Callable[[News], None]) -> Tuning:
    """Run the trials that are missing, write the settings file and return it.

    Raises:
        InputError: another process is tuning this suite in the same stores, or no trial of an arm was completed.
        KeyboardInterrupt: after everything was put in order; finished trials are kept.
    """
    name = experiment(prepared.suite)
    doing = f"suite {prepared.suite!r} is already being tuned"
    database = create_engine(prepared.stores.storage, poolclass=NullPool)
    with alone(prepared.stores, name, doing), in_turn(database, name, wait=False) as ours:  # on any machine
        if not ours:
            raise InputError(f"{doing} in {shown(prepared.stores.storage)}; wait, or use another store")
        tracker = tracker_of(prepared.stores, name)
        describe(
            tracker,
            f"`sslbench tune {prepared.suite}`  \nWhich settings serve a pretext best, and supervised training: an arm "
            "each, and its trials, scored inside their label budget.",
        )
        tracker.kill_orphans(dict)  # we hold the lock: whatever claims to be running belongs to a process that died
        arms: dict[str, TunedArm] = {}
        try:
            for study in prepared.studies:
                arms[study.arm.name] = _tune(study, tracker, show)
        finally:
            tracker.kill_orphans(dict)
        arms = dict(sorted({**kept_arms(prepared.path, prepared.budget, arms), **arms}.items()))
        tuning = Tuning(prepared.suite, __version__, git_commit(), prepared.budget, arms)
        write_tuning(tuning, prepared.path)
        return tuning


def _tune(study: ArmStudy, tracker: Tracker, show: Callable[[News], None]) -> TunedArm:
    study.settle()
    trials = study.budget.trials
    if len(study.ended()) > trials:  # its run in MLflow tells of a larger budget
        return study.result()
    parent = study.open_run(tracker)
    while len(study.finished()) < trials:
        study.run_next(tracker, parent, show)
    found = study.result()
    with tempfile.TemporaryDirectory() as folder:
        draw_study(study.study, study.budget.criterion, Path(folder) / "plots")
        tracker.log_files(parent, Path(folder))
    metrics = {"score": found.score, "trials": found.trials, "completed": found.completed}
    metrics |= {"seconds": found.seconds, "samples": found.samples, "flops": found.flops}
    tracker.finish(parent, metrics, {"winner": str(found.trial)})
    return found
