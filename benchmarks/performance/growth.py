"""Bar 7: reports and resuming of 20,000 cells, and the memory of a worker."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psutil
from _filled import Filled, fill
from _measure import Others, Row, publish, row, seconds, wait_until_quiet

from sslbench.contract.spec import BASELINES
from sslbench.pretexts import PRETEXTS
from sslbench.report.build import build
from sslbench.report.records import from_records
from sslbench.sweep import suites
from sslbench.sweep.request import prepare_request, records_of
from sslbench.sweep.studies import open_queues

CELLS, RECORDS = 20_000, 20_000
REPEATS = 3
GIB = 2**30

QUICK = suites.load("quick").pretexts
OF_IMAGES = [name for name in PRETEXTS if PRETEXTS.module(name).split(".")[2] not in ("series", "text")]
ELSEWHERE = ("colorization", "masked_autoencoder", "ijepa")  # not for grey images, not for `conv`
OTHERS = tuple(name for name in OF_IMAGES if name not in (*BASELINES, *QUICK, *ELSEWHERE))
SERIES, TEXT = suites.load("catalogue_series"), suites.load("catalogue_text")
TRANSFORMER = suites.load("catalogue_transformer")

#: Workers whose memory is measured: on which datasets, with which encoder, what they train, and for how many steps.
#: Of texts each batch is of another length, and what such blocks leave unused grows with the steps.
WORKERS = {
    "on Fashion-MNIST": (("fashion_mnist",), "conv", QUICK, 28),
    "on Fashion-MNIST, all other tasks": (("fashion_mnist",), "conv", OTHERS, 28),
    "on Fashion-MNIST, tasks made for vit": (("fashion_mnist",), "vit", ("masked_autoencoder", "ijepa", "dino"), 28),
    "on series": (SERIES.datasets, "conv1d", SERIES.pretexts, 28),
    "on texts": (TEXT.datasets, "bag", TEXT.pretexts, 28),
    "on texts, transformer": (TRANSFORMER.datasets[:1], "transformer", TRANSFORMER.pretexts, 150),
}
WORKER_SUITE = '''
"""What a worker's memory is measured on."""
from sslbench.contract.spec import Suite

