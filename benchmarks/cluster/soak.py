"""Nothing lost on the way: a sweep on PostgreSQL and an MLflow server whose parts are killed again and again.

Workers are killed with SIGKILL every few seconds, the database and the server are stopped and started again. In the end
every cell must have exactly one finished run, and the records must be those of one quiet process on SQLite files.

    python benchmarks/cluster/soak.py --cells 200 --workers 4
    python benchmarks/cluster/soak.py --minutes 60
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from mlflow import MlflowClient

from sslbench.commands.serve import mlflow_server
from sslbench.report.records import read_records
from sslbench.stores.postgres import databases, run_postgres

HOST = "127.0.0.1"

#: What may differ between two runs of the same cells.
CIRCUMSTANCES = ["run_id", "started_at", "pretrain_seconds", "evaluate_seconds", "git_commit"]

#: Five cells a seed: two encoders, of which three evaluations are made.
SUITE = '''"""Small cells on digits."""
from sslbench.contract.spec import Suite

SUITE = Suite(
    name="soak",
    datasets=("digits",),
    encoders=("conv",),
    pretexts=("majority_class", "rotation"),
    latent_dims=(8,),
    seeds=tuple(range({seeds})),
    epochs=1,
    label_fractions=(0.05,),
    protocols=("linear_probe", "knn"),
)
'''
CELLS_A_SEED = 5

#: Seconds a cell may take on the slowest machine; a sweep that takes longer has lost one.
STALLED = 60.0


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Cluster:
    """PostgreSQL and an MLflow server in a folder, to be stopped and started at will.

    Attributes:
        environment: of whoever works with them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, (free_port(), free_port())
        folder.mkdir(parents=True, exist_ok=True)
        self.database, self.server = ExitStack(), ExitStack()
        self.start_database()
        self.environment = {
            "SSLBENCH_STORAGE": self.addresses[0],
            "MLFLOW_TRACKING_URI": f"http://{HOST}:{self.ports[1]}",
        }
        self.start_server()

    def start_database(self) -> None:
        """Start PostgreSQL."""
        self.addresses = databases(self.database.enter_context(run_postgres(self.folder, HOST, self.ports[0])))

    def start_server(self) -> None:
        """Start MLflow's server and wait until it answers."""
        self.server.enter_context(_server(self.ports[1], self.addresses[1], self.folder))

    def restart_database(self, pause: float) -> None:
        """Turn away everybody, and be back after some seconds."""
        self.database.close()
        time.sleep(pause)
        self.start_database()

    def restart_server(self, pause: float) -> None:
        """Be gone for some seconds."""
        self.server.close()
        time.sleep(pause)
        self.start_server()

    def close(self) -> None:
        """Stop both."""
        self.server.close()
        self.database.close()

    def runs(self, suite: str) -> pd.DataFrame:
        """Cell, status and owner of every run of a cell."""
        return runs_of(self.environment["MLFLOW_TRACKING_URI"], suite)


def runs_of(tracking_uri: str, suite: str) -> pd.DataFrame:
    """Cell, status and owner of every run of a cell of a suite."""
    client = MlflowClient(tracking_uri)
    experiment, found, token = client.get_experiment_by_name(suite), [], None
    while experiment is not None:
        page = client.search_runs([experiment.experiment_id], max_results=1000, page_token=token)
        found += [(one.info.status, one.data.tags) for one in page if "cell_id" in one.data.tags]
        token = page.token
        if not token:
            break
    about = [(tags["cell_id"], status, tags["owner"]) for status, tags in found]
    return pd.DataFrame(about, columns=["cell_id", "status", "owner"])


