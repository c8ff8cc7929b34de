"""Side-by-side measurements: interleaved, repeated, as medians with their spread, written to results/performance/.

Every script here measures one bar, runs on its own (`python benchmarks/performance/pipeline.py`) and replaces its own
rows; the rows it replaces become its previous run, so that the table shows whether two runs agree.
"""

from __future__ import annotations

import csv
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import psutil

RESULTS = Path(__file__).parents[2] / "results" / "performance"

#: A machine whose other processes take less than this share of it counts as quiet.
QUIET = 0.05
PATIENCE_SECONDS = 30

#: A round during which they took more than this share is measured again.
DISTURBED = 0.1


@dataclass(frozen=True)
class Row:
    """One measured quantity.

    Attributes:
        bar: number of the requirement.
        quantity: what was measured; unique over all bars.
        value, low, high: median, smallest and largest over the repeats.
        target: the bound; empty for figures that only explain others.
        bound: `at least` or `at most`, or empty.
        detail: the figures behind a ratio, in words.
        others: share of the processors that other processes took meanwhile, in [0, 1].
        run: `last` or `previous`.
        machine: its processor, on which ratios depend too; empty for rows from before this was kept.
    """

    bar: int
    quantity: str
    value: float
    low: float
    high: float
    unit: str
    bound: str
    target: float | None
    detail: str
    repeats: int
    others: float
    measured_at: str
    run: str = "last"
    machine: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the median keeps the bound; None without one."""
        if self.target is None:
            return None
        return self.value >= self.target if self.bound == "at least" else self.value <= self.target


@dataclass(frozen=True)
class Measured:
    """Seconds (or whatever the contenders return) of every contender, repeat by repeat, and who else was running."""

    values: dict[str, list[float]]
    others: float

    def ratios(self, above: str, below: str) -> list[float]:
        """One contender over the other, repeat by repeat."""
        return [a / b for a, b in zip(self.values[above], self.values[below], strict=True)]

    def median(self, name: str) -> float:
        """Median of one contender."""
        return statistics.median(self.values[name])


def interleave(contenders: dict[str, Callable[[], float]], repeats: int, *, warm: bool = True) -> Measured:
    """Call the contenders in turn and keep what they return, until `repeats` rounds went undisturbed.

    Taking turns lets whatever else slows the machine for a while slow all of them. A round in which other processes
    took more than a tenth of the machine is measured again, at most twice as many times as rounds are wanted; then
    the least disturbed ones count.

    Args:
        warm: call each once before, uncounted.
    """
    wait_until_quiet()
    if warm:
        for contender in contenders.values():
            contender()
    rounds: list[tuple[float, dict[str, float]]] = []
    while len(rounds) < 3 * repeats and sum(others <= DISTURBED for others, _ in rounds) < repeats:
        wait_until_quiet()
        watch = Others()
        values = {name: contender() for name, contender in contenders.items()}
        rounds.append((watch.share(), values))
    kept = sorted(rounds, key=lambda each: each[0])[:repeats]
    values_of = {name: [values[name] for _, values in kept] for name in contenders}
    return Measured(values_of, statistics.mean(others for others, _ in kept))


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def row(
    bar: int,
    quantity: str,
    values: Sequence[float],
    detail: str,
    *,
    others: float,
    bound: str = "",
    target: float | None = None,
    unit: str = "x",
) -> Row:
    """A row of several repeats' values."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    middle = statistics.median(values)
    ends = min(values), max(values)
    return Row(
        *(bar, quantity, middle, *ends, unit, bound, target, detail, len(values), others, moment),
        machine=processor(),
    )


def processor() -> str:
    """What this machine's processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


class Others:
    """Watches, from its creation on, how much of the processors everybody else takes."""

    def __init__(self) -> None:
        self.started, self.busy, self.own = time.perf_counter(), _busy_seconds(), _own_seconds()

    def share(self) -> float:
        """Share of all processors that other processes took, in [0, 1]; ours are this process and its children."""
        elapsed = (time.perf_counter() - self.started) * (os.cpu_count() or 1)
        foreign = (_busy_seconds() - self.busy) - (_own_seconds() - self.own)
        return max(0.0, foreign / elapsed)


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return sum(times) - times.idle - times.iowait - times.guest - times.guest_nice


def _own_seconds() -> float:
    own = os.times()
    return own.user + own.system + own.children_user + own.children_system


def wait_until_quiet() -> None:
    """Wait up to half a minute for other processes to leave the machine alone; their share is reported anyway."""
    end = time.perf_counter() + PATIENCE_SECONDS
    while psutil.cpu_percent(interval=0.5) > 100 * QUIET and time.perf_counter() < end:
        pass


def publish(rows: Sequence[Row]) -> None:
    """Print rows, replace the rows of the same quantities in performance.csv and draw the table and plot again."""
    for item in rows:
        print(describe(item))
    table = read()
    names = {item.quantity for item in rows}
    kept = [item for item in table if item.quantity not in names]
    before = [_previous(item) for item in table if item.quantity in names and item.run == "last"]
    table = sorted([*kept, *rows, *before], key=lambda item: (item.bar, item.run == "previous"))
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / "performance.csv"
    with path.with_suffix(".new").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [item.name for item in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**asdict(item), "target": "" if item.target is None else item.target} for item in table)
    path.with_suffix(".new").replace(path)

    from _show import draw, write_table

    write_table(table, RESULTS / "performance.md")
    draw(table, RESULTS / "performance.png")


def read() -> list[Row]:
    """The rows of performance.csv; none if there is none."""
    path = RESULTS / "performance.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [_row_of(line) for line in csv.DictReader(file)]


def _row_of(line: dict[str, str]) -> Row:
    return Row(
        int(line["bar"]),
        line["quantity"],
        float(line["value"]),
        float(line["low"]),
        float(line["high"]),
        line["unit"],
        line["bound"],
        float(line["target"]) if line["target"] else None,
        line["detail"],
        int(line["repeats"]),
        float(line["others"]),
        line["measured_at"],
        line["run"],
        line.get("machine", ""),
    )


def _previous(item: Row) -> Row:
    return _row_of(
        {name: "" if value is None else str(value) for name, value in asdict(item).items()} | {"run": "previous"}
    )


def describe(item: Row) -> str:
    """A row as one line of text."""
    verdict = {True: "reached", False: "NOT REACHED", None: ""}[item.reached]
    bound = f"{item.bound} {item.target:g}: " if item.target is not None else ""
    figures = f"{item.value:.3g} {item.unit} ({item.low:.3g} to {item.high:.3g})"
    return f"bar {item.bar}  {item.quantity}: {figures}  {bound}{verdict}  [{item.detail}; others {item.others:.0%}]"