SUITE = Suite(
    name="memory",
    datasets={datasets!r},
    encoders=({encoder!r},),
    pretexts={pretexts!r},
    latent_dims=(128,),
    seeds=(0,),
    steps={steps},
    label_fractions=(0.01, 1.0),
    protocols=("linear_probe", "knn", "finetune"),
    settings={{"finetune": {{"min_steps": 20, "max_steps": 20}}}},
)
'''


def report_seconds(filled: Filled, folder: Path) -> tuple[float, int]:
    """Seconds from the store to the finished files, and how many records there were."""
    found = 0

    def work() -> None:
        nonlocal found
        rows = records_of(filled.request, filled.prepared)
        found = len(rows)
        build(from_records(rows), folder, "growth")

    return seconds(work), found


def planning_seconds(filled: Filled) -> float:
    """Seconds of everything before the first missing cell would start: plan, finished runs, queues, filling them."""

    def work() -> None:
        prepared = prepare_request(filled.request)
        assert all(cell.cell_id in prepared.done for cell in prepared.plan.evaluations)
        queues = open_queues(suites.load(filled.request.suite), filled.request.selection, filled.request.stores.storage)
        for queue in queues:
            queue.release_gone()
            queue.fill(())
            assert not queue.waiting()

    return seconds(work)


def worker_bytes(folder: Path, datasets: tuple[str, ...], encoder: str, pretexts: tuple[str, ...], steps: int) -> int:
    """Peak resident memory of the only worker of a small sweep."""
    folder.mkdir()
    suite = folder / "memory.py"
    run = tuple(name for name in pretexts if name != "supervised_compute")  # which is `supervised`, for longer
    text = WORKER_SUITE.format(datasets=datasets, encoder=encoder, pretexts=run, steps=steps)
    suite.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "sslbench", "run", str(suite), "--workers", "1", "--home", str(folder / "home")]
    sweep = subprocess.Popen([*command, "--results", str(folder / "results")], stdout=subprocess.DEVNULL)
    peaks: dict[int, int] = {}
    while sweep.poll() is None:
        for child in psutil.Process(sweep.pid).children(recursive=True):
            peaks[child.pid] = max(peaks.get(child.pid, 0), _peak(child.pid))
        threading.Event().wait(0.2)
    assert sweep.returncode == 0
    return max(peaks.values())


def _peak(pid: int) -> int:
    """The largest resident size a process ever had, as Linux keeps it."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


CIFAR_SIZED = """
import torch
from pathlib import Path
import sslbench.sweep.worker
from sslbench.datasets._base import Dataset
from sslbench.engine.evaluate import evaluate, extract
from sslbench.engine.examine import draw, measure
from sslbench.pretexts import PRETEXTS
from sslbench.engine.pretrain import Pretraining
from sslbench.protocols import PROTOCOLS
from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.spec import InputSpec, ViewPolicy

torch.set_num_threads(1)
inputs = torch.randint(0, 256, (60_000, 3, 32, 32), dtype=torch.uint8)
labels = torch.arange(60_000) % 10
spec = InputSpec("image", (3, 32, 32), ViewPolicy(True, True, True))
train, test = inputs[:50_000], inputs[50_000:]
data = Dataset("noise", spec, tuple("abcdefghij"), train, labels[:50_000], test, labels[50_000:], train, "", "made up")
device = torch.device("cpu")
for name in ("autoencoder", "simclr"):
    cell = PretrainCell("noise", "conv", name, 128, 0, 0.02, None, PRETEXTS.get(name).Config())
    training = Pretraining(cell, data, device)
    for _ in training.reports():
        pass
    features = extract(training.pretext.encoder, data, device)["latent"]
    measure(training, data)
    for protocol in ("linear_probe", "knn"):
        wanted = EvaluateCell(cell, "noise", 1.0, 0, protocol, PROTOCOLS.get(protocol).Config())
        evaluate(wanted, data, training.pretext.encoder, features, device)
# Since this program began; getrusage would count what its parent had.
print(1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]))
"""


def cifar_bytes() -> int:
    """Peak resident memory of a worker's work on arrays of CIFAR-10's size."""
    done = subprocess.run([sys.executable, "-c", CIFAR_SIZED], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


def workers() -> list[Row]:
    """Measure the memory of workers, which nothing else that runs changes."""
    watch = Others()
    with tempfile.TemporaryDirectory() as name:
        memory = {
            which: worker_bytes(Path(name) / f"sweep-{number}", *worker)
            for number, (which, worker) in enumerate(WORKERS.items())
        }
    rows = [
        (f"peak memory of a worker {which}", size, 2.0, ", ".join(WORKERS[which][2])) for which, size in memory.items()
    ]
    rows.append(("peak memory on data of CIFAR-10's size", cifar_bytes(), 3.0, "two pretexts, two protocols"))
    others = watch.share()
    return [
        row(7, what, [size / GIB], detail, others=others, bound="at most", target=most, unit="GiB")
        for what, size, most, detail in rows
    ]


def main() -> list[Row]:
    """Measure growth and memory."""
    wait_until_quiet()
    watch = Others()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("all", "half"):
            (folder / part).mkdir()
        all_cells, half = fill(folder / "all", CELLS), fill(folder / "half", CELLS // 2)
        planning = [planning_seconds(all_cells) for _ in range(REPEATS)]
        reports = [report_seconds(half, folder / "half" / "results") for _ in range(REPEATS)]
    found = reports[0][1]
    bounded = [
        (f"report of {found:,} records, from the store to its files", [taken for taken, _ in reports], 30.0),
        (f"planning {CELLS:,} finished cells", planning, 20.0),
    ]
    others = watch.share()
    return [
        *(
            row(7, what, values, "", others=others, bound="at most", target=target, unit="s")
            for what, values, target in bounded
        ),
        *workers(),
    ]


if __name__ == "__main__":
    publish(main())
