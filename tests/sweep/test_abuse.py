"""Workers that start at one moment in an empty folder, and workers that are killed at any: nothing breaks or changes.

A few times in every run of the tests; as often as one can wait for in `make soak`.
"""

from __future__ import annotations

import random
import signal
import tempfile
import time
from pathlib import Path

import pandas as pd
import pytest

from sslbench.report.records import from_records
from sslbench.stores.addresses import locate
from sslbench.stores.tracker import Tracker
from tests.conftest import CIRCUMSTANCES
from tests.forked import Forked, command

pytestmark = pytest.mark.usefixtures("made_anew")

SMALL = '''"""Seven cells that take a moment."""
from sslbench.contract.spec import Suite

SUITE = Suite(
    name="{name}", datasets=("digits",), encoders=("conv",), pretexts=("majority_class", "random_init"),
    latent_dims=(8,), seeds=(0,), epochs=1, label_fractions=(0.05, 1.0), protocols=("linear_probe", "knn"),
)
'''
SMALL_CELLS = 8

LONG = '''"""A training of some seconds that is kept all the time, and its evaluations."""
from sslbench.contract.spec import Suite
from sslbench.sweep import trainer

trainer.CHECKPOINT_SECONDS = 0.2

SUITE = Suite(
    name="long", datasets=("digits",), encoders=("conv",), pretexts=("simclr",), latent_dims=(8,), seeds=(0,),
    epochs=3, label_fractions=(0.05, 1.0), protocols=("linear_probe", "knn"), checkpoints=(1,),
)
'''


def start(folder: Path, name: str, text: str, home: Path, how: str = "worker") -> Forked:
    """A worker on a suite, or a run of it."""
    path = folder / f"{name}.py"
    if not path.exists():  # others may be reading it
        path.write_text(text)
    return command(how, str(path), f"--home={home}", "--device=cpu", f"--data-root={folder / 'data'}")


def found(home: Path, suite: str) -> pd.DataFrame:
    """All records of a suite, each cell's once, without the circumstances."""
    stores = locate(home)
    tracker = Tracker(stores.tracking_uri, suite, stores.artifact_root)
    states = [run.info.status for run in tracker.client.search_runs([tracker.experiment_id], "tags.cell_id != ''")]
    assert "RUNNING" not in states, "a run was left open"
    assert states.count("FINISHED") == len(tracker.finished()), "a cell was finished twice"
    records = from_records(tracker.records(tracker.finished())).drop(columns=CIRCUMSTANCES)
    return records.sort_values(["cell_id", "metric", "split"], ignore_index=True)


@pytest.mark.parametrize("times", [1, pytest.param(20, marks=pytest.mark.cluster)])
def test_four_workers_start_at_one_moment_in_an_empty_folder(times: int, tmp_path: Path) -> None:
    for number in range(times):
        home = tmp_path / str(number)
        crew = [start(tmp_path, "small", SMALL.format(name="small"), home) for _ in range(4)]
        for worker in crew:
            worker.ends()
        assert len(Tracker(locate(home).tracking_uri, "small", None).finished()) == SMALL_CELLS
        assert not found(home, "small").empty


@pytest.mark.parametrize("suites", [2, pytest.param(10, marks=pytest.mark.cluster)])
def test_suites_start_at_one_moment_in_an_empty_folder(suites: int, tmp_path: Path) -> None:
    names = [f"small-{number}" for number in range(suites)]
    crew = [start(tmp_path, name, SMALL.format(name=name), tmp_path / "home") for name in names]
    for worker in crew:
        worker.ends(timeout=600)
    tables = [found(tmp_path / "home", name) for name in names]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table.drop(columns="suite"), tables[0].drop(columns="suite"))


@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=pytest.mark.cluster)])
def test_a_training_and_its_evaluations_are_the_same_whenever_they_are_killed(kills: int, tmp_path: Path) -> None:
    begun = time.monotonic()
    start(tmp_path, "long", LONG, tmp_path / "quiet").ends()
    longest = time.monotonic() - begun
    expected = found(tmp_path / "quiet", "long")
    cells = expected["cell_id"].nunique()
    assert cells == 5
    chance, left = random.Random(0), kills
    while left:
        with tempfile.TemporaryDirectory(dir=tmp_path) as home:
            ended = False
            while not ended:
                worker = start(tmp_path, "long", LONG, Path(home))
                if left and worker.lasts(chance.uniform(0, 1) * longest):
                    worker.signal(signal.SIGKILL)
                    worker.ends(-signal.SIGKILL, 0)  # it may have been done a moment before
                    left -= 1
                else:
                    worker.ends()
                    ended = True
            if found(Path(home), "long")["cell_id"].nunique() < cells:  # left out, since three died over one
                start(tmp_path, "long", LONG, Path(home), "run").ends()
            got = found(Path(home), "long")
            pd.testing.assert_frame_equal(got, expected)
            assert not list((Path(home) / "temporary").iterdir())
