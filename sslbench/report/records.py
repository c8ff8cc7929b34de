"""`records.csv`: the public schema, read and written so that equal records are equal bytes."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from sslbench.contract.files import replace_file
from sslbench.contract.record import COLUMN_TYPES, RECORD_COLUMNS, Record, check_rows, parse_column
from sslbench.contract.spec import BASELINES, InputError

#: What rows are sorted by; the remaining columns break ties, so that no order of arrival shows.
ROW_ORDER = (
    *("dataset", "encoder", "latent_dim", "pretext", "pretrain_dataset", "protocol", "reading"),
    *("label_fraction", "seed", "label_seed", "metric", "split"),
)

#: What columns would have said that were added in one go: every encoder was read at its end, every plug-in was the
#: first version of itself, epochs, steps and classes were not recorded, and every label budget was stratified.
ADDED = {
    "labels_per_class": "0",
    "num_classes": "0",
    "reading": "latent",
    "pretrain_epochs": "",
    "pretrain_steps": "0",
    "dataset_version": "1",
    "encoder_version": "1",
    "pretext_version": "1",
    "protocol_version": "1",
    "stratified": "1",
}

_DTYPES = {str: "str", int: "int64", float: "float64"}


def pretext_rank(pretext: str) -> tuple[int, tuple[str | int, ...]]:
    """Sort key of table rows: baselines first, in the order of `BASELINES`, then pretexts by name, 3x before 10x."""
    place = BASELINES.index(pretext) if pretext in BASELINES else len(BASELINES)
    return place, tuple(int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", pretext))


def from_records(records: Iterable[Record]) -> pd.DataFrame:
    """One row per record, columns as in `RECORD_COLUMNS`, in the canonical row order."""
    rows = [dataclasses.astuple(record) for record in records]
    return conform(pd.DataFrame(rows, columns=list(RECORD_COLUMNS)), "the records")


def conform(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """Copy with exactly the columns of `Record`, their dtypes, and the canonical row order.

    Raises:
        InputError: columns are missing or unknown; the message names them and `source`.
    """
    _check_columns(list(frame.columns), source)
    typed = frame[list(RECORD_COLUMNS)].astype({name: _DTYPES[kind] for name, kind in COLUMN_TYPES.items()})
    ranks = typed["pretext"].map(lambda pretext: pretext_rank(pretext)[0])
    rest = [name for name in RECORD_COLUMNS if name not in ROW_ORDER]
    keys = [*ROW_ORDER[:3], "rank", *ROW_ORDER[3:], *rest]
    ordered = typed.assign(rank=ranks).sort_values(keys, kind="stable", ignore_index=True)
    return ordered[list(RECORD_COLUMNS)]


def write_records(records: Iterable[Record] | pd.DataFrame, path: Path) -> Path:
    """Write `records.csv`, replacing it whole. Floats keep every digit they need to be read back unchanged.

    A column that came later and says of every row what its lack would say is left out, `stratified`: earlier versions
    read the file too.

    Raises:
        InputError: a column is missing, or the folder cannot be written.
    """
    frame = conform(records, "the records") if isinstance(records, pd.DataFrame) else from_records(records)
    if (frame["stratified"] == 1).all():
        frame = frame.drop(columns="stratified")
    return replace_file(path, frame.to_csv(index=False, lineterminator="\n"))


def read_records(path: Path) -> pd.DataFrame:
    """Read what `write_records` wrote, bit for bit.

    Raises:
        InputError: no such file, or as `parse_records`.
    """
    try:
        return parse_records(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError as error:
        raise InputError(f"no records at {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read records from {path}: {str(error).splitlines()[0]}") from error


def parse_records(text: str, source: str) -> pd.DataFrame:
    """Records from CSV; those published before a column was added get what it would have said.

    Raises:
        InputError: not CSV, a column missing or unknown, or a line (which is named) with a cell of the wrong
            type or out of range, or with a number that was there before.
    """
    try:
        cells = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"cannot read records from {source}: {str(error).splitlines()[0]}") from error
    cells = _with_added(cells)
    _check_columns(list(cells.columns), source)
    short = cells.isna().any(axis=1)
    if short.any():
        raise InputError(f"{source} line {int(short.to_numpy().argmax()) + 2}: too few fields")
    parsed = {name: parse_column(cells[name].tolist(), name, source) for name in RECORD_COLUMNS}
    check_rows(parsed, source)
    return conform(pd.DataFrame(parsed), source)


def _with_added(cells: pd.DataFrame) -> pd.DataFrame:
    """With the columns that early records lack: evaluations did not count operations, every encoder was trained on its
    own dataset, and labels were drawn by its seed."""
    if "evaluate_flops" not in cells:
        cells = cells.assign(evaluate_flops="")
    if "label_seed" not in cells and "seed" in cells:
        cells = cells.assign(label_seed=cells["seed"])
    if "pretrain_dataset" not in cells and {"dataset", "pretrain_samples"} <= set(cells):
        cells = cells.assign(pretrain_dataset=cells["dataset"].where(cells["pretrain_samples"] != "0", ""))
    return cells.assign(**{name: said for name, said in ADDED.items() if name not in cells})


def _check_columns(columns: list[str], source: str) -> None:
    missing = [name for name in RECORD_COLUMNS if name not in columns]
    unknown = [name for name in columns if name not in RECORD_COLUMNS]
    for what, names in (("missing", missing), ("unknown", unknown)):
        if names:
            has = ", ".join(RECORD_COLUMNS)
            raise InputError(f"{source}: {what} column {', '.join(names)}; a record has {has}")
