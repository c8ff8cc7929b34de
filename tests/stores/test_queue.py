"""The queues hand every cell to exactly one worker, whatever happens to workers."""

from __future__ import annotations

import math
import multiprocessing
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState

from sslbench.contract.owner import _started, gone, machine, me
from sslbench.contract.spec import InputError
from sslbench.stores.claim import RETRIES, CellFailed, Claim
from sslbench.stores.queue import CellQueue, QueuedCell
from sslbench.stores.storage import open_storage
from sslbench.stores.waiting import Waiting

ALL = {f"cell-{number}" for number in range(40)} | {"x"}


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

    def handle(claim: Claim) -> float:
        with path.open("a") as file:
            file.write(claim.cell_id + "\n")
        return 1.0

    while queue.work(ALL, handle):
        pass


def test_processes_that_hurry_never_take_the_same_cell(url: str, tmp_path: Path) -> None:
    queue = open_queue(url)
    queue.fill(cells(40))
    queue.storage.engine.dispose()  # no connection is shared by processes
    context = multiprocessing.get_context("fork")
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

    def handle(claim: Claim) -> float:
        if claim.cell_id == "cell-0":
            raise CellFailed(claim.cell_id)
        return 0.5

    assert queue.work(ALL, handle)
    assert queue.work(ALL, handle)
    assert not queue.work(ALL, handle)
    states = [trial.state for trial in queue.study.trials]
    assert states == [TrialState.FAIL, TrialState.COMPLETE]


def test_a_cell_that_is_done_has_no_value_and_can_be_filled_again(url: str) -> None:
    queue = open_queue(url)
    queue.fill(cells(1))
    assert queue.work(ALL, lambda _: None)
    assert queue.study.trials[0].state == TrialState.PRUNED
    assert queue.fill(cells(1)) == 1
    repeated = []
    queue.work(ALL, lambda claim: repeated.append(claim.repeated))
    assert repeated == [True]


def test_cells_that_one_does_not_want_stay_for_others(url: str) -> None:
    queue, taken = open_queue(url), []
    queue.fill(cells(3))
    while queue.work({"cell-2"}, lambda claim: taken.append(claim.cell_id)):
        pass
    assert taken == ["cell-2"]
    assert sorted(trial.user_attrs["cell_id"] for trial in queue.waiting()) == ["cell-0", "cell-1"]


