"""The published tables, computed anew from the published records by a reader with pandas who has never seen this code.

Nothing of sslbench is imported here and nothing is shared with it: what a row, a column and a difference are is written
down a second time. Old files lack the columns that came later, so only what is needed is read.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

RESULTS = Path(__file__).parents[2] / "results"
SUITES = sorted(path.parent.name for path in RESULTS.glob("*/records.csv"))

#: Rows whose encoder is none: they stand in the tables of every encoder and latent size.
PIXELS = ("raw_pixels", "raw_values")
OWN_PROTOCOL = ("majority_class", "minirocket", "tfidf")
WITHOUT_ENCODER = (*PIXELS, *OWN_PROTOCOL)
PLACE = ["dataset", "pretrain_dataset", "encoder", "protocol", "latent_dim"]
LINE = [*PLACE, "pretext", "label_fraction"]

#: Sums of a few numbers in another order differ by less; so does nothing that is printed.
EXACT = 1e-12


def scores(suite: str) -> pd.DataFrame:
    """Test accuracies by seed, with protocols called as tables call them, of repetitions that share nothing."""
    frame = pd.read_csv(RESULTS / suite / "records.csv", keep_default_na=False, na_values={"value": [""]})
    frame = frame[(frame["metric"] == "accuracy") & (frame["split"] == "test") & frame["value"].notna()].copy()
    if "label_seed" not in frame:
        frame["label_seed"] = frame["seed"]
    if "reading" in frame:
        elsewhere = frame["reading"] != "latent"
        frame.loc[elsewhere, "protocol"] += ", " + frame.loc[elsewhere, "reading"]
    # Evaluating one training on several labelled subsets gives repetitions that are not independent.
    crossed = frame.groupby(["dataset", "seed"])["label_seed"].nunique().groupby("dataset").max() > 1
    kept = ~frame["dataset"].map(crossed) | (frame["seed"] == frame["label_seed"])
    return frame[kept]


def answers(suite: str) -> dict[str, np.ndarray]:
    """Right (1) or wrong (0) by test input, of every cell that stored it: `(inputs,)`; nothing in old results."""
    path, found = RESULTS / suite / "right.npz", {}
    if path.is_file():
        with np.load(path) as file:
            for place in range(len(file["datasets"])):
                cells = [cell.decode() for cell in file[f"cells.{place}"]]
                bits = np.unpackbits(file[f"right.{place}"], axis=1, count=len(cells)).T
                found |= dict(zip(cells, bits.astype(float), strict=True))
    return found


def half_width_of_inputs(answered: np.ndarray) -> float:
    """What other test inputs would move a mean by: seeds crossed with inputs, the part of the inputs.

    Args:
        answered: `(seeds, inputs)`, of one row or one row less another.
    """
    seeds, inputs = answered.shape
    of_inputs, of_seeds = answered.mean(axis=0), answered.mean(axis=1, keepdims=True)
    rest = np.square(answered - of_inputs - of_seeds + answered.mean()).sum() / max(1, (seeds - 1) * (inputs - 1))
    return 1.959963984540054 * np.sqrt(max(0.0, of_inputs.var(ddof=1) - rest / seeds) / inputs)


def of_row(frame: pd.DataFrame, line: pd.Series) -> pd.DataFrame:
    """Accuracy and identity by seed of the row and column that a line of `table.csv` is about."""
    pretext, protocol = line["pretext"], line["protocol"]
    if pretext in OWN_PROTOCOL:
        protocol = pretext
    elif pretext.startswith("supervised"):
        protocol = "finetune"
    elif pretext in PIXELS:
        protocol = protocol.split(",")[0]
    chosen = frame[
        (frame["dataset"] == line["dataset"])
        & (frame["pretext"] == pretext)
        & (frame["protocol"] == protocol)
        & (frame["label_fraction"] == line["label_fraction"])
        & frame["pretrain_dataset"].isin(["", line["pretrain_dataset"]])
    ]
    if pretext not in WITHOUT_ENCODER:
        chosen = chosen[(chosen["encoder"] == line["encoder"]) & (chosen["latent_dim"] == line["latent_dim"])]
    assert chosen["seed"].is_unique, f"{pretext}: two records of one seed"
    return chosen.set_index("seed")[["value", "cell_id"]]


@functools.cache
def student(freedom: int) -> float:
    """Standard errors that a 95% interval reaches to either side, from Student's density itself.

    With t = sqrt(freedom) tan(angle) the density is a power of the cosine: its integral over 95% of its mass.
    """
    angles = np.linspace(0, np.pi / 2, 400_001)
    density = np.cos(angles) ** (freedom - 1)
    mass = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return float(np.sqrt(freedom) * np.tan(np.interp(0.95 * mass[-1], mass, angles)))


def half_width_of_mean(values: pd.Series) -> float:
    """Of the 95% interval over seeds; none for one seed."""
    n = values.notna().sum()
    return student(n - 1) * float(values.std(ddof=1)) / np.sqrt(n) if n > 1 else np.nan


def half_widths_of_differences(column: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """What rows gain over training from scratch, and the half-width of its 95% interval, from one model of the column.

    Accuracy is a row plus a seed plus an error of one size for all rows: least squares, as for any block design.

    Args:
        column: rows by seeds, NaN where nothing was run; every row has two seeds or more in common with `supervised`.
    """
    values = column.dropna(axis=1, how="all").to_numpy()
    row, seed = np.nonzero(np.isfinite(values))
    design = np.hstack([np.eye(values.shape[0])[row], np.eye(values.shape[1])[seed][:, 1:]])
    effects = np.linalg.lstsq(design, values[row, seed], rcond=None)[0]
    freedom = len(row) - design.shape[1]
    error = np.square(values[row, seed] - design @ effects).sum() / freedom
    spread, scratch = np.linalg.pinv(design.T @ design), column.index.get_loc("supervised")
    rows = np.arange(values.shape[0])
    variance = error * (spread[rows, rows] + spread[scratch, scratch] - 2 * spread[rows, scratch])
    reach = student(freedom) * np.sqrt(variance)
    return pd.Series(effects[rows] - effects[scratch], column.index), pd.Series(reach, column.index)


def against_scratch(column: pd.DataFrame) -> pd.DataFrame:
    """Difference to `supervised` of every row of a column, and the half-width of its interval; none for one seed."""
    gains = column - column.loc["supervised"]
    found = pd.DataFrame({"difference": gains.mean(axis=1), "difference_half_width": np.nan})
    joined = gains.notna().sum(axis=1) > 1
    if joined.sum() > 1:
        found.loc[joined] = np.column_stack(half_widths_of_differences(column[joined]))
    found.loc["supervised"] = np.nan
    return found


def of_inputs(rows: dict[str, pd.DataFrame], answered: dict[str, np.ndarray]) -> pd.DataFrame:
    """The inputs' part of both half-widths by row; of differences only where every row that competes has answers.

    Differences count the seeds that all rows share which have two or more in common with `supervised`.
    """
    stored = {
        name: {seed: answered[cell] for seed, cell in row["cell_id"].items() if cell in answered}
        for name, row in rows.items()
        if name != "majority_class"  # how common a class is is a fact of the test split
    }
    found = {
        name: {"half_width": half_width_of_inputs(np.stack(list(each.values())))}
        for name, each in stored.items()
        if each
    }
    scratch = rows["supervised"].index if "supervised" in rows else []
    joined = [
        name for name, row in rows.items() if name != "majority_class" and len(row.index.intersection(scratch)) > 1
    ]
    shared = set.intersection(*(set(stored[name]) for name in joined)) if joined else set()
    for name in joined if shared else []:
        gap = np.stack([stored[name][seed] - stored["supervised"][seed] for seed in sorted(shared)])
        found[name]["difference_half_width"] = half_width_of_inputs(gap)
    return pd.DataFrame.from_dict(found, orient="index")


def printed(suite: str) -> pd.DataFrame:
    """The lines of a suite's `table.csv`."""
    return pd.read_csv(RESULTS / suite / "table.csv", keep_default_na=False, na_values=[""])


