"""PostgreSQL, an MLflow server, Ray and submitit, the real ones: whatever ends on the way, every cell ends once."""

from __future__ import annotations

import multiprocessing
import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from urllib.request import urlopen

import boto3
import pandas as pd
import psutil
import pytest
import yaml
from moto.server import ThreadedMotoServer
from optuna.distributions import IntDistribution
from sqlalchemy import URL

from benchmarks.cluster.soak import (
    CELLS_A_SEED,
    HOST,
    SUITE,
    Cluster,
    command,
    disturbed,
    free_port,
    records,
    runs_of,
    start,
)
from sslbench.contract.errors import InputError
from sslbench.stores.claim import Claim
from sslbench.stores.postgres import databases, run_postgres
from sslbench.stores.queue import CellQueue, QueuedCell
from sslbench.stores.storage import open_storage
from tests import forked
from tests.conftest import run_to_the_end

SEEDS, MANY = 2, 40
CELLS = SEEDS * CELLS_A_SEED

#: Keys that a stand-in for a bucket does not look at, and that only the server has.
KEYS = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "unread", "AWS_DEFAULT_REGION": "us-east-1"}

small_and_large = pytest.mark.parametrize("suite", [1, pytest.param(MANY, marks=pytest.mark.cluster)], indirect=True)