def test_one_look_serves_until_others_were_quicker(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = open_queue(url), open_queue(url)
    first.fill(cells(12))
    looks, look = [], Waiting.look
    monkeypatch.setattr(Waiting, "look", lambda self: looks.append(self) or look(self))
    taken = list[str]()

    def handle(claim: Claim) -> float:
        taken.append(claim.cell_id)
        return 1.0

    assert first.work({"cell-3"}, handle)
    assert first.work(ALL, handle)
    assert first.work(ALL, handle)
    assert taken == ["cell-3", "cell-0", "cell-1"]
    assert looks == [first.seen]
    for _ in range(8):
        assert second.work(ALL, handle)
    assert looks == [first.seen, second.seen]
    first.fill([QueuedCell("x", "new", {"pretext": "a"})])
    while first.work(ALL, handle):
        pass
    assert sorted(taken) == sorted([*(f"cell-{number}" for number in range(12)), "x"])
    assert looks.count(first.seen) in (3, 4)  # one that finds the new cell, one that finds none, and before it a chance


def take(queue: CellQueue, owner: str) -> None:
    """Take a cell as a worker would, and do nothing."""
    with pytest.warns(UserWarning, match="Heartbeat"):  # Optuna would rather see Study.optimize
        queue.study.ask().set_user_attr("owner", owner)


def ended() -> str:
    """The name of a process of this machine that lived."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = f"{machine()}:{process.pid}:{_started(process.pid)}"
    assert not gone(name)
    process.communicate(b"\n")
    assert gone(name)
    return name


def test_only_cells_of_workers_that_are_gone_are_taken_over(url: str) -> None:
    queue = open_queue(url)
    queue.fill(cells(3))
    for owner in (ended(), me(), "another machine:1:1"):
        take(queue, owner)
    queue.release_gone()
    assert queue.held() == {"cell-1": me(), "cell-2": "another machine:1:1"}
    assert [trial.user_attrs["cell_id"] for trial in queue.waiting()] == ["cell-0"]
    queue.release_own()
    assert queue.held() == {"cell-2": "another machine:1:1"}


def test_a_number_that_came_again_is_another_process() -> None:
    host, number, started = me().rsplit(":", 2)
    assert gone(f"{host}:{number}:{int(started) - 60}")
    assert not gone(f"elsewhere{host}:{number}:1")
    assert not gone("")


def test_a_machine_of_the_same_name_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    name = ended()
    monkeypatch.setattr("sslbench.contract.owner._told_apart", lambda: ".another")
    assert not gone(name), "its processes cannot be seen from here"


def test_a_silent_worker_anywhere_loses_its_cell(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sslbench.stores.storage.HEARTBEAT_SECONDS", 1)
    monkeypatch.setattr("sslbench.stores.storage.GRACE_SECONDS", 1)
    queue = open_queue(url)
    queue.fill(cells(1))
    take(queue, "another machine:1:1")
    (trial,) = queue.running()
    queue.study._storage.record_heartbeat(trial._trial_id)  # its last
    time.sleep(2.5)
    monkeypatch.setattr("sslbench.stores.queue.since_outage", lambda: 1.0)
    queue.release_gone()
    assert queue.held() == {"cell-0": "another machine:1:1"}, "all were silent while the store was away"
    monkeypatch.setattr("sslbench.stores.queue.since_outage", lambda: math.inf)
    queue.release_gone()
    assert queue.held() == {}
    assert [trial.user_attrs["cell_id"] for trial in queue.waiting()] == ["cell-0"]


@pytest.mark.filterwarnings("ignore:Heartbeat of storage is supposed to be used with:UserWarning")
def test_who_died_before_it_wrote_its_name_loses_its_cell(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = open_queue(url)
    queue.fill(cells(1))
    queue.study.ask()
    queue.release_gone()
    assert queue.held() == {"cell-0": ""}, "it may be about to write it"
    monkeypatch.setattr("sslbench.stores.queue.HEARTBEAT_SECONDS", 0)
    queue.release_gone()
    assert queue.held() == {}
    assert [trial.user_attrs["cell_id"] for trial in queue.waiting()] == ["cell-0"]


def test_who_lost_its_cell_before_it_wrote_its_name_goes_on(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = open_queue(url)
    queue.fill(cells(1))

    def slowly() -> str:
        (trial,) = queue.running()
        queue.study.tell(trial.number, state=TrialState.FAIL)  # another thought nobody had it
        return "here:1:1"

    monkeypatch.setattr("sslbench.stores.queue.me", slowly)
    assert queue.work(ALL, lambda claim: pytest.fail(f"{claim.cell_id} is another's"))
    assert [trial.state for trial in queue.study.trials] == [TrialState.FAIL]


def test_a_cell_that_kills_its_workers_is_not_tried_for_ever(url: str) -> None:
    queue, owner = open_queue(url), ended()
    queue.fill(cells(1))
    for _ in range(RETRIES + 1):
        take(queue, owner)
        queue.release_gone()
    assert not queue.waiting()
    assert queue.given_up() == {
        "cell-0": "3 workers died over it, killed by somebody or by a machine without memory left"
    }
    assert queue.top_up(cells(1)) == open_queue(url).top_up(cells(1)) == 0, "a worker that comes leaves it alone"
    assert queue.fill(cells(1)) == 1, "a person asks for it again"
    assert not queue.given_up()


def test_a_cell_that_was_taken_from_a_dead_worker_and_not_put_back_is_put_back(url: str) -> None:
    queue = open_queue(url)
    queue.fill(cells(2))
    assert queue.work(ALL, failing)
    take(queue, ended())
    (trial,) = queue.running()
    queue.study.tell(trial.number, state=TrialState.FAIL)  # by one that died before it put it back
    queue.release_gone()
    assert [trial.user_attrs["cell_id"] for trial in queue.waiting()] == ["cell-1"], "not the one that failed itself"


def failing(claim: Claim) -> float:
    raise CellFailed(claim.cell_id)


def test_deaths_before_a_cell_was_brought_further_do_not_count(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    queue, owner = open_queue(url), ended()
    queue.fill(cells(1))

    def handle(claim: Claim) -> float:
        claim.note_progress()
        claim.trial.set_user_attr("owner", owner)
        queue.release_gone()  # as another process would, had this one died
        claim.check()
        return 1.0

    for _ in range(2 * RETRIES):
        assert queue.work(ALL, handle)
    for _ in range(RETRIES):
        take(queue, owner)
        queue.release_gone()
    assert queue.waiting(), "as many may die as of any cell"
    take(queue, owner)
    queue.release_gone()
    assert not queue.waiting()


def test_only_some_cells_wait_at_a_time_and_all_are_handed_out(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sslbench.stores.queue.WINDOW", 4)
    queue, taken = open_queue(url), []
    assert queue.fill(cells(10)) == 4

    def handle(claim: Claim) -> float:
        taken.append(claim.cell_id)
        if claim.cell_id == "cell-5":
            raise CellFailed(claim.cell_id)
        return 1.0

    while queue.work(ALL, handle):
        queue.top_up(cells(10))
        assert len(queue.waiting()) <= 4
    assert taken == [cell.cell_id for cell in cells(10)], "each once, the failed one too"


def test_cells_of_others_take_no_place_from_ones_own(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sslbench.stores.queue.WINDOW", 4)
    queue = open_queue(url)
    assert queue.fill(cells(4)) == 4
    assert queue.fill(cells(8)[4:]) == 4


def test_the_last_cells_are_queued_beside_many_that_wait(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sslbench.stores.queue.WINDOW", 8)
    queue = open_queue(url)
    assert queue.fill(cells(7)) == 7
    assert queue.fill(cells(8)) == 1, "nobody would come back for them: they are no more than may wait"
    assert queue.top_up(cells(20)) == 0


def test_who_has_a_name_has_a_heartbeat(url: str) -> None:
    queue = open_queue(url)
    queue.fill(cells(1))
    storage, beats = queue.storage, []
    record = storage.record_heartbeat
    storage.record_heartbeat = lambda trial: beats.append(queue.running()[0].user_attrs.get("owner")) or record(trial)
    assert queue.work(ALL, lambda _: 1.0)
    assert beats[0] is None, "else one that died in between would be held for ever"


def test_a_cell_that_two_have_filled_is_handed_out_once(url: str) -> None:
    first, second = open_queue(url), open_queue(url)
    for cell in cells(1) * 2:
        first._enqueue(cell)  # as if neither had seen the other's
    taken = []

    def handle(claim: Claim) -> float:
        taken.append(claim.repeated)
        assert second.work(ALL, lambda other: pytest.fail(f"{other.cell_id} is in our hands"))
        return 1.0

    assert first.work(ALL, handle)
    assert taken == [False]
    assert not first.work(ALL, handle)
    assert [trial.state for trial in first.study.trials] == [TrialState.COMPLETE, TrialState.PRUNED]


def test_who_lost_a_cell_keeps_nothing_and_goes_on(url: str) -> None:
    queue = open_queue(url)
    queue.fill(cells(2))
    kept = []

    def handle(claim: Claim) -> float:
        if claim.cell_id == "cell-0":
            queue.study.tell(claim.number, state=TrialState.FAIL)  # another took it over meanwhile
            assert not claim.held()
        claim.check()
        kept.append(claim.cell_id)
        return 1.0

    assert queue.work(ALL, handle)
    assert queue.work(ALL, handle)
    assert kept == ["cell-1"]


def test_a_cell_lost_at_the_last_moment_is_no_error(url: str) -> None:
    queue = open_queue(url)
    queue.fill(cells(1))

    def handle(claim: Claim) -> float:
        claim.check = lambda: queue.study.tell(claim.number, state=TrialState.FAIL)  # right after it was looked at
        return 1.0

    assert queue.work(ALL, handle)
    assert queue.study.trials[0].state == TrialState.FAIL


def test_axes_and_value_are_there_for_optunas_plots(url: str) -> None:
    queue = open_queue(url)
    queue.fill([QueuedCell("x", "a cell", {"pretext": "b"})])
    queue.work(ALL, lambda _: 0.75)
    trial = queue.study.best_trial
    assert queue.study.metric_names == ["score"]
    assert trial.params == {"pretext": "b"}
    assert trial.value == 0.75
    assert trial.user_attrs["title"] == "a cell"


def test_a_storage_that_cannot_be_opened_is_named() -> None:
    with pytest.raises(InputError, match=re.escape("--storage 'sqlite:////dev/null/x.db' cannot be used")):
        open_storage("sqlite:////dev/null/x.db")
