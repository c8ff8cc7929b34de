"""Tables that are as they would be written again: a run with nothing to do does not write them."""

from __future__ import annotations

import json

import pandas as pd

from sslbench.contract.spec import InputError
from sslbench.publishing.environment import environment
from sslbench.publishing.folders import RECORDS_FILE
from sslbench.report.records import read_records
from sslbench.sweep import suites
from sslbench.sweep.plan import Selection
from sslbench.sweep.request import Prepared, Request


def kept_records(request: Request, prepared: Prepared) -> pd.DataFrame | None:
    """Records of a plan that is done, from the tables in the home folder.

    Returns:
        None unless these hold the same runs, were written by the same code, and are no older than the suite's file and
        its settings.
    """
    folder = request.stores.results / prepared.suite.name
    try:
        records = read_records(folder / RECORDS_FILE)
        written = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
        age = (folder / RECORDS_FILE).stat().st_mtime
        file = suites.find(request.suite)
        settings = [file.parent / prepared.suite.settings_file] if prepared.suite.settings_file else []
        older = all(path.stat().st_mtime <= age for path in (file, *settings))
    except (InputError, OSError, ValueError):
        return None
    planned = {cell_id for cell_id, _ in prepared.cells}
    whole = request.selection == Selection()
    if not older or not _same_code(written) or (whole and not set(records["cell_id"]) <= planned):
        return None
    runs = dict(zip(records["cell_id"], records["run_id"], strict=True))
    if any(runs.get(cell.cell_id) != prepared.done[cell.cell_id] for cell in prepared.plan.evaluations):
        return None
    return records[records["cell_id"].isin(planned)]


def _same_code(written: dict[str, object]) -> bool:
    """Whether tables with this `environment.json` were written by the code that runs now; unknown of changed files."""
    now = environment()
    same = all(written.get(part) == now[part] for part in ("git_commit", "packages"))
    return same and not str(now["git_commit"]).endswith("+")
