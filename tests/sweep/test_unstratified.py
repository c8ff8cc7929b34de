"""Labelled inputs drawn without looking at a label, from the suite to the table and back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import sslbench as sb
from sslbench.commands.app import app
from sslbench.contract.spec import InputError
from sslbench.datasets._base import Dataset
from sslbench.engine.budget import draw_budget, draw_unseen
from sslbench.publishing.continuation import take_published
from sslbench.publishing.publish import publish, write_tables
from sslbench.report.records import read_records, write_records
from sslbench.stores.addresses import locate
from sslbench.sweep.asked import Request
from sslbench.sweep.request import prepare_request, records_of, tracker_of
from tests.conftest import request_for, work_off

SUITE_FILE = '''"""Labels as they come."""
from sslbench.contract.spec import Suite

SUITE = Suite(
    name="unseen", datasets=("digits",), encoders=("conv",), latent_dims=(8,), seeds=(0,), epochs=0.25,
    pretexts=("random_init", "raw_pixels", "supervised", "rotation"), label_fractions=(0.005, 0.05),
    protocols=("linear_probe", "knn", "finetune"), checkpoints=(0.25,), stratified=False,
    settings={"finetune": {"min_steps": 5, "max_steps": 5}},
)
'''
EVALUATIONS = 16
NOTE = "Labelled inputs were drawn at random, without looking at any label"


@pytest.fixture(scope="module")
def request_done(tmp_path_factory: pytest.TempPathFactory) -> Request:
    """A sweep of it, in this process, with its tables."""
    folder = tmp_path_factory.mktemp("unseen")
    request = request_for(folder, "unseen", SUITE_FILE)
    work_off(request)
    prepared = prepare_request(request)
    assert prepared.finished
    write_tables(request, prepared, records_of(request, prepared))
    return request


def test_records_and_table_say_how_labels_were_drawn(request_done: Request) -> None:
    folder = request_done.stores.results / "unseen"
    records = read_records(folder / "records.csv")
    labelled = records["label_fraction"] > 0
    assert set(records.loc[labelled, "metric"]) == {"accuracy", "accuracy_after_0.25_epochs"}
    assert set(records.loc[labelled, "stratified"]) == {0}
    assert set(records.loc[~labelled, "stratified"]) == {1}  # measures without labels
    assert set(records.loc[labelled, "num_labels"]) == {6, 65}  # 0.5% and 5% of 1,297; ten classes share six labels
    for page in ("table.md", "report.html"):
        assert NOTE in (folder / page).read_text()


def test_every_run_was_of_its_draw(request_done: Request) -> None:
    tracker = tracker_of(request_done.stores, "unseen")
    runs = tracker.client.search_runs([tracker.experiment_id], "tags.kind = 'evaluate'", max_results=1000)
    assert len(runs) == EVALUATIONS
    for run in runs:
        tags = run.data.tags
        drawn = draw_unseen("digits", 1297, float(tags["label_fraction"]), int(tags["label_seed"]))
        assert tags["budget_digest"] == drawn.digest
        assert run.data.params["stratified"] == "0"


def test_a_dry_run_says_so(request_done: Request) -> None:
    at = ["--home", str(request_done.stores.home), "--data-root", str(request_done.data_root)]
    told = CliRunner().invoke(app, ["run", request_done.suite, "--dry-run", *at])
    assert told.exit_code == 0, told.output
    assert "labels are drawn at random, without looking at any: a class may be missing" in told.output
    assert "everything is done" in told.output
    refused = CliRunner().invoke(app, ["tune", request_done.suite, *at])
    assert (refused.exit_code, refused.output) == (
        2,
        "error: suite 'unseen' has stratified=False, and tuning draws a stratified label budget\n",
    )


def test_what_is_published_of_it_can_be_gone_on_from(request_done: Request, tmp_path: Path) -> None:
    published = publish("unseen", request_done.stores, tmp_path / "results")
    again = dataclasses.replace(request_done, stores=locate(tmp_path / "home"))
    assert take_published(again, prepare_request(again), published) == EVALUATIONS
    prepared = prepare_request(again)
    taken = records_of(again, prepared)
    assert {(one.split, one.stratified) for one in taken} == {("test", 0), ("budget", 0), ("unlabelled", 1)}


def test_own_encoders_are_scored_so_too_and_compared_with_nothing_else(digits: Dataset, request_done: Request) -> None:
    asked = {"label_fractions": [0.05], "seeds": [0], "data_root": request_done.data_root, "device": "cpu"}
    features = digits.train_inputs.flatten(1), digits.test_inputs.flatten(1)
    own = sb.evaluate(features, "digits", stratified=False, **asked)
    usual = sb.evaluate(features, "digits", **asked)
    assert (set(own["stratified"]), set(usual["stratified"])) == ({0}, {1})
    assert not set(own["cell_id"]) & set(usual["cell_id"])
    assert set(usual["num_labels"]) == {len(draw_budget("digits", digits.train_labels, 0.05, 0).indices)}
    table = request_done.stores.results / "unseen"
    beside = sb.compare_with_published(own, table, protocol="linear_probe")
    pixels = beside[beside["pretext"] == "raw_pixels"]
    assert pixels["difference"].abs().max() < 0.01  # the same features, labels and probe
    with pytest.raises(InputError, match="no row of the same dataset, label fraction and labelled subset"):
        sb.compare_with_published(usual, table)
    with pytest.raises(InputError, match="labels_per_class looks at labels"):
        sb.evaluate(features, "digits", stratified=False, labels_per_class=[2], **asked)


def test_records_of_the_usual_draw_are_as_earlier_versions_read_them(golden: pd.DataFrame, tmp_path: Path) -> None:
    usual = write_records(golden, tmp_path / "usual.csv").read_text()
    assert "stratified" not in usual.splitlines()[0]
    unseen = write_records(golden.assign(stratified=0), tmp_path / "unseen.csv")
    assert set(read_records(unseen)["stratified"]) == {0}
    assert set(read_records(tmp_path / "usual.csv")["stratified"]) == {1}
