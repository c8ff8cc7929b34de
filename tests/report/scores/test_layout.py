"""Records laid out once: what stands where, for tables and for statistics alike."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from sslbench.contract.spec import InputError
from sslbench.report.records import from_records
from sslbench.report.scores import headline, lay_out
from sslbench.report.scores.replicates import Replicate
from tests.made_up import probes, supervised

RECORDS = supervised(0.7, 0.8) + probes("raw_pixels", 0.6, 0.6) + probes("simclr", 0.9, 0.9)


def test_tables_and_peers_hold_the_same_rows() -> None:
    layout = lay_out(from_records(RECORDS))
    (block,), (peers,) = layout.blocks, layout.peers
    assert block.lines["supervised"] is peers.supervised
    assert [row.pretext for row in peers.rows] == ["raw_pixels", "simclr"]
    assert block.scores["simclr", 0.01] == peers.rows[1].scores(0.01) == {Replicate(0, 0): 0.9, Replicate(1, 1): 0.9}


def test_raw_pixels_go_by_the_encoder_they_are_compared_with() -> None:
    layout = lay_out(from_records(RECORDS))
    assert [(row.encoder, row.latent_dim) for row in layout.peers[0].rows] == [("conv", 32), ("conv", 32)]
    assert layout.blocks[0].lines["raw_pixels"].encoder == "raw"


def test_without_training_from_scratch_there_are_tables_and_no_peers() -> None:
    layout = lay_out(from_records(probes("simclr", 0.9)))
    assert (len(layout.blocks), layout.peers) == (1, ())


def test_crossed_replicates_are_kept_aside_and_said() -> None:
    crossed = [dataclasses.replace(one, label_seed=label) for one in RECORDS for label in range(2)]
    layout = lay_out(from_records(crossed))
    assert (len(layout.every), len(layout.evaluations)) == (12, 6)
    assert layout.blocks[0].crossed
    assert not lay_out(from_records(RECORDS)).blocks[0].crossed


def test_a_new_column_of_records_reaches_every_statistic_untold(quick: pd.DataFrame) -> None:
    layout = lay_out(quick.assign(joules=1.5))
    assert (layout.evaluations["joules"] == 1.5).all()


def test_what_is_no_test_accuracy_is_no_headline(quick: pd.DataFrame) -> None:
    found = headline(quick)
    assert (set(found["metric"]), set(found["split"])) == ({"accuracy"}, {"test"})
    assert headline(quick.assign(value=float("nan"))).empty


def test_two_records_for_one_cell_are_refused_with_both_runs_named() -> None:
    twice = [*RECORDS, dataclasses.replace(RECORDS[0], run_id="other", value=0.1)]
    with pytest.raises(InputError, match=r"at 1% seed 0: runs other and run-supervised-finetune-0.01-0; keep one"):
        lay_out(from_records(twice))