@functools.cache
def computed(suite: str) -> pd.DataFrame:
    """What they should say."""
    table, frame, answered = printed(suite), scores(suite), answers(suite)
    parts = []
    for _, lines in table.groupby([*PLACE, "label_fraction"]):
        rows = {line["pretext"]: of_row(frame, line) for _, line in lines.iterrows()}
        column = pd.DataFrame({name: row["value"] for name, row in rows.items()}).T
        compared = column.drop(index="majority_class", errors="ignore")
        part = pd.DataFrame({"n": column.notna().sum(axis=1), "mean": column.mean(axis=1)})
        part["half_width"] = column.apply(half_width_of_mean, axis=1)
        if "supervised" in column.index:
            part = part.join(against_scratch(compared))
        for name, inputs in of_inputs(rows, answered).iterrows():
            for which in inputs.index.intersection(part.columns):
                part.loc[name, which] = np.hypot(part.loc[name, which], inputs[which])
        parts.append(part.set_index(lines.index))
    return pd.concat(parts).sort_index()


@pytest.mark.parametrize(("freedom", "told"), [(1, 12.706), (2, 4.303), (4, 2.776), (10, 2.228), (120, 1.980)])
def test_the_quantile_is_that_of_printed_tables(freedom: int, told: float) -> None:
    assert student(freedom) == pytest.approx(told, abs=5e-4)


