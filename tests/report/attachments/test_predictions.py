"""Which test inputs were answered rightly stays beside the records, and may not contradict them."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sslbench.contract.spec import InputError
from sslbench.report.attachments import Answered, Attachments
from sslbench.report.attachments.predictions import RIGHT_FILE, answers_npz, parse_answers, read_answers
from sslbench.report.build import build, rebuild
from sslbench.report.records import from_records
from tests.made_up import answered, probes, supervised

RECORDS = probes("simclr", 0.80, 0.82, 0.81) + supervised(0.70, 0.72, 0.74)


def test_answers_are_read_back_bit_for_bit() -> None:
    other = [dataclasses.replace(made, dataset="fashion_mnist", cell_id=f"{made.cell_id}-f") for made in RECORDS[:2]]
    answers = {**answered(RECORDS, 1003), **answered(other, 500)}
    assert parse_answers(answers_npz(answers), "a file") == answers
    assert parse_answers(answers_npz({}), "a file") == {}


def test_what_is_right_and_how_many_are() -> None:
    one = Answered("digits", 10, np.packbits([1, 0, 1, 1, 0, 0, 0, 0, 1, 1]).tobytes())
    assert one.right.tolist() == [True, False, True, True, False, False, False, False, True, True]
    assert (one.count, one.accuracy) == (5, 0.5)


def test_equal_answers_are_equal_bytes_whatever_the_order_and_the_hour() -> None:
    answers = answered(RECORDS)
    content = answers_npz(answers)
    assert answers_npz(dict(reversed(answers.items()))) == content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_rebuild_keeps_the_answers(tmp_path: Path) -> None:
    files = build(from_records(RECORDS), tmp_path, "tested", attached=Attachments(answers=answered(RECORDS)))
    assert tmp_path / RIGHT_FILE in files
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    rebuild(tmp_path, "tested")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == written
    assert read_answers(tmp_path) == answered(RECORDS)


def test_no_answers_leave_no_file(tmp_path: Path) -> None:
    (tmp_path / RIGHT_FILE).write_bytes(b"of before")
    build(from_records(RECORDS), tmp_path, "tested", attached=Attachments(answers={}))
    assert not (tmp_path / RIGHT_FILE).exists()


def test_an_accuracy_that_its_answers_contradict_is_refused_by_its_cell(tmp_path: Path) -> None:
    answers = answered(RECORDS)
    wrong = [dataclasses.replace(RECORDS[0], value=0.8000000001), *RECORDS[1:]]
    with pytest.raises(
        InputError,
        match=r"right.npz: cell simclr-32-linear_probe-0.01-0 has 800 of 1000 right on digits.* 0.8000000001",
    ):
        build(from_records(wrong), tmp_path, "tested", attached=Attachments(answers=answers))
    assert not list(tmp_path.iterdir())


def test_answers_to_another_number_of_inputs_are_refused_by_their_cell(tmp_path: Path) -> None:
    answers = {**answered(RECORDS), **answered(RECORDS[:1], 500)}
    with pytest.raises(InputError, match=r"cell \S+ has answers to \d+ test inputs of digits, others to \d+"):
        build(from_records(RECORDS), tmp_path, "tested", attached=Attachments(answers=answers))


def test_answers_of_cells_without_a_record_do_no_harm(tmp_path: Path) -> None:
    build(from_records(RECORDS[1:]), tmp_path, "tested", attached=Attachments(answers=answered(RECORDS)))
    assert read_answers(tmp_path) == answered(RECORDS)


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / RIGHT_FILE).write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"cannot read answers from .*right.npz: "):
        read_answers(tmp_path)
    content = io.BytesIO()
    np.savez_compressed(content, something=np.zeros(3))
    with pytest.raises(InputError, match=r"cannot read answers from a file: KeyError"):
        parse_answers(content.getvalue(), "a file")
