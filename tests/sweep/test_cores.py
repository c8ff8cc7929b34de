"""Workers and threads use every core once and no more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sslbench.contract.spec import InputError
from sslbench.sweep import cores
from sslbench.sweep.cores import Layout, choose, threads_set

GIB = 2**30


def test_one_thread_on_every_core_is_the_choice_on_a_processor() -> None:
    chosen = choose(None, "cpu", 20, 8, 64 * GIB)
    assert (chosen.workers, chosen.threads) == (8, 1)
    assert chosen.title == "8 workers with 1 thread each (8 cores)"


def test_a_gpu_goes_to_one_worker_with_all_threads() -> None:
    assert choose(None, "cuda", 20, 8, 64 * GIB).title == "1 worker with 8 threads (one GPU)"


def test_no_more_workers_than_pretrainings_and_they_share_the_threads() -> None:
    assert choose(None, "cpu", 2, 8, 64 * GIB).title == "2 workers with 4 threads each (2 pretrainings to share)"
    assert choose(6, "cpu", 1, 8, 64 * GIB).title == "1 worker with 8 threads (1 pretraining to share)"


def test_no_more_workers_than_fit_into_memory() -> None:
    assert choose(None, "cpu", 20, 8, 4 * GIB).title == "2 workers with 4 threads each (4.0 GiB of memory are free)"
    assert choose(None, "cpu", 20, 8, GIB // 2).workers == 1


@pytest.mark.parametrize(
    ("wanted", "threads", "title"),
    [
        (None, 1, "8 workers with 1 thread each (8 cores; OMP_NUM_THREADS is 1)"),
        (None, 3, "2 workers with 3 threads each (8 cores; OMP_NUM_THREADS is 3)"),
        (None, 16, "1 worker with 16 threads (8 cores; OMP_NUM_THREADS is 16)"),
        (6, 4, "6 workers with 4 threads each (as asked; OMP_NUM_THREADS is 4)"),
    ],
)
def test_threads_that_a_person_set_stay_and_are_said(wanted: int | None, threads: int, title: str) -> None:
    assert choose(wanted, "cpu", 20, 8, 64 * GIB, threads).title == title


@pytest.mark.parametrize(("text", "threads"), [("", None), ("3", 3), (" 3 ", 3), ("4,2", 4)])
def test_threads_are_read_as_openmp_reads_them(text: str, threads: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert threads_set() == threads


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "99999"])
def test_what_is_no_number_of_threads_is_named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    with pytest.raises(InputError, match=f"OMP_NUM_THREADS '{text}' is no number of threads"):
        threads_set()


@pytest.mark.parametrize("wanted", [None, 1, 2, 3, 5, 8, 16])
@pytest.mark.parametrize("available", [1, 2, 3, 8])
def test_threads_never_outnumber_cores_unless_workers_do(wanted: int | None, available: int) -> None:
    chosen = choose(wanted, "cpu", 100, available, 64 * GIB)
    assert chosen.threads >= 1
    assert chosen.workers * chosen.threads <= max(available, chosen.workers)


@pytest.mark.parametrize(("limit", "expected"), [("max 100000", None), ("100000 100000", 1), ("50000 100000", 1)])
def test_a_containers_share_of_the_processors_counts(
    limit: str, expected: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(limit + "\n")
    monkeypatch.setattr(cores, "CPU_LIMIT", tmp_path / "nothing")
    unlimited = cores.cores()
    monkeypatch.setattr(cores, "CPU_LIMIT", tmp_path / "cpu.max")
    assert cores.cores() == (expected or unlimited)


def test_free_memory_is_read_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:       8000 kB\nMemAvailable:   2048 kB\n")
    monkeypatch.setattr(cores, "MEMORY", tmp_path / "meminfo")
    assert cores.free_memory() == 2 * 2**20


def test_numeric_libraries_of_a_worker_are_held_to_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "7")  # what a person has set stays
    program = "import os; print(os.environ['OMP_NUM_THREADS'], os.environ['MKL_NUM_THREADS'])"
    with Layout(2, 3, "").in_force():
        seen = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert seen.split() == ["3", "7"]
    assert "OMP_NUM_THREADS" not in os.environ
