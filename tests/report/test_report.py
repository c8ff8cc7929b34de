"""Records to files: the golden table, the rules of its rows, and what must not show in it."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from sslbench.contract.record import RECORD_COLUMNS, Record
from sslbench.contract.spec import InputError
from sslbench.report.attachments.attachments import Attachments
from sslbench.report.build import build, rebuild
from sslbench.report.records import from_records, read_records, write_records
from sslbench.report.scores.layout import lay_out
from sslbench.report.statistics.compute import costs
from sslbench.report.tables.terminal import print_summary
from sslbench.report.words.numbers import flops
from tests.made_up import markdown, probes, record, summary, supervised

GOLDEN = Path(__file__).parents[1] / "golden"
TITLE, NOTES = "golden: three seeds", ("Every training took 10 steps.",)


def cell_text(records: list[Record], row: str) -> str:
    lines = markdown(from_records(records), "t").splitlines()
    return next(line for line in lines if line.startswith(f"| {row} ")).split("|")[2].strip()


def test_the_golden_records_give_the_table_checked_by_hand(golden: pd.DataFrame):
    assert markdown(golden, TITLE, NOTES) == (GOLDEN / "table.md").read_text()


def test_the_order_of_records_changes_no_byte_of_any_file(golden: pd.DataFrame, tmp_path: Path):
    shuffled = golden.sample(frac=1, random_state=0)
    first = build(golden, tmp_path / "a", TITLE, NOTES)
    second = build(shuffled, tmp_path / "b", TITLE, NOTES)
    names = ["records.csv", "table.md", "table.csv", "table.tex", "curves.png", "report.html", "saved.png"]
    assert [path.name for path in first] == names
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_everything_is_rebuilt_from_the_records_alone(golden: pd.DataFrame, tmp_path: Path):
    written = build(golden, tmp_path, TITLE, NOTES, Attachments({"python": "3.11"}))
    before = {path.name: path.read_bytes() for path in written}
    for path in written:
        if path.name not in ("records.csv", "environment.json"):
            path.unlink()
    rebuild(tmp_path, TITLE, NOTES)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert json.loads(before["environment.json"]) == {"python": "3.11"}


def test_adding_a_pretext_leaves_the_numbers_of_other_cells_alone(golden: pd.DataFrame):
    added = pd.concat([golden, from_records([dataclasses.replace(made, dataset="digits") for made in NEWCOMER])])
    keys = ["protocol", "latent_dim", "pretext", "label_fraction"]
    numbers = ["mean", "half_width", "n"]  # differences share the error of the whole column
    before = summary(golden).set_index(keys)[numbers]
    after = summary(added).set_index(keys)[numbers]
    assert "byol" in after.index.get_level_values("pretext")
    pd.testing.assert_frame_equal(after.loc[before.index], before)


NEWCOMER = probes("byol", 0.9, 0.91, 0.92)


def test_renaming_seeds_changes_no_number(golden: pd.DataFrame):
    renamed = golden.assign(seed=100 - golden["seed"])
    pd.testing.assert_frame_equal(summary(renamed), summary(golden), check_exact=True)


def test_identical_pretexts_are_both_bold():
    records = probes("aaa", 0.80, 0.82) + probes("bbb", 0.80, 0.82)
    assert cell_text(records, "aaa") == cell_text(records, "bbb") == "**81.0 ± 12.7**"


def test_one_seed_prints_neither_interval_nor_bold_nor_nan(tmp_path: Path):
    records = from_records(probes("simclr", 0.8) + supervised(0.75))
    page = markdown(records, "one seed")
    assert "80.0 (+5.0)" in page
    assert "nan" not in page.lower()
    assert "**" not in page
    assert "±" not in page
    build(records, tmp_path, "one seed")
    assert "nan" not in (tmp_path / "table.csv").read_text().lower()


def test_a_difference_too_small_to_show_has_no_sign():
    assert cell_text(probes("simclr", 0.8) + supervised(0.8001), "simclr") == "80.0 (0.0)"


def test_missing_seeds_are_counted_and_named_and_what_was_never_run_is_a_dash():
    records = probes("simclr", 0.8, 0.81, 0.82) + probes("simclr", 0.9, 0.91, fraction=0.1)
    records += probes("rotation", 0.7, 0.71, 0.72)
    records += probes("autoencoder", 0.7, 0.71, 0.72) + probes("autoencoder", 0.8, 0.81, 0.82, fraction=0.1)
    page = markdown(from_records(records), "t")
    assert "fewer seeds than other cells of the column: simclr linear_probe d=32 at 10% (without seed 2)." in page
    assert "90.5 ± 6.4 †" in page
    rotation = next(line for line in page.splitlines() if line.startswith("| rotation "))
    assert rotation.split("|")[3].strip() == "–"


def test_a_row_alone_in_its_column_lacks_no_seed_that_it_has_in_another():
    records = probes("simclr", 0.8, 0.81, 0.82) + probes("rotation", 0.7, 0.71, 0.72)
    assert "missing" not in markdown(from_records(records + probes("simclr", 0.9, 0.91, fraction=0.1)), "t")


def test_a_score_that_is_not_a_number_counts_as_missing():
    page = markdown(from_records(probes("simclr", 0.8, float("nan")) + probes("rotation", 0.7, 0.7)), "t")
    assert "simclr linear_probe d=32 at 1% (without seed 1)" in page
    assert "nan" not in page.lower()


def test_rows_without_an_encoder_and_the_references_stand_in_every_block():
    records = probes("majority_class", 0.1, protocol="majority_class") + probes("raw_pixels", 0.7)
    for latent_dim in (8, 32):
        for pretext, protocol in (("simclr", "linear_probe"), ("simclr", "knn"), ("supervised", "finetune")):
            records.append(record(pretext, protocol, 0.01, 0, 0.8, latent_dim))
    rows = {(block.protocol, block.latent_dim): block.rows for block in lay_out(from_records(records)).blocks}
    probe, neighbours = (
        ("majority_class", "raw_pixels", "supervised", "simclr"),
        ("majority_class", "supervised", "simclr"),
    )
    assert rows == {
        ("linear_probe", 8): probe,
        ("linear_probe", 32): probe,
        ("knn", 8): neighbours,
        ("knn", 32): neighbours,
    }


def test_a_fine_tuning_block_lists_only_what_was_fine_tuned():
    records = supervised(0.7) + probes("simclr", 0.8) + probes("rotation", 0.8)
    records += probes("simclr", 0.9, protocol="finetune")
    blocks = lay_out(from_records(records)).blocks
    assert [(block.protocol, block.rows) for block in blocks] == [
        ("linear_probe", ("supervised", "rotation", "simclr")),
        ("finetune", ("supervised", "simclr")),
    ]


def test_only_test_accuracy_reaches_the_tables():
    other = [dataclasses.replace(made, split="budget", value=0.99) for made in probes("simclr", 0.8)]
    other += [dataclasses.replace(made, metric="loss", value=7.0) for made in probes("simclr", 0.8)]
    records = probes("simclr", 0.8)
    assert summary(from_records(records + other))["mean"].tolist() == [0.8]


def test_the_majority_class_is_never_bold_even_when_best():
    records = probes("majority_class", 0.9, 0.91, protocol="majority_class") + probes("simclr", 0.5, 0.6)
    records += probes("rotation", 0.5, 0.6)
    assert "**" not in cell_text(records, "majority_class")
    assert "**" in cell_text(records, "simclr")


def test_two_records_for_one_cell_are_refused_with_both_runs_named():
    made = probes("simclr", 0.8)
    stale = dataclasses.replace(made[0], run_id="stale", value=0.1)
    with pytest.raises(InputError, match=r"two records for digits conv simclr d=32 linear_probe at 1% seed 0.*stale"):
        summary(from_records([*made, stale]))


def test_records_survive_the_file_to_the_last_bit(tmp_path: Path):
    made = probes("simclr", 0.1 + 0.2, 1 / 3, 5e-324)
    made[1] = dataclasses.replace(made[1], pretrain_seconds=float("nan"), device="NA", started_at='1,5 "o\'clock"')
    written = from_records(made)
    path = write_records(made, tmp_path / "deep" / "records.csv")
    pd.testing.assert_frame_equal(read_records(path), written, check_exact=True)
    assert [item.name for item in path.parent.iterdir()] == ["records.csv"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no records at"),
        ("", "cannot read records from"),
        ("suite,seed\na,1\n", "missing column cell_id"),
        (",".join([*RECORD_COLUMNS, "extra"]) + "\n", "unknown column extra"),
    ],
)
def test_a_file_that_holds_no_records_is_named(tmp_path: Path, text: str | None, message: str):
    path = tmp_path / "records.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_records(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cell_of_the_wrong_type_is_named_by_line_and_column(tmp_path: Path):
    path = write_records(probes("simclr", 0.8, 0.9), tmp_path / "records.csv")
    path.write_text(path.read_text().replace(",0.9,", ",lots,"))
    with pytest.raises(InputError, match="line 3: value must be float, not 'lots'"):
        read_records(path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        build(from_records(probes("simclr", 0.8)), tmp_path / "file" / "results", "t")


def test_nothing_to_report_is_said_before_a_file_is_touched(tmp_path: Path):
    with pytest.raises(InputError, match="nothing to report"):
        build(from_records([]), tmp_path / "out", "t")
    assert not (tmp_path / "out").exists()


def test_several_datasets_get_a_section_each(golden: pd.DataFrame):
    trained_on = golden["pretrain_dataset"].where(golden["pretrain_dataset"] == "", "letters")
    both = pd.concat([golden, golden.assign(dataset="letters", pretrain_dataset=trained_on)])
    page = markdown(both, TITLE)
    assert "## digits, conv\n\n### linear_probe, latent size 32" in page
    assert "## letters, conv\n\n### linear_probe, latent size 32" in page


def test_cost_is_averaged_over_seeds_not_over_records():
    made = probes("simclr", 0.8, 0.9) + probes("simclr", 0.9, fraction=0.1)
    found = costs(lay_out(from_records(made)).every)
    assert found[["pretrain_seconds", "linear_probe"]].to_numpy().tolist() == [[10.5, 0.5]]
    assert [flops(number) for number in (2.5e12, 3.21e9, 0.0)] == ["2.5 TFLOPs", "3.21 GFLOPs", "0"]


def test_seven_fractions_fit_a_hundred_columns():
    fractions = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
    records = [made for share in fractions for made in probes("barlow_twins", 0.70, 0.73, fraction=share)]
    screen = io.StringIO()
    print_summary(from_records(records), Console(width=100, file=screen, color_system=None))
    printed = screen.getvalue()
    assert printed.count("71.5±19.1") == 7
    assert "…" not in printed
