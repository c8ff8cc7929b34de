"""Tables that are as they would be written again: a run with nothing to do does not write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from sslbench.contract.spec import InputError, Suite
from sslbench.datasets import is_own
from sslbench.publishing.environment import environment
from sslbench.publishing.folders import RECORDS_FILE, published_among
from sslbench.report.attachments import PLUG_INS, read_environment, read_gaps
from sslbench.report.records import read_records
from sslbench.stores.finished import finished_of
from sslbench.sweep import suites
from sslbench.sweep.asked import Request

if TYPE_CHECKING:  # it imports torch, which tables that are kept can do without
    from sslbench.sweep.request import Prepared


def kept_records(request: Request, prepared: Prepared) -> pd.DataFrame | None:
    """Records of a plan that is done, from the tables in the home folder.

    Returns:
        None unless these hold the same runs, were written by the same code, and are no older than the suite's file,
        its settings and the scores of others.
    """
    found = _written(request, prepared.suite)
    if found is None:
        return None
    records, _ = found
    planned = {cell_id for cell_id, _ in prepared.cells}
    whole = request.selection.everything
    if whole and not set(records["cell_id"]) <= planned:
        return None
    runs = dict(zip(records["cell_id"], records["run_id"], strict=True))
    if any(runs.get(cell.cell_id) != prepared.done[cell.cell_id] for cell in prepared.plan.evaluations):
        return None
    return records[records["cell_id"].isin(planned)]


def kept_suite(request: Request) -> pd.DataFrame | None:
    """The same of a whole suite without planning it, which takes seconds: what a plan depends on has not changed.

    Returns:
        None also where that cannot be told (a part of a suite, plug-ins, a GPU, a person's own files), where the tables
        lack something, or where its runs are others by now.
    """
    if not request.selection.everything or request.plugins or request.device not in ("auto", "cpu"):
        return None
    suite = suites.load(request.suite)
    found = None if any(map(is_own, suite.all_datasets)) else _written(request, suite)
    if found is None:
        return None
    records, written = found
    if PLUG_INS in written or read_gaps(request.stores.results / suite.name).missing:
        return None
    done = finished_of(request.stores.tracking_uri, suite.name) or {}
    same = all(
        done.get(cell_id) == run_id for cell_id, run_id in zip(records["cell_id"], records["run_id"], strict=True)
    )
    return records if same else None


def _written(request: Request, suite: Suite) -> tuple[pd.DataFrame, Mapping[str, object]] | None:
    """Records and `environment.json` of tables that this code wrote after the suite was last changed."""
    folder = request.stores.results / suite.name
    try:
        records = read_records(folder / RECORDS_FILE)
        written = read_environment(folder)
        age = (folder / RECORDS_FILE).stat().st_mtime
        file = suites.find(request.suite)
        settings = [file.parent / suite.settings_file] if suite.settings_file else []
        others = (published_among(suite.name, None) / "community").glob("*")
        older = all(path.stat().st_mtime <= age for path in (file, *settings, *others))
    except (InputError, OSError):
        return None
    return (records, written) if older and _same_code(written) else None


def _same_code(written: Mapping[str, object]) -> bool:
    """Whether tables with this `environment.json` were written by the code that runs now; unknown of changed files."""
    now = environment()
    same = all(written.get(part) == now[part] for part in ("git_commit", "packages"))
    return same and not str(now["git_commit"]).endswith("+")
