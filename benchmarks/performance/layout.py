"""Bar 4: one-thread workers on every core against one worker with a thread per core, on a suite.

Both run the quick suite on Fashion-MNIST from empty stores, through `sslbench run`, with trainings of half the length,
one latent size, one seed and three of its label fractions. The clock is that of the MLflow runs, from the start of the
first to the end of the last: starting processes is in neither.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from _measure import Row, interleave, publish, row
from _trainings import CORES
from mlflow import MlflowClient

SUITE = '''
"""What the layouts are compared on."""
import dataclasses

from sslbench.sweep import suites

QUICK = suites.load("quick")
SUITE = dataclasses.replace(
    QUICK,
    name="layout",
    latent_dims=(128,),
    seeds=(0,),
    epochs=QUICK.epochs / 2,
    label_fractions=(0.01, 0.1, 1.0),
    settings={"finetune": {**QUICK.settings["finetune"], "min_steps": 350, "max_steps": 350}},
)
'''
REPEATS = 5


def run(workers: int) -> float:
    """Seconds from the start of the suite's first run to the end of its last, with so many workers."""
    with tempfile.TemporaryDirectory() as folder:
        suite = Path(folder) / "layout.py"
        suite.write_text(SUITE, encoding="utf-8")
        home = Path(folder) / "home"
        command = [sys.executable, "-m", "sslbench", "run", str(suite), "--workers", str(workers)]
        command += ["--home", str(home), "--results", str(Path(folder) / "results")]
        subprocess.run(command, capture_output=True, check=True)
        return suite_seconds(home, "layout")


def suite_seconds(home: Path, suite: str) -> float:
    """Seconds from the start of a suite's first run to the end of its last."""
    client = MlflowClient(f"sqlite:///{home / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(suite)
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], "tags.cell_id != ''", max_results=5000)
    return (max(run.info.end_time for run in runs) - min(run.info.start_time for run in runs)) / 1000


def main() -> list[Row]:
    """Measure both layouts."""
    measured = interleave({"one process": partial(run, 1), "workers": partial(run, CORES)}, REPEATS, warm=False)
    return [
        row(
            4,
            f"{CORES} one-thread workers against one process of {CORES} threads",
            measured.ratios("one process", "workers"),
            f"{measured.median('workers'):.1f} against {measured.median('one process'):.1f} s for the same suite",
            others=measured.others,
            bound="at least",
            target=1.15,
        )
    ]


if __name__ == "__main__":
    publish(main())
