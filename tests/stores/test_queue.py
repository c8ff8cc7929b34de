"""The queues hand every cell to exactly one worker, whatever happens to workers."""

from __future__ import annotations

import multiprocessing
import re
from pathlib import Path

import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState

from sslbench.contract.spec import InputError
from sslbench.stores.queue import CellFailed, CellQueue, QueuedCell, open_storage


def open_queue(url: str) -> CellQueue:
    return CellQueue(open_storage(url), "test/queue", {"pretext": CategoricalDistribution(["a", "b"])}, "score")


def cells(count: int) -> list[QueuedCell]:
    return [QueuedCell(f"cell-{number}", f"title {number}", {"pretext": "a"}) for number in range(count)]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'optuna.db'}"


def take_all(url: str, path: Path) -> None:
    """What a worker process does: take cells until none is left, noting each."""
    queue = open_queue(url)

    def handle(cell_id: str) -> float:
        with path.open("a") as file:
            file.write(cell_id + "\n")
        return 1.0

    while queue.work(1, handle):
        pass


def test_processes_that_hurry_never_take_the_same_cell(url: str, tmp_path: Path) -> None:
    queue = open_queue(url)
    queue.fill(cells(40))
    context = multiprocessing.get_context("spawn")
    paths = [tmp_path / f"taken-{number}" for number in range(3)]
    workers = [context.Process(target=take_all, args=(url, path)) for path in paths]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    taken = [line for path in paths if path.exists() for line in path.read_text().splitlines()]
    assert sorted(taken) == sorted(cell.cell_id for cell in cells(40))


def test_filling_twice_enqueues_once(url: str) -> None:
    queue = open_queue(url)
    assert queue.fill(cells(5)) == 5
    assert queue.fill(cells(6)) == 1


def test_a_failed_cell_does_not_stop_the_worker(url: str) -> None:
    queue = open_queue(url)
    queue.fill(cells(2))

    def handle(cell_id: str) -> float:
        if cell_id == "cell-0":
            raise CellFailed(cell_id)
        return 0.5

    assert queue.work(1, handle)
    assert queue.work(1, handle)
    assert not queue.work(1, handle)
    states = [trial.state for trial in queue.study.trials]
    assert states == [TrialState.FAIL, TrialState.COMPLETE]


def test_an_unwanted_cell_is_dropped_and_can_be_filled_again(url: str) -> None:
    queue = open_queue(url)
    queue.fill(cells(1))
    assert queue.work(1, lambda _: None)
    assert queue.study.trials[0].state == TrialState.PRUNED
    assert queue.fill(cells(1)) == 1


def test_a_dead_workers_cells_are_released_and_others_kept(url: str) -> None:
    queue = open_queue(url)
    queue.fill(cells(2))
    for worker in (7, 8):
        with pytest.warns(UserWarning, match="Heartbeat"):  # Optuna would rather see Study.optimize
            trial = queue.study.ask()
        trial.set_user_attr("worker", worker)
    assert queue.release(7) == 1
    assert [trial.user_attrs["worker"] for trial in queue.running()] == [8]
    assert queue.fill(cells(2)) == 1


def test_axes_and_value_are_there_for_optunas_plots(url: str) -> None:
    queue = open_queue(url)
    queue.fill([QueuedCell("x", "a cell", {"pretext": "b"})])
    queue.work(1, lambda _: 0.75)
    trial = queue.study.best_trial
    assert trial.params == {"pretext": "b"}
    assert trial.value == 0.75
    assert trial.user_attrs["title"] == "a cell"


def test_a_storage_that_cannot_be_opened_is_named() -> None:
    with pytest.raises(InputError, match=re.escape("--storage 'sqlite:////dev/null/x.db' cannot be used")):
        open_storage("sqlite:////dev/null/x.db")
