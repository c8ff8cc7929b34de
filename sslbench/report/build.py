"""Records in, `results/<suite>/` out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from sslbench.report.blocks import place
from sslbench.report.curves import curves_png
from sslbench.report.files import replace_file
from sslbench.report.records import conform, read_records, write_records
from sslbench.report.table import table_csv, table_markdown
from sslbench.spec import InputError


def build(
    records: pd.DataFrame,
    destination: Path,
    title: str,
    notes: Sequence[str] = (),
    environment: Mapping[str, object] | None = None,
) -> list[Path]:
    """Write records, tables and curves; everything is computed before the first file is replaced.

    Args:
        records: rows of `records.csv`, in any order.
        destination: folder, made if need be.
        title: heading of the table and the figure.
        notes: the suite's lines under the tables.
        environment: what the records were computed on; without it an `environment.json` already there stays.

    Returns:
        The files written.

    Raises:
        InputError: nothing to show, two records claim the same cell, or the folder cannot be written.
    """
    frame = conform(records, "the records")
    if not place(frame):
        raise InputError(f"nothing to report for {title!r}: no test accuracy of any encoder among {len(frame)} records")
    contents: dict[str, bytes | str] = {
        "table.md": table_markdown(frame, title, notes),
        "table.csv": table_csv(frame),
        "curves.png": curves_png(frame, title),
    }
    if environment is not None:
        contents["environment.json"] = json.dumps(environment, indent=2, ensure_ascii=False) + "\n"
    written = [write_records(frame, destination / "records.csv")]
    return written + [replace_file(destination / name, content) for name, content in contents.items()]


def rebuild(destination: Path, title: str | None = None, notes: Sequence[str] = ()) -> list[Path]:
    """Write tables and curves again from `destination/records.csv` alone; the environment is left as it was.

    Args:
        destination: folder that holds `records.csv`.
        title: heading; the folder's name if None.
        notes: the suite's lines under the tables; records do not hold them.

    Raises:
        InputError: as `build` and `read_records`.
    """
    records = read_records(destination / "records.csv")
    return build(records, destination, title or destination.resolve().name, notes)
