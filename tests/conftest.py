"""Real data small enough for tests, and the pieces of a sweep built on it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
import torch
from filelock import FileLock

from sslbench.commands import patience
from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.datasets import load
from sslbench.datasets._base import Dataset
from sslbench.pretexts import PRETEXTS
from sslbench.protocols import PROTOCOLS
from sslbench.report.records import read_records
from sslbench.report.scores import lay_out
from sslbench.report.statistics import Analysis
from sslbench.stores import sqlite
from sslbench.stores.addresses import locate, prepare
from sslbench.stores.urls import sqlite_file
from sslbench.sweep.asked import Request, Selection
from sslbench.sweep.news import NewsWriter
from sslbench.sweep.request import Prepared, prepare_request
from sslbench.sweep.shared import Shared
from sslbench.sweep.worker import Worker
from tests.forked import command

CPU = torch.device("cpu")
GOLDEN = Path(__file__).parent / "golden"
ENSURE = sqlite.ensure

#: Folders whose tests run whole sweeps.
SWEEPING = ("sweep", "tuning", "docs", "api", "modalities")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: else one process ends with a sweep while the other has nothing left to take."""
    items.sort(key=lambda item: item.path.parent.name not in SWEEPING)


@pytest.fixture(scope="session", autouse=True)
def one_core_each() -> None:
    """Tests that run at a time do not fight for cores, nor do the sweeps that they start."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        torch.set_num_threads(1)
        os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """A shell lets what it starts in the background ignore Ctrl-C, and `nohup` a closed terminal, and so would the
    sweeps and servers that tests interrupt."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def empty_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Empty databases are copies of one: making their tables takes a second, and a hundred tests want some."""
    place = tmp_path_factory.mktemp("empty")
    prepare(locate(place))

    def ensure(path: Path, build: Callable[[str], None]) -> None:
        made = place / path.name
        ENSURE(path, (lambda address: shutil.copyfile(made, sqlite_file(address))) if made.exists() else build)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "ensure", ensure)
        yield


@pytest.fixture(scope="session", autouse=True)
def small_maps() -> Iterator[None]:
    """A map of 50 inputs is drawn as one of 1,000 is; sweeps in processes of their own draw whole ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sslbench.engine.pictures.MAPPED", 50)
        yield


@pytest.fixture
def made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of how they are made."""
    monkeypatch.setattr(sqlite, "ensure", ENSURE)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command says must not depend on how busy the machine is."""
    monkeypatch.setattr(patience, "FIRST", 600.0)


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """scikit-learn's digits: 1,297 training and 500 test images, real and offline."""
    return load("digits", tmp_path_factory.mktemp("data"))


@pytest.fixture
def golden() -> pd.DataFrame:
    """Records small enough to have been checked by hand."""
    return read_records(GOLDEN / "records.csv")


@pytest.fixture(scope="session")
def quick() -> pd.DataFrame:
    """The records of a real sweep, as it was once published: what is published anew moves no test."""
    return read_records(GOLDEN / "quick.csv")


@pytest.fixture(scope="session")
def analysis(quick: pd.DataFrame) -> Analysis:
    """Everything the report says of them."""
    return Analysis(lay_out(quick))


def pretrain_cell(pretext: str, *, latent_dim: int = 16, seed: int = 0, encoder: str = "conv") -> PretrainCell:
    """A pretraining of half an epoch on the digits."""
    task = PRETEXTS.get(pretext)
    epochs = 0.5 if task.trains else 0.0
    return PretrainCell("digits", encoder, pretext, latent_dim, seed, epochs, None, task.Config())


def evaluate_cell(pretrain: PretrainCell, fraction: float, protocol: str) -> EvaluateCell:
    """An evaluation with the protocol's own settings, on the dataset and the labels of its pretraining."""
    config = PROTOCOLS.get(protocol).Config()
    return EvaluateCell(pretrain, pretrain.dataset, fraction, pretrain.seed, protocol, config)


