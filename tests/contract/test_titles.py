"""What sentences call plug-ins, and the order of rows."""

from __future__ import annotations

import pytest

from sslbench.contract.titles import title_of
from sslbench.report.records import pretext_rank


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("simclr", "SimCLR"),
        ("simclr_3x", "SimCLR 3x"),
        ("barlow_twins", "Barlow Twins"),
        ("context_prediction", "context prediction"),
        ("linear_probe, map", "a linear probe on the feature map"),
    ],
)
def test_titles(name: str, title: str) -> None:
    assert title_of(name) == title


def test_rows_come_by_name_and_shorter_trainings_first() -> None:
    names = ["vicreg_10x", "vicreg", "vicreg_3x", "supervised", "byol", "random_init"]
    assert sorted(names, key=pretext_rank) == ["random_init", "supervised", "byol", "vicreg", "vicreg_3x", "vicreg_10x"]
