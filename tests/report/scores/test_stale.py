"""What another version of a plug-in computed is stale, in files of before there were versions too."""

from __future__ import annotations

import pandas as pd
import pytest

from sslbench.report.records import ADDED, parse_records
from sslbench.report.scores.flags import stale_cells
from sslbench.report.scores.layout import lay_out
from sslbench.report.words.wording import stale_line


def cells(records: pd.DataFrame, protocol: str) -> set[str]:
    return set(records.loc[records["protocol"] == protocol, "cell_id"])


@pytest.fixture
def of_before(golden: pd.DataFrame) -> pd.DataFrame:
    """Records as they were written before they said versions and readings, read by today's code."""
    return parse_records(golden.drop(columns=list(ADDED)).to_csv(index=False), "records.csv")


def test_files_of_before_are_of_the_first_version_of_everything(of_before: pd.DataFrame) -> None:
    kinds = ["dataset_version", "encoder_version", "pretext_version", "protocol_version"]
    assert (of_before[kinds] == 1).all(axis=None)
    assert set(of_before["reading"]) == {"latent"}
    assert set(of_before["pretrain_steps"]) == {0}


def test_the_protocol_that_changed_since_is_stale_and_no_other(of_before: pd.DataFrame) -> None:
    now = {("protocol", "linear_probe"): 2, ("protocol", "finetune"): 1, ("encoder", "conv"): 1}
    before = stale_cells(of_before, {})
    assert stale_cells(of_before, now) == before | cells(of_before, "linear_probe")
    assert cells(of_before, "linear_probe") - before


@pytest.mark.parametrize("kind", ["dataset", "encoder", "pretext", "protocol"])
def test_a_raised_version_of_any_kind_makes_its_cells_stale(golden: pd.DataFrame, kind: str) -> None:
    fresh = golden.assign(sslbench_version="1", config_hash="same")
    assert stale_cells(fresh, {(kind, name): 1 for name in fresh[kind]}) == frozenset()
    name = str(fresh[kind].iloc[-1])
    assert stale_cells(fresh, {(kind, name): 2}) == set(fresh.loc[fresh[kind] == name, "cell_id"])
    assert stale_cells(fresh.assign(**{f"{kind}_version": 2}), {(kind, name): 2}) == frozenset()


def test_a_plug_in_from_elsewhere_that_is_not_there_today_is_not_stale(golden: pd.DataFrame) -> None:
    fresh = golden.assign(sslbench_version="1", config_hash="same", pretext_version=7)
    assert stale_cells(fresh, {("pretext", "somebody_elses"): 1}) == frozenset()


def test_stale_rows_are_named(golden: pd.DataFrame) -> None:
    fresh = golden.assign(sslbench_version="1", config_hash="same")
    assert stale_line(lay_out(fresh)) is None
    line = stale_line(lay_out(fresh, versions={("protocol", "linear_probe"): 2}))
    assert line is not None
    named = line.removeprefix("stale: ").partition(": ")[0].split(", ")
    assert named
    assert all(row.endswith(" linear_probe") for row in named)
    assert len(set(named)) == len(named)
