"""How many cells a second PostgreSQL hands out to many workers, and whether that stays so as a sweep grows.

The cells do nothing: what is left is taking them, writing down whose they are, and ending them. Every simulated worker
is a thread with connections and a memory of its own; a process holds some of them.

    python benchmarks/cluster/scale.py --cells 1000 --cells 10000 --workers 100
"""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Annotated

import psutil
import typer
from optuna.distributions import IntDistribution

from benchmarks.cluster.soak import HOST, free_port
from sslbench.stores.claim import Claim
from sslbench.stores.idle import Idle
from sslbench.stores.postgres import databases, run_postgres
from sslbench.stores.queue import CHUNK, CellQueue, QueuedCell
from sslbench.stores.storage import open_storage

THREADS = 10  # of a process

#: A sweep is linear whose last tenth is handed out at this share of the rate of the first, at least.
LINEAR = 0.75

Taken = tuple[float, str]  # when, in seconds since the epoch, and which cell


def open_queue(address: str, name: str) -> CellQueue:
    """The queue, as one more worker sees it."""
    return CellQueue(open_storage(address), name, {"number": IntDistribution(0, 2**31)}, "nothing")


def cells_of(count: int) -> list[QueuedCell]:
    """So many cells."""
    return [QueuedCell(f"cell-{number}", f"cell {number}", {"number": number}) for number in range(count)]


def work(address: str, name: str, count: int, taken: list[Taken], begin: Barrier) -> None:
    """What a worker does: take, top up when it is its turn, and end when nothing is left."""
    queue, cells = open_queue(address, name), cells_of(count)
    wanted = {cell.cell_id for cell in cells}
    begin.wait()

    def handle(claim: Claim) -> float:
        if claim.number % CHUNK == 0:
            queue.top_up(cells, wait=False)
        if not claim.repeated:  # else two have queued it at one moment, which a worker finds out
            taken.append((time.time(), claim.cell_id))
        return 1.0

    idle = Idle()
    while True:
        began = time.monotonic()
        if queue.work(wanted, handle) or queue.top_up(cells):
            idle.over()
        elif queue.held() or queue.waiting():
            idle.rest(began)
        else:
            break
    queue.storage.engine.dispose()


def work_in_threads(
    address: str, name: str, count: int, threads: int, begin: Barrier, ready: multiprocessing.Queue[list[Taken]]
) -> None:
    """Some workers; what they took goes into `ready`."""
    taken: list[Taken] = []
    crew = [threading.Thread(target=work, args=(address, name, count, taken, begin)) for _ in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    ready.put(taken)


def measured(address: str, count: int, workers: int) -> str:
    """One sweep of nothing, in words."""
    name = f"scale-{count}"
    open_queue(address, name).fill(cells_of(count))
    context = multiprocessing.get_context("spawn")
    ready: multiprocessing.Queue[list[Taken]] = context.Queue()
    begin = context.Barrier(workers + 1)
    sizes = [min(THREADS, workers - start) for start in range(0, workers, THREADS)]
    crew = [context.Process(target=work_in_threads, args=(address, name, count, size, begin, ready)) for size in sizes]
    for process in crew:
        process.start()
    begin.wait()  # they have opened the queue, which for many of them takes longer than their work
    before, began = psutil.cpu_times(), time.monotonic()
    taken = sorted(one for _ in crew for one in ready.get())
    for process in crew:
        process.join()
    elapsed, after = time.monotonic() - began, psutil.cpu_times()
    cells = {cell for _, cell in taken}
    assert len(taken) == len(cells) == count, f"{len(taken)} cells were handed out, {len(cells)} different ones"
    tenth = count // 10
    first, last = (tenth / (part[-1][0] - part[0][0]) for part in (taken[:tenth], taken[-tenth:]))
    assert last > LINEAR * first, f"{last:.1f} cells a second in the last tenth, {first:.1f} in the first"
    busy = 1 - (after.idle - before.idle) / (elapsed * psutil.cpu_count())
    rates = f"{count / elapsed:.1f} cells a second ({first:.1f} in the first tenth, {last:.1f} in the last)"
    return f"{count:,} cells, {workers} workers: {elapsed:,.0f} s, {rates}, {busy:.0%} of the processors"


def main(
    cells: Annotated[list[int], typer.Option(help="How many, once for every sweep.")],
    workers: Annotated[int, typer.Option(help="Workers at a time.")] = 100,
) -> None:
    """Run sweeps of cells that do nothing, one after the other."""
    with tempfile.TemporaryDirectory() as folder, run_postgres(Path(folder), HOST, free_port()) as server:
        for count in cells:
            print(measured(databases(server)[0], count, workers), flush=True)


if __name__ == "__main__":
    typer.run(main)
