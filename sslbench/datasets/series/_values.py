"""From what files of time series say to a dataset: two formats read, lengths made one, channels put about 0."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from sslbench.contract.errors import one_line
from sslbench.contract.spec import InputError, ViewPolicy
from sslbench.datasets._base import Dataset, Split, assembled
from sslbench.datasets._split import mixed

Floats = NDArray[np.float64]

#: What may become of a series without becoming another one: half of it may be cut away, its height may change.
VIEWS = ViewPolicy(min_crop_scale=0.5)

#: Far beyond any measurement; squares of what is larger would soon be infinite.
LARGEST = 1e30


@dataclass(frozen=True)
class Written:
    """What one file holds.

    Attributes:
        series: `(C, L)` each, L its own; NaN where a value is missing.
        labels: as they are written.
    """

    series: list[Floats]
    labels: list[str]


def read_tsv(content: bytes, source: str) -> Written:
    """The UCR archive's format: a series a line, its class first, then its values, tabs between; NaN is missing.

    Raises:
        InputError: it is not of that format.
    """
    try:
        frame = pd.read_csv(io.BytesIO(content), sep="\t", header=None, dtype=str, keep_default_na=False)
        values = frame.iloc[:, 1:].replace("", "nan").to_numpy().astype(np.float64)
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(
            f"{source} is no table of a class and values with tabs between: {one_line(str(error))}"
        ) from error
    if not values.shape[1]:
        raise InputError(f"{source} holds classes and no values")
    return Written([line[None] for line in values], [_class(label) for label in frame[0].tolist()])


def read_ts(content: bytes, source: str) -> Written:
    """The format of aeon and sktime: after `@data` a series a line, its channels and at last its class, colons between.

    Raises:
        InputError: it is not of that format, has time stamps or no class.
    """
    text = content.decode("utf-8", errors="replace")
    head, found, body = text.partition("@data")
    said = {line.split()[0].lower(): line.lower().split()[1:2] for line in head.splitlines() if line.startswith("@")}
    if not found or said.get("@classlabel") != ["true"]:
        raise InputError(f"{source} is no .ts file with classes: it needs @classLabel true and @data")
    if said.get("@timestamps") == ["true"]:
        raise InputError(f"{source} has time stamps; give series of equal steps")
    series, labels = [], []
    for number, line in enumerate(body.strip().splitlines(), start=1):
        *channels, label = line.strip().split(":")
        try:
            values = [np.array(channel.replace("?", "nan").split(","), dtype=np.float64) for channel in channels]
            longest = max(len(channel) for channel in values)
            padded = [np.pad(channel, (0, longest - len(channel)), constant_values=np.nan) for channel in values]
            series.append(np.stack(padded))
        except ValueError as error:
            raise InputError(f"{source}, series {number}: {one_line(str(error))}") from error
        labels.append(_class(label))
    return Written(series, labels)


def _class(label: str) -> str:
    """`1` for `1.0` and `1`; other names as they are."""
    try:
        number = float(label)
    except ValueError:
        return label.strip()
    return str(int(number)) if number.is_integer() else label.strip()


def series_dataset(name: str, train: Written, test: Written, source: str) -> Dataset:
    """A dataset of the series of two files.

    Missing values inside a series are put on the line between their neighbours. Each channel is taken less its mean
    over all training series and over its standard deviation, both to six digits, so that they are the same on every
    machine; then shorter series are continued with zeros up to the longest. Test labels and test series take no part.
    The order is mixed, because many archives sort by class.

    Raises:
        InputError: a file holds no series, series of other channels than the rest, values beyond `LARGEST`, or fewer
            than two classes.
    """
    for said, part in (("training", train), ("test", test)):
        if not part.series:
            raise InputError(f"dataset {name!r} has no {said} series")
        if any((np.abs(one) > LARGEST).any() for one in part.series):
            raise InputError(f"dataset {name!r} has a {said} series with a value beyond {LARGEST:g}")
    channels = {len(one) for one in (*train.series, *test.series)}
    if len(channels) > 1:
        raise InputError(f"dataset {name!r} has series of {min(channels)} and of {max(channels)} channels")
    classes = tuple(sorted({*train.labels, *test.labels}, key=_by_number))
    if len(classes) < 2:
        raise InputError(f"dataset {name!r} has one class only, {classes[0]!r}")
    filled = [[_filled(one) for one in part.series] for part in (train, test)]
    values = np.concatenate(filled[0], axis=1)
    mean: Floats = np.round(values.mean(axis=1, keepdims=True), 6)
    std: Floats = np.maximum(np.round(values.std(axis=1, keepdims=True), 6), 1e-6)
    length = max(one.shape[1] for series in filled for one in series)
    splits = []
    for said, series, part in zip(("train", "test"), filled, (train, test), strict=True):
        inputs = np.zeros((len(series), mean.shape[0], length), dtype=np.float32)
        for place, one in enumerate(series):
            inputs[place, :, : one.shape[1]] = (one - mean) / std
        labels = torch.tensor([classes.index(label) for label in part.labels])
        order = mixed(len(series), f"{name} {said}")
        splits.append(Split(torch.from_numpy(inputs)[order].contiguous(), labels[order]))
    return assembled(name, "series", classes, VIEWS, splits[0], splits[1], source)


def _filled(series: Floats) -> Floats:
    """Without NaN: those at the end are cut off, where all channels have them, the others filled in."""
    known = ~np.isnan(series)
    if known.all():
        return series
    places = np.flatnonzero(known.any(axis=0))
    series, known = (part[:, : places[-1] + 1 if len(places) else 1] for part in (series, known))
    place = np.arange(series.shape[1])
    channels = zip(series, known, strict=True)
    return np.stack(
        [np.interp(place, place[there], one[there]) if there.any() else 0 * place for one, there in channels]
    )


def _by_number(label: str) -> tuple[int, float, str]:
    """Numbers first, in their order; then names."""
    try:
        number = float(label)
    except ValueError:
        number = math.nan
    return (0, number, label) if math.isfinite(number) else (1, 0.0, label)
