"""Optuna's pictures of a study: what was tried, what mattered, where the good settings lie."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import optuna
from matplotlib import pyplot
from optuna.importance import FanovaImportanceEvaluator
from optuna.trial import TrialState
from optuna.visualization import matplotlib as plots

RESOLUTION = 110  # dots per inch


def draw_study(study: optuna.Study, unit: str, folder: Path) -> list[str]:
    """Write the pictures that the study's trials allow into a new `folder`; returns their names.

    Importance compares completed trials, so it needs two that differ; one trial has nothing to be drawn beside.

    Args:
        unit: what the study's value is, for the axes.
    """
    matplotlib.use("Agg")  # Optuna draws with pyplot, which must not look for a screen
    values = {trial.value for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))}
    if not values:
        return []
    folder.mkdir()
    drawn: dict[str, Callable[[], Any]] = {
        "history": lambda: plots.plot_optimization_history(study, target_name=unit),
        "slices": lambda: plots.plot_slice(study, target_name=unit),
        "parallel_coordinates": lambda: plots.plot_parallel_coordinate(study, target_name=unit),
        "stretches": lambda: plots.plot_intermediate_values(study),
    }
    if len(values) >= 2:
        evaluator = FanovaImportanceEvaluator(seed=0)
        drawn["importance"] = lambda: plots.plot_param_importances(study, evaluator=evaluator, target_name=unit)
    for name, draw in drawn.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the pictures are experimental in Optuna, and their layout is its own
            draw()  # on a new figure, which then is pyplot's own
            pyplot.savefig(folder / f"{name}.png", dpi=RESOLUTION, bbox_inches="tight")
        pyplot.close()
    return sorted(drawn)