def request_for(folder: Path, suite: str, text: str) -> Request:
    """A request for a suite, written into a folder that has its stores and data too."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{suite}.py"
    path.write_text(text)
    return Request(str(path), Selection(), locate(folder / "home"), folder / "data", "cpu")


def work_off(request: Request) -> tuple[Prepared, Worker]:
    """Run what is missing of a request by one worker in this process."""
    prepared = prepare_request(request)
    shared = Shared(request, prepared)
    shared.begin()
    worker = shared.worker(NewsWriter(request.stores.home / "news", 0))
    worker.run()
    return prepared, worker


SUITE_FILE = '''"""A small sweep over the digits."""
from sslbench.contract.spec import Suite

SUITE = Suite(
    name="small",
    datasets=("digits",),
    encoders=("conv",),
    pretexts=("majority_class", "raw_pixels", "random_init", "supervised", "autoencoder", "rotation"),
    latent_dims=(8,),
    seeds=(0, 1),
    epochs=1,
    label_fractions=(0.05, 1.0),
    settings={"finetune": {"min_steps": 15, "max_steps": 15}},
)
'''


#: A part of it that takes a moment: 6 pretrainings and 12 evaluations, for whoever kills what runs it.
TINY = SUITE_FILE.replace('"majority_class", "raw_pixels", ', "").replace('"autoencoder", ', "").replace(", 1.0)", ",)")

#: What may differ between two runs of the same cells: when, where and how long, never what came out.
CIRCUMSTANCES = ["run_id", "started_at", "pretrain_seconds", "evaluate_seconds", "git_commit"]


class Swept(NamedTuple):
    """A sweep that nobody interrupted: the suite's file, the folder of its home and data, and what it printed."""

    suite_file: Path
    place: Path
    printed: str


def in_place(suite_file: Path, place: Path, *more: str) -> list[str]:
    """Arguments of a sweep by one worker, if not told otherwise; everything it needs and leaves is in a folder."""
    places = ["--home", str(place / "home"), "--data-root", str(place / "data"), "--results", str(place / "results")]
    return ["run", str(suite_file), "--workers", "1", "--device", "cpu", *places, *more]


def run_to_the_end(suite_file: Path, place: Path, *more: str) -> str:
    """Run that, and return what it printed."""
    return command(*in_place(suite_file, place, *more)).ends(timeout=600)


def run_as_people_do(suite_file: Path, place: Path) -> str:
    """Run that by two workers in processes of their own, and return what it printed."""
    line = [sys.executable, "-m", "sslbench", *in_place(suite_file, place, "--workers", "2")]
    own = {**os.environ, "OMP_NUM_THREADS": "1"}  # sums of one thread have one order, on whatever machine
    done = subprocess.run(line, capture_output=True, text=True, timeout=600, env=own)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def swept_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, text: str, run: Callable[[Path, Path], str]
) -> Swept:
    """Run a suite once for all processes of the tests; they only read what it left.

    Args:
        run: what runs it and returns what that printed.
    """
    root = tmp_path_factory.getbasetemp()
    place = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / name
    printed, suite_file = place.with_suffix(".printed"), place / "small.py"
    with FileLock(place.with_suffix(".lock")):
        if not printed.exists():
            place.mkdir()
            suite_file.write_text(text)
            printed.write_text(run(suite_file, place))
    return Swept(suite_file, place, printed.read_text())


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """The small sweep."""
    return swept_once(tmp_path_factory, "finished", SUITE_FILE, run_as_people_do)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """The part of it that takes a moment."""
    return swept_once(tmp_path_factory, "tiny", TINY, run_to_the_end)


@pytest.fixture
def suite_file(tmp_path: Path) -> Path:
    """A suite of 12 pretrainings and 44 evaluations that takes seconds."""
    path = tmp_path / "small.py"
    path.write_text(SUITE_FILE)
    return path