@contextmanager
def _server(port: int, tracking_uri: str, folder: Path) -> Iterator[None]:
    command, environment = mlflow_server(HOST, port, tracking_uri, (folder / "artifacts").as_uri())
    with (folder / "mlflow.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        while process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, port)) == 0:
                    break
            time.sleep(0.1)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def command(name: str, suite: Path, home: Path, *arguments: str) -> list[str]:
    """A command of sslbench on the suite."""
    return [sys.executable, "-m", "sslbench", name, str(suite), "--home", str(home), *arguments]


def start(line: list[str], log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a command that says what it does into a file."""
    with log.open("ab") as file:
        own = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
        return subprocess.Popen(line, stdout=file, stderr=file, env=own)


def records(home: Path, suite: str) -> pd.DataFrame:
    """What a run found, without its circumstances."""
    return read_records(home / "results" / suite / "records.csv").drop(columns=CIRCUMSTANCES)


def quiet(suite: Path, place: Path) -> pd.DataFrame:
    """The records of one process that nobody disturbs, on files."""
    line = command("run", suite, place / "home", "--workers", "1")
    alone = dict.fromkeys(("SSLBENCH_STORAGE", "MLFLOW_TRACKING_URI"), "")
    if start(line, place / "quiet.log", alone).wait() != 0:
        raise SystemExit((place / "quiet.log").read_text())
    return records(place / "home", suite.stem)


@dataclass
class Found:
    """What became of a disturbed sweep."""

    cells: int
    kills: int
    restarts: int
    seconds: float
    statuses: Mapping[str, int]


def disturbed(
    cluster: Cluster, suite: Path, place: Path, cells: int, workers: int, every: float, seed: int = 0
) -> tuple[Found, pd.DataFrame]:
    """Work off a suite while a worker is killed `every` so many seconds and either store is started anew once.

    Before the next kill a cell must have ended, else a slow machine would do nothing but start workers.

    Raises:
        AssertionError: a cell was finished twice or not at all.
    """
    chance, begun = random.Random(seed), time.monotonic()
    home, log = place / "home", place / "workers.log"
    crew = [start(command("worker", suite, home), log, cluster.environment) for _ in range(workers)]
    kills, restarts = 0, [cluster.restart_server, cluster.restart_database]
    last, before = time.monotonic(), 0
    while True:
        time.sleep(0.5)
        assert time.monotonic() - begun < STALLED * cells, "it does not end"
        done = (cluster.runs(suite.stem)["status"] == "FINISHED").sum()
        if done >= cells or any(worker.poll() == 0 for worker in crew):  # over what is left too many died: see below
            break
        if restarts and done > cells / 2 ** len(restarts):
            restarts.pop()(2.0)
        if time.monotonic() - last > every and done > before:
            chosen = chance.randrange(workers)
            crew[chosen].kill()
            kills, last, before = kills + 1, time.monotonic(), done
        for number, worker in enumerate(crew):
            if worker.poll() is not None:
                crew[number] = start(command("worker", suite, home), log, cluster.environment)
    for worker in crew:
        worker.terminate()  # drains
    for worker in crew:
        worker.wait()
    # A person asks for it: that does what was left out, and writes the tables.
    if start(command("run", suite, home, "--workers", "1"), log, cluster.environment).wait() != 0:
        raise SystemExit(log.read_text())
    runs = cluster.runs(suite.stem)
    finished = Counter(runs.loc[runs["status"] == "FINISHED", "cell_id"])
    assert len(finished) == cells, f"{len(finished)} of {cells} cells have ended"
    assert set(finished.values()) == {1}, f"finished more than once: {[one for one, n in finished.items() if n > 1]}"
    assert "RUNNING" not in set(runs["status"]), "runs were left open"
    found = Found(cells, kills, 2 - len(restarts), time.monotonic() - begun, Counter(runs["status"]))
    return found, records(home, suite.stem)


def main(
    cells: Annotated[int, typer.Option(help="Small cells of one round, a multiple of 5.")] = 200,
    workers: Annotated[int, typer.Option(help="Workers at a time.")] = 4,
    every: Annotated[float, typer.Option(help="Seconds between two kills.")] = 8.0,
    minutes: Annotated[float, typer.Option(help="Start rounds for so long; 0 for one round.")] = 0.0,
) -> None:
    """Run rounds, each in a folder of its own, and print what became of them."""
    until, number = time.monotonic() + 60 * minutes, 0
    with tempfile.TemporaryDirectory() as folder:
        suite = Path(folder) / "soak.py"
        suite.write_text(SUITE.format(seeds=cells // CELLS_A_SEED), encoding="utf-8")
        expected = quiet(suite, Path(folder))
        while number == 0 or time.monotonic() < until:
            place = Path(folder) / f"round-{number}"
            cluster = Cluster(place / "servers")
            try:
                found, got = disturbed(cluster, suite, place, cells, workers, every, number)
            finally:
                cluster.close()
            pd.testing.assert_frame_equal(got, expected)
            print(f"round {number}: {found}; records equal those of the quiet run", flush=True)
            number += 1


if __name__ == "__main__":
    typer.run(main)
