"""The published tables, computed anew from the published records by a reader with pandas who has never seen this code.

Nothing of sslbench is imported here and nothing is shared with it: what a row, a column and a difference are is written
down a second time. Old files lack the columns that came later, so only what is needed is read.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

RESULTS = Path(__file__).parents[2] / "results"
SUITES = sorted(path.parent.name for path in RESULTS.glob("*/records.csv"))

#: Rows whose encoder is none: they stand in the tables of every encoder and latent size.
PIXELS = ("majority_class", "raw_pixels")
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


def of_row(frame: pd.DataFrame, line: pd.Series, pretext: str) -> pd.Series:
    """Accuracy by seed of one row in the table and column of a line of `table.csv`."""
    if pretext == "majority_class":
        protocol = "majority_class"
    elif pretext.startswith("supervised"):
        protocol = "finetune"
    else:
        protocol = line["protocol"].split(",")[0] if pretext in PIXELS else line["protocol"]
    chosen = frame[
        (frame["dataset"] == line["dataset"])
        & (frame["pretext"] == pretext)
        & (frame["protocol"] == protocol)
        & (frame["label_fraction"] == line["label_fraction"])
        & frame["pretrain_dataset"].isin(["", line["pretrain_dataset"]])
    ]
    if pretext not in PIXELS:
        chosen = chosen[(chosen["encoder"] == line["encoder"]) & (chosen["latent_dim"] == line["latent_dim"])]
    assert chosen["seed"].is_unique, f"{pretext}: two records of one seed"
    return chosen.set_index("seed")["value"]


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
    n = len(values)
    return student(n - 1) * float(np.std(values, ddof=1)) / np.sqrt(n) if n > 1 else np.nan


def half_width_of_difference(gains: pd.Series) -> float:
    """Of the 95% interval of what seeds gain over training from scratch, seed by seed."""
    return half_width_of_mean(gains)


def computed(frame: pd.DataFrame, line: pd.Series) -> dict[str, float]:
    """What a line of `table.csv` should say."""
    values, scratch = of_row(frame, line, line["pretext"]), of_row(frame, line, "supervised")
    gains = (values - scratch).dropna()
    compared = line["pretext"] not in ("supervised", "majority_class") and len(gains)
    return {
        "n": len(values),
        "mean": float(np.mean(values)),
        "half_width": half_width_of_mean(values),
        "difference": float(np.mean(gains)) if compared else np.nan,
        "difference_half_width": half_width_of_difference(gains) if compared else np.nan,
    }


@pytest.mark.parametrize(("freedom", "told"), [(1, 12.706), (2, 4.303), (4, 2.776), (10, 2.228), (120, 1.980)])
def test_the_quantile_is_that_of_printed_tables(freedom: int, told: float) -> None:
    assert student(freedom) == pytest.approx(told, abs=5e-4)


@pytest.mark.parametrize("suite", SUITES)
def test_means_differences_and_seeds_are_those_of_the_records(suite: str) -> None:
    frame, table = scores(suite), pd.read_csv(RESULTS / suite / "table.csv", keep_default_na=False, na_values=[""])
    assert len(table) > 10
    expected = pd.DataFrame([computed(frame, line) for _, line in table.iterrows()])
    assert table["n"].tolist() == expected["n"].tolist()
    for column in ("mean", "difference"):
        np.testing.assert_allclose(table[column], expected[column], rtol=0, atol=EXACT)
    for column in ("half_width", "difference_half_width"):  # an integral of our own, to far more than is printed
        np.testing.assert_allclose(table[column], expected[column], rtol=1e-6, atol=EXACT)
    assert table["difference"].notna().any()


@pytest.mark.parametrize("suite", SUITES)
def test_labels_are_counted_as_the_records_say(suite: str) -> None:
    frame, table = scores(suite), pd.read_csv(RESULTS / suite / "table.csv", keep_default_na=False, na_values=[""])
    counts = frame.groupby(["dataset", "label_fraction"])["num_labels"].max()
    assert table["num_labels"].tolist() == [
        counts[dataset, fraction] for dataset, fraction in zip(table["dataset"], table["label_fraction"], strict=True)
    ]


@pytest.mark.parametrize("suite", SUITES)
def test_no_record_is_left_out_of_the_tables_and_no_line_is_there_twice(suite: str) -> None:
    frame, table = scores(suite), pd.read_csv(RESULTS / suite / "table.csv", keep_default_na=False, na_values=[""])
    assert not table.duplicated(LINE).any()
    names = ["dataset", "encoder", "protocol", "latent_dim", "pretext", "label_fraction"]
    of_encoders = frame[~frame["pretext"].isin(PIXELS) & ~frame["pretext"].str.startswith("supervised")]
    recorded, shown = (set(part[names].itertuples(index=False, name=None)) for part in (of_encoders, table))
    assert recorded <= shown
    # Every table has every baseline that was run; of pixels nothing can be fine-tuned.
    for name in set(frame["pretext"]) & {*PIXELS, "supervised"}:
        tables = table[table["protocol"] != "finetune"] if name == "raw_pixels" else table
        columns = tables.drop_duplicates([*PLACE, "label_fraction"])
        evaluated = set(
            frame[frame["pretext"] == name][["dataset", "label_fraction"]].itertuples(index=False, name=None)
        )
        wanted = columns[["dataset", "label_fraction"]].apply(tuple, axis=1).isin(evaluated).sum()
        assert (table["pretext"] == name).sum() == wanted > 0


@pytest.mark.parametrize("suite", SUITES)
def test_the_page_of_tables_prints_the_same_numbers(suite: str) -> None:
    """To the last digit that is printed: accuracies and differences in per cent, with one."""
    frame, table = scores(suite), pd.read_csv(RESULTS / suite / "table.csv", keep_default_na=False, na_values=[""])
    expected = [computed(frame, line) for _, line in table.iterrows()]
    text = (RESULTS / suite / "table.md").read_text(encoding="utf-8").partition("## How to read this")[0]
    rows = [line.strip("| ").split("|") for line in text.splitlines() if line.startswith("| ") and line.strip("| ")]
    cells = [cell.replace("*", "").strip() for row in rows for cell in row[1:]]
    found = [re.match(r"(\d+\.\d)(?:[^(]*\(([+-]\d+\.\d)\))?", cell) for cell in cells]
    accuracies = sorted(float(match[1]) for match in found if match)
    differences = sorted(float(match[2]) for match in found if match and match[2])
    gains = sorted(100 * line["difference"] for line in expected if not np.isnan(line["difference"]))
    for printed, exact in ((accuracies, sorted(100 * line["mean"] for line in expected)), (differences, gains)):
        np.testing.assert_allclose(printed, exact, rtol=0, atol=0.05 + EXACT)
