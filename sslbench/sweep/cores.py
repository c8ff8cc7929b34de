"""How many worker processes with how many threads each, so that they use every core once."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sslbench.contract.environment import unless_set
from sslbench.contract.errors import InputError

#: Where Linux keeps how much of the processors a container may use: microseconds per period, or `max`.
CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")

#: Where Linux says how much memory is free, in KiB.
MEMORY = Path("/proc/meminfo")

#: Room for one worker on the largest CPU suites: the bound of `benchmarks/performance/growth.py`.
WORKER_BYTES = 2 * 2**30


@dataclass(frozen=True)
class Layout:
    """A number of workers and of threads for each.

    Attributes:
        reason: why this one, for people.
    """

    workers: int
    threads: int
    reason: str

    @property
    def title(self) -> str:
        """As people read it, e.g. `2 workers with 1 thread each (2 cores)`."""
        workers = f"{self.workers} worker{'s' * (self.workers > 1)}"
        each = " each" if self.workers > 1 else ""
        return f"{workers} with {self.threads} thread{'s' * (self.threads > 1)}{each} ({self.reason})"

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Settings of all processes started in this context; what a person has set stays.

        Every numeric library is held to the threads.

        Threads that wait for each other spin only briefly: if another program takes a core, spinning on the rest makes
        a training of two threads more than ten times slower, and giving up costs nothing when none does.
        """
        wanted = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(self.threads))
        wanted["GOMP_SPINCOUNT"] = "20000"
        with unless_set(wanted):
            yield


def cores() -> int:
    """Processor cores this process may use: what it is pinned to, less if its container's share is smaller."""
    available = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    try:
        quota, period = CPU_LIMIT.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return available
    return available if quota == "max" else max(1, min(available, int(quota) // int(period)))


def free_memory() -> int:
    """Bytes of memory that programs started now can have; where the system does not tell, no limit."""
    try:
        lines = MEMORY.read_text(encoding="ascii").splitlines()
    except OSError:
        return sys.maxsize
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), sys.maxsize)


def threads_set() -> int | None:
    """Threads of a process as a person set them in `OMP_NUM_THREADS`; None if it is not set.

    Raises:
        InputError: it is no number.
    """
    text = os.environ.get("OMP_NUM_THREADS", "").strip()
    if not text:
        return None
    first = text.split(",")[0].strip()  # one number a level of nesting, of which we have one
    if re.fullmatch("[1-9][0-9]{0,3}", first) is None:
        raise InputError(f"OMP_NUM_THREADS {text!r} is no number of threads (1 to 9999); change or unset it")
    return int(first)


def choose(
    wanted: int | None, device: str, cells: int, available: int, memory: int, threads: int | None = None
) -> Layout:
    """The layout for so many wanted workers, or the best one for None.

    Single-threaded workers do more together than one process with a thread per core, because small networks leave
    threads waiting for each other. A GPU is given to one worker: a second would only take turns with it.

    Args:
        device: `cpu` or `cuda`.
        cells: pretrainings that are still to do or to evaluate; more workers than that would idle.
        available: processor cores.
        memory: bytes that are free.
        threads: of every worker, if a person has set them: theirs stay, whatever the number of cores.
    """
    useful = max(1, cells)
    if wanted is not None:
        workers, reason = wanted, "as asked"
    elif device == "cuda":
        workers, reason = 1, "one GPU"
    else:
        fitting = max(1, memory // WORKER_BYTES)
        useful_cores = max(1, available // (threads or 1))
        workers = min(useful_cores, fitting)
        reason = f"{available} cores" if workers == useful_cores else f"{memory / 2**30:.1f} GiB of memory are free"
    if workers > useful:
        workers, reason = useful, f"{useful} pretraining{'s' * (useful > 1)} to share"
    if threads is not None:
        return Layout(workers, threads, f"{reason}; OMP_NUM_THREADS is {threads}")
    return Layout(workers, max(1, available // workers), reason)