@pytest.fixture(scope="module")
def suite(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five cells for each of so many seeds."""
    path = tmp_path_factory.mktemp("suite") / "soak.py"
    path.write_text(SUITE.format(seeds=getattr(request, "param", SEEDS)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def expected(suite: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    place = tmp_path_factory.mktemp("quiet")
    run_to_the_end(suite, place)
    return records(place / "home", "soak")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    servers = Cluster(tmp_path / "servers")
    yield servers
    servers.close()


class Serving(NamedTuple):
    """A server, and where it and its PostgreSQL listen."""

    process: subprocess.Popen[bytes]
    port: int
    postgres_port: int
    printed: Path

    def environment(self, home: Path) -> dict[str, str]:
        """What a worker is to have in its environment."""
        lines = (home / "workers.env").read_text().splitlines()
        named = (line.removeprefix("export ").partition("=") for line in lines)
        return {name: "".join(shlex.split(value)) for name, _, value in named}


@contextmanager
def serving(home: Path, *more: str, environment: Mapping[str, str] = MappingProxyType({})) -> Iterator[Serving]:
    """`sslbench serve`, when its server answers."""
    ports = free_port(), free_port()
    line = [sys.executable, "-m", "sslbench", "serve", "--home", str(home), "--port", str(ports[0]), *more]
    own = {**os.environ, **environment}
    until, printed = time.monotonic() + 120, home.with_name("served.log")
    process = start([*line, "--postgres-port", str(ports[1])], printed, own)
    try:
        while not _answers(ports[0]):
            assert process.poll() is None, printed.read_text()
            assert time.monotonic() < until
            time.sleep(0.5)
        yield Serving(process, *ports, printed)
    finally:
        process.terminate()
        process.wait(60)


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://{HOST}:{port}/health") as answer:
            return bool(answer.read() == b"OK")
    except OSError:
        return False


@pytest.fixture
def bucket() -> Iterator[str]:
    """Where a stand-in for S3 listens that has the bucket `runs`."""
    server = ThreadedMotoServer(HOST, 0, verbose=False)
    server.start()
    place = "http://{}:{}".format(*server.get_host_and_port())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        boto3.client("s3", endpoint_url=place).create_bucket(Bucket="runs")
    yield place
    server.stop()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[URL]:
    """PostgreSQL alone."""
    with run_postgres(tmp_path, HOST, free_port()) as address:
        yield address


@contextmanager
def queue(address: str) -> Iterator[CellQueue]:
    storage = open_storage(address)
    yield CellQueue(storage, "small/evaluate", {"number": IntDistribution(0, 1000)}, "value")
    storage.engine.dispose()


def take_all(address: str, wanted: list[str], told: multiprocessing.Queue[str]) -> None:
    """Take cells until none waits, and tell which."""

    def handle(claim: Claim) -> None:
        told.put(claim.cell_id)

    with queue(address) as cells:
        while cells.work(wanted, handle):
            pass


def test_postgresql_hands_every_cell_to_exactly_one_process(database: URL) -> None:
    address, _ = databases(database)
    names = [f"cell-{number}" for number in range(60)]
    with queue(address) as cells:
        cells.fill(QueuedCell(name, name, {"number": place}) for place, name in enumerate(names))
    context = multiprocessing.get_context("fork")
    told: multiprocessing.Queue[str] = context.Queue()
    takers = [context.Process(target=take_all, args=(address, names, told)) for _ in range(4)]
    for taker in takers:
        taker.start()
    taken = [told.get(timeout=240) for _ in names]
    for taker in takers:
        taker.join(60)
        assert taker.exitcode == 0
    assert sorted(taken) == sorted(names)
    assert told.empty()


def top_up(address: str, begin: Barrier) -> None:
    """Queue what is missing at the moment when others do."""
    with queue(address) as cells:
        begin.wait(60)
        cells.top_up(QueuedCell(f"cell-{number}", "a cell", {"number": number}) for number in range(40))


def test_processes_that_find_the_queue_empty_at_one_moment_queue_every_cell_once(database: URL) -> None:
    address, _ = databases(database)
    context = multiprocessing.get_context("fork")
    begin = context.Barrier(4)
    fillers = [context.Process(target=top_up, args=(address, begin)) for _ in range(4)]
    for filler in fillers:
        filler.start()
    for filler in fillers:
        filler.join(60)
        assert filler.exitcode == 0
    with queue(address) as cells:
        queued = [trial.user_attrs["cell_id"] for trial in cells.waiting()]
    assert sorted(queued) == sorted({f"cell-{number}" for number in range(40)})


@pytest.mark.cluster
def test_workers_database_and_server_are_killed_and_the_records_stay_the_same(
    cluster: Cluster, suite: Path, expected: pd.DataFrame, tmp_path: Path
) -> None:
    found, got = disturbed(cluster, suite, tmp_path, CELLS, workers=2, every=8.0)
    assert found.restarts == 2
    pd.testing.assert_frame_equal(got, expected)


@pytest.mark.cluster
def test_two_machines_with_homes_of_their_own_start_at_one_moment_and_share_a_suite(
    cluster: Cluster, suite: Path, expected: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    crew = {}
    for name in ("one", "other"):
        about = ("--workers", "1", "--device", "cpu", "--data-root", str(tmp_path / name / "data"))
        line = ("run", str(suite), "--home", str(tmp_path / name), *about)
        crew[name] = forked.command(*line, before=partial(monkeypatch.setattr, socket, "gethostname", lambda n=name: n))
    for run in crew.values():
        run.ends()
    runs = cluster.runs("soak")
    assert set(runs["status"]) == {"FINISHED"}, "nothing was closed by the other"
    assert runs["cell_id"].is_unique
    assert len(runs) == CELLS
    for name in crew:
        pd.testing.assert_frame_equal(records(tmp_path / name, "soak"), expected)


@small_and_large
def test_jobs_of_submitit_work_off_a_suite_and_one_that_is_cancelled_loses_nothing(
    suite: Path, expected: pd.DataFrame, bucket: str, tmp_path: Path
) -> None:
    cells = expected["seed"].nunique() * CELLS_A_SEED
    at = {**KEYS, "MLFLOW_S3_ENDPOINT_URL": bucket}
    with serving(tmp_path / "served", "--artifacts", "s3://runs", environment=at) as server:
        own = server.environment(tmp_path / "served")
        line = command("run", suite, tmp_path / "home", "--engine", "slurm", "--workers", "2")
        run = start(line, tmp_path / "log", own)
        while (runs_of(own["MLFLOW_TRACKING_URI"], "soak")["status"] == "FINISHED").sum() < cells / 5:
            assert run.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.5)
        below = psutil.Process(run.pid).children(recursive=True)
        jobs = [one for one in below if "submitit.core._submit" in one.cmdline()]
        assert len(jobs) == 2
        jobs[0].kill()
        run.wait(1800)
        runs = runs_of(own["MLFLOW_TRACKING_URI"], "soak")
    told = (tmp_path / "log").read_text()
    assert "failed: worker" in told, told
    finished = runs.loc[runs["status"] == "FINISHED", "cell_id"]
    assert finished.is_unique
    assert len(finished) == cells, told
    pd.testing.assert_frame_equal(records(tmp_path / "home", "soak"), expected)
    left = tmp_path / "home" / "slurm", tmp_path / "home" / "temporary"
    assert not [path for folder in left for path in folder.iterdir()], "what was submitted holds addresses of stores"


def test_the_bucket_of_the_grown_form_is_made_once(bucket: str) -> None:
    compose = yaml.safe_load((Path(__file__).parents[2] / "benchmarks/cluster/compose.yaml").read_text())
    line = [sys.executable, *compose["services"]["bucket"]["entrypoint"][1:]]
    own = {**os.environ, **KEYS, "MLFLOW_S3_ENDPOINT_URL": bucket}
    for _ in range(2):  # the second time they are started
        subprocess.run(line, check=True, timeout=120, env=own)
    store = boto3.client("s3", endpoint_url=bucket, aws_access_key_id="a", aws_secret_access_key="b")
    assert sorted(one["Name"] for one in store.list_buckets()["Buckets"]) == ["runs", "sslbench"]


def test_a_bucket_that_cannot_be_read_is_told_before_anything_is_started(bucket: str, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "sslbench", "serve", "--home", str(tmp_path / "home"), "--artifacts", "s3://nobodys"]
    own = {**os.environ, **KEYS, "MLFLOW_S3_ENDPOINT_URL": bucket}
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, env=own)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --artifacts 's3://nobodys' cannot be used: Failed to list artifacts")
    assert not (tmp_path / "home").exists()


RAY = """
import sys, time
from pathlib import Path
from ray.cluster_utils import Cluster
node = {"num_cpus": 1, "node_ip_address": "127.0.0.2", "object_store_memory": 80 * 2**20}
cluster = Cluster(initialize_head=True, head_node_args=node)
second = cluster.add_node(**node)
print("address", cluster.address, flush=True)
sys.stdin.readline()
cluster.remove_node(second)
print("removed", flush=True)
sys.stdin.readline()
cluster.shutdown()
"""


@pytest.mark.cluster
@pytest.mark.parametrize("suite", [MANY], indirect=True)
def test_a_node_of_a_ray_cluster_goes_away_and_nothing_is_lost(
    cluster: Cluster, suite: Path, expected: pd.DataFrame, tmp_path: Path
) -> None:
    cells = MANY * CELLS_A_SEED
    with subprocess.Popen(
        [sys.executable, "-c", RAY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as nodes:
        assert nodes.stdin is not None
        assert nodes.stdout is not None
        address = next(line.split()[1] for line in nodes.stdout if line.startswith("address"))
        own = {**cluster.environment, "RAY_ADDRESS": address}
        run = start(command("run", suite, tmp_path / "home", "--engine", "ray"), tmp_path / "log", own)
        while (cluster.runs("soak")["status"] == "FINISHED").sum() < cells / 2:
            assert run.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.5)
        nodes.stdin.write("\n")
        nodes.stdin.flush()
        run.wait(1800)
        nodes.stdin.write("\n")
        nodes.stdin.flush()
    told = (tmp_path / "log").read_text()
    assert "layout: 2 workers on Ray" in told, told
    assert "failed: worker" in told, "one was on the node that went away"
    runs = cluster.runs("soak")
    finished = runs.loc[runs["status"] == "FINISHED", "cell_id"]
    assert finished.is_unique
    assert len(finished) == cells, told
    pd.testing.assert_frame_equal(records(tmp_path / "home", "soak"), expected)


def test_serve_runs_both_stores_tells_the_password_to_its_owner_alone_and_leaves_no_process(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for _ in range(2):  # the second finds what the first kept
        with serving(home) as server:
            below = psutil.Process(server.process.pid).children(recursive=True)
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(60)
        told = server.printed.read_text()
        assert server.process.returncode == 128 + signal.SIGTERM
        left = [one for one in below if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        assert not left
        password = (home / "postgres.password").read_text()
        for name in ("postgres.password", "workers.env"):
            assert stat.S_IMODE((home / name).stat().st_mode) == 0o600
        assert password in (home / "workers.env").read_text()
        assert password not in told
        assert password not in (home / "postgres.log").read_text()
        assert f"--storage postgresql+psycopg://sslbench:***@{HOST}:{server.postgres_port}/sslbench_optuna" in told
        assert f"--tracking-uri http://{HOST}:{server.port}" in told


def test_serve_takes_a_postgresql_of_ones_own(database: URL, tmp_path: Path) -> None:
    home, address = tmp_path / "home", database.render_as_string(hide_password=False)
    with serving(home, environment={"SSLBENCH_POSTGRES": address}) as server:
        own = server.environment(home)
    told = server.printed.read_text()
    assert own["SSLBENCH_STORAGE"] == databases(database)[0]
    assert "starting PostgreSQL" not in told
    assert not (home / "postgres").exists()
    assert database.password is not None
    assert str(database.password) not in told


def test_a_database_without_its_password_is_not_made_anew(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("18\n")
    with (
        pytest.raises(InputError, match="is a database whose password is gone"),
        run_postgres(tmp_path, HOST, free_port()),
    ):
        pass
    assert (tmp_path / "postgres" / "PG_VERSION").exists()


def test_nobody_enters_the_database_without_the_password(database: URL, tmp_path: Path) -> None:
    import psycopg

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://sslbench:wrong@{HOST}:{database.port}/postgres")
    assert not list((tmp_path / "postgres").glob(".s.PGSQL*")), "no socket beside the port"
    assert (tmp_path / "postgres").stat().st_mode & 0o077 == 0
