"""Records as tables, and one's own scores beside published ones."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

import sslbench as sb
from sslbench.contract.spec import InputError
from sslbench.report.records import write_records
from tests.conftest import GOLDEN

ROOT = Path(__file__).parents[2]


def own(values: dict[int, float], fraction: float = 0.01, **changes: object) -> pd.DataFrame:
    """Records of an encoder of one's own on the labels of these seeds."""
    published = sb.records(GOLDEN / "quick.csv", long=True)
    usual = published[(published["metric"] == "accuracy") & (published["split"] == "test")].iloc[0]
    changed = {
        "pretext": "mine",
        "encoder": "own",
        "protocol": "linear_probe",
        "reading": "latent",
        "seed": 0,
        **changes,
    }
    lines = [
        usual.to_dict()
        | changed
        | {"label_seed": seed, "value": value, "label_fraction": fraction, "cell_id": f"{seed}"}
        for seed, value in values.items()
    ]
    return pd.DataFrame(lines)


def test_a_line_per_evaluation_has_everything_that_was_measured_of_it() -> None:
    long, wide = (sb.records(GOLDEN / "quick.csv", long=long) for long in (True, False))
    scored = long[(long["metric"] == "accuracy") & (long["split"] == "test")]
    assert len(wide) == len(scored)
    assert wide["accuracy"].tolist() == scored["value"].tolist()
    budget = long[(long["metric"] == "accuracy") & (long["split"] == "budget")].set_index("cell_id")["value"]
    for line in wide.to_dict("records"):
        if line["cell_id"] in budget:
            assert line["budget_accuracy"] == budget[line["cell_id"]]
        else:
            assert math.isnan(line["budget_accuracy"]), "it holds no labels out"
    measured = long[long["metric"] == "representation.rankme"]
    for line in measured.to_dict("records"):
        same = (wide["pretext"] == line["pretext"]) & (wide["latent_dim"] == line["latent_dim"])
        assert set(wide.loc[same & (wide["seed"] == line["seed"]), "rankme"]) == {line["value"]}
    assert wide["label_fraction"].dtype == float
    assert wide["seed"].dtype == int


def test_findings_are_the_sentences_that_the_readme_opens_with() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    said = sb.findings(ROOT / "results" / "digits")
    assert len(said) > 3
    assert all(f"- {sentence}\n" in readme for sentence in said[:3])
    assert sb.findings(ROOT / "results" / "digits" / "records.csv") == said


def test_one_s_own_is_compared_on_the_labels_that_both_have() -> None:
    published = sb.records(GOLDEN / "quick.csv")
    scratch = published[(published["pretext"] == "supervised") & (published["label_fraction"] == 0.01)]
    chosen = scratch[scratch["latent_dim"] == scratch["latent_dim"].min()].set_index("label_seed")["accuracy"]
    mine = {0: chosen[0] + 0.03, 1: chosen[1] + 0.01, 9: 0.1}
    found = sb.compare_with_published(own(mine), GOLDEN / "quick.csv", protocol="finetune")
    line = found[(found["pretext"] == "supervised") & (found["latent_dim"] == scratch["latent_dim"].min())].iloc[0]
    assert line["n"] == 2, "labels of seed 9 are published nowhere"
    assert line["difference"] == pytest.approx(0.02)
    assert line["accuracy"] == pytest.approx(chosen[[0, 1]].mean())
    expected = stats.ttest_rel([mine[0], mine[1]], [chosen[0], chosen[1]])
    assert line["p_value"] == pytest.approx(expected.pvalue)
    assert line["low"] == pytest.approx(expected.confidence_interval().low)
    assert (found["p_holm"] >= found["p_value"]).all()


def test_one_shared_labelled_subset_is_no_test() -> None:
    found = sb.compare_with_published(own({0: 0.8}), GOLDEN / "quick.csv")
    assert set(found["n"]) == {1}
    assert found["p_value"].isna().all()
    assert found["low"].isna().all()


def test_what_cannot_be_compared_is_told_so() -> None:
    with pytest.raises(InputError, match="no row of the same dataset, label fraction and labelled subset"):
        sb.compare_with_published(own({77: 0.8}), GOLDEN / "quick.csv")
    with pytest.raises(InputError, match=r"'nothing': it is neither folder nor file, and in .* are .*fashion_mnist"):
        sb.records("nothing")
    with pytest.raises(InputError, match="no records"):
        sb.records(GOLDEN.parent / "api")


def test_a_file_of_one_s_own_is_read_back(tmp_path: Path) -> None:
    path = write_records(own({0: 0.8, 1: 0.9}), tmp_path / "mine.csv")
    assert sb.records(path)["accuracy"].tolist() == [0.8, 0.9]