def test_two_rows_alone_are_a_paired_comparison_and_more_rows_share_their_error() -> None:
    column = pd.DataFrame({0: [0.5, 0.61, 0.7], 1: [0.52, 0.6, 0.74], 2: [0.49, 0.62, 0.69]}, ["supervised", "a", "b"])
    two = against_scratch(column.loc[["supervised", "a"]]).loc["a"]
    gain = column.loc["a"] - column.loc["supervised"]
    assert tuple(two) == pytest.approx((gain.mean(), half_width_of_mean(gain)), rel=1e-6)
    gains, residual = column.mean(axis=1) - column.loc["supervised"].mean(), column.sub(column.mean(axis=1), axis=0)
    error = np.square(residual - residual.mean(axis=0)).to_numpy().sum() / 4
    found = against_scratch(column).drop(index="supervised")
    np.testing.assert_allclose(found["difference"], gains.drop("supervised"))
    np.testing.assert_allclose(found["difference_half_width"], 2.776445 * np.sqrt(2 * error / 3), rtol=1e-6)


@pytest.mark.parametrize("suite", SUITES)
def test_means_differences_intervals_and_seeds_are_those_of_the_records(suite: str) -> None:
    table, expected = printed(suite), computed(suite)
    assert len(table) > 10
    assert table["n"].tolist() == expected["n"].tolist()
    for column in ("mean", "difference"):
        np.testing.assert_allclose(table[column], expected[column], rtol=0, atol=EXACT)
    for column in ("half_width", "difference_half_width"):  # an integral of our own, to far more than is printed
        np.testing.assert_allclose(table[column], expected[column], rtol=1e-6, atol=EXACT)
    assert table["difference"].notna().any()


@pytest.mark.parametrize("suite", SUITES)
def test_labels_are_counted_as_the_records_say(suite: str) -> None:
    frame, table = scores(suite), printed(suite)
    counts = frame.groupby(["dataset", "label_fraction"])["num_labels"].max()
    assert table["num_labels"].tolist() == [
        counts[dataset, fraction] for dataset, fraction in zip(table["dataset"], table["label_fraction"], strict=True)
    ]


@pytest.mark.parametrize("suite", SUITES)
def test_no_record_is_left_out_of_the_tables_and_no_line_is_there_twice(suite: str) -> None:
    frame, table = scores(suite), printed(suite)
    assert not table.duplicated(LINE).any()
    names = ["dataset", "encoder", "protocol", "latent_dim", "pretext", "label_fraction"]
    of_encoders = frame[~frame["pretext"].isin(WITHOUT_ENCODER) & ~frame["pretext"].str.startswith("supervised")]
    recorded, shown = (set(part[names].itertuples(index=False, name=None)) for part in (of_encoders, table))
    assert recorded <= shown
    # Every table has every baseline that was run; of pixels nothing can be fine-tuned.
    for name in set(frame["pretext"]) & {*WITHOUT_ENCODER, "supervised"}:
        tables = table[table["protocol"] != "finetune"] if name in PIXELS else table
        columns = tables.drop_duplicates([*PLACE, "label_fraction"])
        where = ["dataset", "label_fraction", *([] if name in WITHOUT_ENCODER else ["encoder", "latent_dim"])]
        evaluated = set(frame[frame["pretext"] == name][where].itertuples(index=False, name=None))
        wanted = columns[where].apply(tuple, axis=1).isin(evaluated).sum()
        assert (table["pretext"] == name).sum() == wanted > 0


@pytest.mark.parametrize("suite", SUITES)
def test_the_page_of_tables_prints_the_same_numbers(suite: str) -> None:
    """To the last digit that is printed: accuracies and differences in per cent, with one."""
    expected = computed(suite)
    text = (RESULTS / suite / "table.md").read_text(encoding="utf-8").partition("## How to read this")[0]
    rows = [line.strip("| ").split("|") for line in text.splitlines() if line.startswith("| ") and line.strip("| ")]
    cells = [cell.replace("*", "").strip() for row in rows for cell in row[1:]]
    found = [re.match(r"(\d+\.\d)(?![\d%])(?:[^(]*\(([+-]?\d+\.\d)\))?", cell) for cell in cells]
    accuracies = sorted(float(match[1]) for match in found if match)
    differences = sorted(float(match[2]) for match in found if match and match[2])
    means, gains = (sorted(100 * expected[name].dropna()) for name in ("mean", "difference"))
    for told, exact in ((accuracies, means), (differences, gains)):
        np.testing.assert_allclose(told, exact, rtol=0, atol=0.05 + EXACT)
