"""Run a suite from Python."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.progress import Progress

from sslbench.api.tables import wide
from sslbench.datasets import default_root, is_own
from sslbench.publishing.continuation import take_published
from sslbench.publishing.folders import published_among
from sslbench.publishing.kept import kept_records, kept_suite
from sslbench.publishing.publish import write_tables
from sslbench.report.records import from_records
from sslbench.stores.addresses import locate
from sslbench.sweep import crew, news
from sslbench.sweep.asked import Request, Selection
from sslbench.sweep.caveats import too_little
from sslbench.sweep.request import Prepared, prepare_request, records_of


class CellsFailed(RuntimeError):
    """Some cells of a suite failed; what else there was to do is done and kept."""


def run(
    suite: str | Path,
    *,
    datasets: Sequence[str] = (),
    pretexts: Sequence[str] = (),
    latent_dims: Sequence[int] = (),
    label_fractions: Sequence[float] = (),
    seeds: Sequence[int] = (),
    workers: int | None = None,
    device: str = "auto",
    from_published: bool = False,
    home: str | Path | None = None,
    data_root: str | Path | None = None,
    plugins: Sequence[str] = (),
) -> pd.DataFrame:
    """Run what is missing of a suite and return its evaluations, as `records` does.

    Workers are processes of their own, so a script calls this below `if __name__ == "__main__":`; a notebook need not.
    Interrupted, it loses the evaluations in flight and the last minute of trainings: call it again. It warns where
    files of your own are too few to say much, and of what the suite itself does not have. With nothing to do it reads
    its tables.

    Args:
        suite: name of a suite, or a Python file with a `SUITE`.
        datasets: only these; empty means all of the suite's, and so for the next four. Of a whole suite the tables are
            written too, to `results/SUITE` of the home folder.
        pretexts: only these.
        latent_dims: only these.
        label_fractions: only these.
        seeds: only these.
        workers: processes at most; None for one per core, one on a GPU.
        device: `auto`, `cpu` or `cuda`.
        from_published: take finished cells from the published results.
        home: folder of stores; None for `$SSLBENCH_HOME` or `.sslbench`.
        data_root: folder of datasets; None for `$SSLBENCH_DATA` or a cache folder.
        plugins: `.py` files and modules that register plug-ins of one's own.

    Raises:
        InputError: whatever is wrong, before anything is run.
        CellsFailed: after everything else was run; the message has the first reason.
    """
    selection = Selection(tuple(datasets), tuple(pretexts), tuple(latent_dims), tuple(label_fractions), tuple(seeds))
    stores = locate(None if home is None else Path(home))
    root = (default_root() if data_root is None else Path(data_root)).resolve()
    request = Request(str(suite), selection, stores, root, device, workers, tuple(plugins))
    kept = None if from_published else kept_suite(request)
    if kept is not None:
        return wide(kept)
    prepared = prepare_request(request)
    if prepared.beyond:
        beyond = ", ".join(prepared.beyond)
        warnings.warn(f"not in suite {prepared.suite.name!r} itself, so not in its tables: {beyond}", stacklevel=2)
    if any(map(is_own, prepared.datasets.values())):
        for line in too_little(prepared):
            warnings.warn(line, stacklevel=2)
    if from_published:
        take_published(request, prepared, published_among(prepared.suite.name, None) / prepared.suite.name)
        prepared = prepare_request(request)
    failures: list[news.Failure] = []
    if not prepared.finished:
        failures = _with_a_bar(request, prepared)
    known = kept_records(request, prepared) if prepared.finished else None
    if known is not None:
        return wide(known)
    found = records_of(request, prepared)
    if found and selection.everything:
        write_tables(request, prepared, found)
    if failures:
        raise CellsFailed(f"{len(failures)} cells failed; the first: {failures[0].title}: {failures[0].reason}")
    return wide(from_records(found))


def _with_a_bar(request: Request, prepared: Prepared) -> list[news.Failure]:
    """Run what is missing; returns what failed."""
    done = sum(cell_id in prepared.done for cell_id, _ in prepared.cells)
    # In a notebook rich draws by ipywidgets, and complains where there are none.
    console = Console(force_jupyter=None if find_spec("ipywidgets") else False)
    with Progress(console=console) as bar:
        cells = bar.add_task(prepared.suite.name, total=len(prepared.cells), completed=done)
        return crew.run(request, prepared, lambda progress: bar.advance(cells, len(progress.finished)))
