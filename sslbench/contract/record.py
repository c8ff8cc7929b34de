"""One evaluated number as `records.csv` holds it: its columns, and what each may say."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from sslbench.contract.errors import InputError
from sslbench.contract.schema import (
    Amount,
    Cell,
    Count,
    Identity,
    Name,
    Seed,
    Share,
    Size,
    Whole,
    YesNo,
    checked,
    hints,
    shown,
)


@dataclass(frozen=True)
class Record:
    """One evaluated number with everything that identifies it: one row of `records.csv`.

    Times are in seconds, `value` in natural units (accuracy in [0, 1]); `split` says what was scored:
    `test`, or `budget` for what a protocol measured inside its label budget (cross-validation).
    `pretrain_dataset` is empty for baselines, which train on none. `reading` says where a frozen encoder was read.
    `labels_per_class` is 0 where the budget is a fraction, `num_classes` where that was not recorded. A plug-in's
    version is raised when what it computes changes. `stratified` is 0 where the inputs of a label budget were drawn
    without looking at their labels.
    """

    suite: Name
    cell_id: Identity
    run_id: Identity
    dataset: Cell
    pretrain_dataset: Cell
    modality: Name
    encoder: Name
    pretext: Name
    latent_dim: Size
    seed: Seed
    label_seed: Seed
    label_fraction: Share
    num_labels: Whole
    labels_per_class: Whole
    num_classes: Whole
    protocol: Name
    reading: Name
    metric: Cell
    value: float
    split: Name
    pretrain_epochs: Amount
    pretrain_steps: Whole
    pretrain_seconds: Amount
    pretrain_samples: Whole
    pretrain_flops: Amount
    evaluate_seconds: Amount
    evaluate_flops: Amount
    parameters: Whole
    dataset_version: Count
    encoder_version: Count
    pretext_version: Count
    protocol_version: Count
    config_hash: Cell
    git_commit: Cell
    sslbench_version: Cell
    device: Cell
    started_at: Cell
    stratified: YesNo = 1


RECORD_COLUMNS = tuple(item.name for item in dataclasses.fields(Record))

#: What a cell of every column may be, and what it is read as.
COLUMNS = hints(Record)
COLUMN_TYPES = {name: kind if isinstance(kind, type) else get_args(kind)[0] for name, kind in COLUMNS.items()}

#: What no two rows have in common.
ONE_NUMBER = ("cell_id", "metric", "split")


def parse_column(cells: list[str], column: str, source: str) -> list[Any]:
    """The cells of one column of a CSV file as what it holds; an empty float is NaN: not measured.

    Raises:
        InputError: a cell of the wrong type or out of range; the message names its line.
    """
    kind = COLUMN_TYPES[column]
    parsed: list[Any] = []
    for line, cell in enumerate(cells, start=2):
        try:
            # Python's own float parser is exact to the last bit.
            parsed.append(math.nan if kind is float and not cell else kind(cell))
        except ValueError as error:
            raise InputError(f"{source} line {line}: {column} must be {kind.__name__}, not {shown(cell)}") from error
    _hold(COLUMNS[column], parsed, [line for line, cell in enumerate(cells, 2) if cell or kind is str], column, source)
    return parsed


def _hold(kind: Any, values: list[Any], lines: list[int], column: str, source: str) -> None:
    """Raise an error for the first value on these lines that its column cannot hold."""
    try:
        checked(list[kind], [values[line - 2] for line in lines], "")
    except InputError:  # all at once is fast, one at a time says which line
        for line in lines:
            checked(kind, values[line - 2], f"{source} line {line}: {column}")


def check_rows(parsed: Mapping[str, list[Any]], source: str) -> None:
    """What single columns do not show: accuracies are shares, and no number stands there twice.

    Raises:
        InputError: naming the line.
    """
    accuracies = [line for line, metric in enumerate(parsed["metric"], start=2) if metric.startswith("accuracy")]
    _hold(Share, parsed["value"], accuracies, "value", source)
    first: dict[tuple[Any, ...], int] = {}
    for line, key in enumerate(zip(*(parsed[name] for name in ONE_NUMBER), strict=True), start=2):
        if first.setdefault(key, line) != line:
            raise InputError(f"{source} line {line}: the same {', '.join(ONE_NUMBER)} as line {first[key]}")
