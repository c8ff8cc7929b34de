"""One sheet behind every writer: what it says of a cell, and what it leaves out."""

from __future__ import annotations

import dataclasses
import io
import math

import pandas as pd
from rich.console import Console

from sslbench.contract.record import Record
from sslbench.report.attachments import Failure, Gaps
from sslbench.report.records import from_records
from sslbench.report.scores import lay_out
from sslbench.report.tables import Sheet, tables_of
from sslbench.report.tables.sheet import Entry, State
from sslbench.report.tables.terminal import print_summary
from tests.made_up import latex, markdown, probes, record, supervised

FULL = supervised(0.7, 0.72) + supervised(0.8, 0.82, fraction=1.0) + probes("simclr", 0.6, 0.64)
CHANCE = probes("majority_class", 0.1, 0.1, protocol="majority_class")


def sheet(records: pd.DataFrame, gaps: Gaps | None = None) -> Sheet:
    (found,) = tables_of(lay_out(records, gaps)).accuracy
    return found


def entries(found: Sheet, row: str) -> tuple[Entry, ...]:
    return next(rest for name, *rest in found.rows if name.text == row)


def screen(records: pd.DataFrame) -> str:
    printed = io.StringIO()
    print_summary(records, Console(width=100, file=printed, color_system=None))
    return printed.getvalue()


def test_every_writer_shows_the_cells_of_the_sheet() -> None:
    records = from_records(FULL)
    (cell, _) = entries(sheet(records), "simclr")
    assert (cell.text, cell.difference, cell.bold) == ("62.0 ± 25.4", "-9.0", False)
    assert "| 62.0 ± 25.4 (-9.0) |" in markdown(records)
    assert r"$62.0 \pm 25.4$ {\scriptsize ($-9.0$)}" in latex(records)
    assert "62.0±25.4" in screen(records)


def test_the_ceiling_stands_once_per_table_in_every_writer() -> None:
    records = from_records(FULL)
    assert sheet(records).notes == ("ceiling (supervised, 100%): 81.0 ± 12.7",)
    for written in (markdown(records), latex(records), screen(records)):
        assert written.count("ceiling (") == 1


def test_the_majority_class_is_compared_with_nothing() -> None:
    records = from_records(FULL + CHANCE)
    assert [cell.difference for cell in entries(sheet(records), "majority_class")] == ["", ""]
    assert "10.0 ± 0.0 |" in markdown(records)


def test_what_was_not_run_is_told_from_what_failed() -> None:
    failure = Failure("digits", "conv", "simclr", 32, 0, 0, 1.0, "linear_probe", "out of memory", "run")
    records = from_records(FULL)
    assert entries(sheet(records), "simclr")[1].state is State.NOT_RUN
    failed = entries(sheet(records, Gaps(2, 1, (failure,))), "simclr")[1]
    assert (failed.text, failed.state) == ("–", State.FAILED)
    assert [mark.words for mark in failed.marks] == ["seed 0 failed: out of memory"]


def test_marks_say_what_speaks_against_a_number() -> None:
    old = [dataclasses.replace(one, sslbench_version="0.0.1", started_at="2025-01-01T00:00:00Z") for one in FULL[-1:]]
    collapsed = dataclasses.replace(record("simclr", "", 0.0, 0, 1.0), metric="collapsed", split="train")
    found = sheet(from_records([*FULL[:-1], *old, *probes("rotation", 0.5), collapsed]))
    assert [mark.sign for mark in entries(found, "simclr")[0].marks] == ["§"]
    assert [mark.sign for mark in entries(found, "rotation")[0].marks] == ["†"]
    assert [name.marked for name, *_ in found.rows] == ["supervised", "rotation", "simclr ‡"]


def test_a_number_knows_the_runs_behind_it() -> None:
    runs = entries(sheet(from_records(FULL)), "supervised")[0].runs
    assert [(run.seed, run.value, run.num_labels) for run in runs] == [(0, 0.7, 10), (1, 0.72, 10)]
    assert runs[0].run_id == "run-supervised-finetune-0.01-0"


def test_a_measure_that_could_not_be_taken_is_a_dash() -> None:
    """alpha-ReQ needs two eigenvalues: a representation of one number has none."""
    values = {"rankme": 1.0, "alpha_req": math.nan, "lidar": 1.0, "uniformity": -1.0, "alignment": 0.1}
    measured = [
        dataclasses.replace(record("simclr", "", 0.0, 0, value), metric=f"representation.{name}", split="unlabelled")
        for name, value in values.items()
    ]
    found = tables_of(lay_out(from_records([*FULL, *measured]))).measures
    assert found is not None
    assert [entry.text for entry in found.rows[0]] == ["simclr", "32", "1.0", "–", "1.0", "-1.00", "0.100", "–", "no"]


def test_measures_of_several_datasets_name_theirs() -> None:
    one = dataclasses.replace(record("simclr", "", 0.0, 0, 3.0), metric="representation.rankme", split="unlabelled")
    elsewhere = dataclasses.replace(one, dataset="letters", cell_id="of-letters", value=4.0)
    found = tables_of(lay_out(from_records([*FULL, one, elsewhere]))).measures
    assert found is not None
    assert found.headings[:4] == ("dataset", "encoder", "pretext", "latent size")
    assert [[entry.text for entry in row[:5]] for row in found.rows] == [
        ["digits", "conv", "simclr", "32", "3.0"],
        ["letters", "conv", "simclr", "32", "4.0"],
    ]
    assert found.names == 3


def transferred(*records: Record) -> list[Record]:
    return [dataclasses.replace(one, pretrain_dataset="letters") for one in records]


def test_a_failed_pretraining_is_named_where_its_encoder_was_to_be_evaluated() -> None:
    records = from_records(FULL + transferred(*probes("simclr", 0.5, fraction=1.0)))
    failure = Failure("letters", "conv", "simclr", 32, 1, None, None, None, "out of memory", "run", "letters")
    blocks = {block.place: block for block in lay_out(records).blocks if block.protocol == "linear_probe"}
    layout = lay_out(records, Gaps(4, 1, (failure,)))
    assert layout.failures(blocks["digits from letters, conv"], "simclr", 1.0) == [failure]
    assert layout.failures(blocks["digits, conv"], "simclr", 1.0) == []


def test_a_baseline_that_stands_in_several_tables_is_missing_once() -> None:
    both = probes("simclr", 0.5, 0.6) + transferred(*probes("simclr", 0.5, 0.6))
    text = markdown(from_records(both + supervised(0.7)))
    assert text.count("supervised finetune d=32 at 1% (without seed 1)") == 1
    assert "fewer seeds than other cells of the column: digits, conv: supervised" in text
