"""Optuna's pictures of a study: what was tried, what mattered, where the good settings lie."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import optuna
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from optuna.importance import FanovaImportanceEvaluator
from optuna.trial import TrialState
from optuna.visualization import matplotlib as plots

RESOLUTION = 110  # dots per inch


def draw_study(study: optuna.Study, unit: str, folder: Path) -> list[str]:
    """Write the pictures that the study's trials allow into `folder`; returns their names.

    Importance compares completed trials, so it needs two that differ; one trial has nothing to be drawn beside.

    Args:
        unit: what the study's value is, for the axes.
    """
    matplotlib.use("Agg")  # Optuna draws with pyplot, which must not look for a screen
    values = {trial.value for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))}
    if not values:
        return []
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
            figure = _figure(draw())
            figure.savefig(folder / f"{name}.png", dpi=RESOLUTION, bbox_inches="tight")
        matplotlib.pyplot.close(figure)
    return sorted(drawn)


def _figure(drawn: Axes | np.ndarray) -> Figure:
    """The figure behind one or several axes."""
    axes = drawn if isinstance(drawn, Axes) else drawn.flat[0]
    figure = axes.get_figure()
    if not isinstance(figure, Figure):
        raise TypeError("a plot of Optuna has no figure of its own")
    return figure
