"""What PostgreSQL and an MLflow server cost: the same suite, the same workers, beside two SQLite files.

The clock is that of the runs, from the start of the first to the end of the last: starting processes is in neither.
Both take turns; the servers run on the machine of the workers, whose processors they share.

    python benchmarks/cluster/servers.py --repeats 3
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from mlflow import MlflowClient

from benchmarks.cluster.soak import Cluster, command, start

#: How many times as long a sweep may take on the servers.
BOUND = 1.1

SUITE = '''"""A part of the quick suite, trained half as long."""
import dataclasses

from sslbench.sweep import suites

QUICK = suites.load("quick")
SUITE = dataclasses.replace(
    QUICK, name="{name}", latent_dims=(128,), seeds=(0,), epochs=QUICK.epochs / 2, label_fractions=(0.01, 0.1, 1.0),
    settings={{"finetune": {{**QUICK.settings["finetune"], "min_steps": 350, "max_steps": 350}}}},
)
'''


def swept(folder: Path, name: str, environment: dict[str, str]) -> float:
    """Seconds of a suite of that name, in the stores of the environment or in files of its own."""
    suite, home = folder / f"{name}.py", folder / name
    suite.write_text(SUITE.format(name=name), encoding="utf-8")
    if start(command("run", suite, home, "--workers", "2"), folder / "log", environment).wait() != 0:
        sys.exit((folder / "log").read_text(encoding="utf-8"))
    client = MlflowClient(environment["MLFLOW_TRACKING_URI"] or f"sqlite:///{home / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(name)
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], "tags.cell_id != ''", max_results=1000)
    return (max(run.info.end_time for run in runs) - min(run.info.start_time for run in runs)) / 1000


def main(repeats: Annotated[int, typer.Option(help="How many times each.")] = 3) -> None:
    """Run both in turn, and print how much longer the servers take."""
    files = dict.fromkeys(("SSLBENCH_STORAGE", "MLFLOW_TRACKING_URI"), "")
    ratios = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        cluster = Cluster(folder / "servers")
        try:
            for number in range(repeats):
                on_files = swept(folder, f"files-{number}", files)
                on_servers = swept(folder, f"servers-{number}", cluster.environment)
                ratios.append(on_servers / on_files)
                print(f"{on_servers:.1f} s on servers, {on_files:.1f} s on files: {ratios[-1]:.3f} times", flush=True)
        finally:
            cluster.close()
    median = statistics.median(ratios)
    print(f"median {median:.3f} times as long (at most {BOUND})")
    raise typer.Exit(int(median > BOUND))


if __name__ == "__main__":
    typer.run(main)
