"""A published table is gone on from: its rows count as done, are the same, and say where they come from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from sslbench.contract.spec import InputError
from sslbench.publishing.continuation import take_published
from sslbench.publishing.encoders import MOST_BYTES
from sslbench.publishing.publish import publish, write_tables
from sslbench.report.attachments.exhibits import read_exhibits
from sslbench.report.attachments.predictions import read_answers
from sslbench.report.build import rebuild
from sslbench.report.records import read_records
from sslbench.stores.tracker import ENCODER_FILE
from sslbench.sweep.asked import Request
from sslbench.sweep.request import prepare_request, records_of, tracker_of
from tests.conftest import request_for, work_off

SUITE_FILE = '''"""The digits."""
from sslbench.contract.spec import Suite

SUITE = Suite(
    name="gone_on", datasets=("digits",), encoders=("conv",), latent_dims=(8,), seeds=(0,), epochs=0.2,
    pretexts=("majority_class", "raw_pixels", "random_init", "supervised", "rotation"),
    label_fractions=(0.05,), protocols=("linear_probe",), checkpoints=(0.2,),
    settings={"finetune": {"min_steps": 4, "max_steps": 4}},
)
'''


def request_in(folder: Path, text: str = SUITE_FILE) -> Request:
    return request_for(folder, "gone_on", text)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Published results of the suite above, run by one worker in this process."""
    folder = tmp_path_factory.mktemp("published")
    request = request_in(folder)
    prepared, _ = work_off(request)
    write_tables(request, prepared, records_of(request, prepared))
    publish("gone_on", request.stores, folder / "with", encoders=True)
    return publish("gone_on", request.stores, folder / "results")


def sorted_rows(records: pd.DataFrame) -> pd.DataFrame:
    """Everything but the runs' own names, in one order."""
    rows = records.drop(columns="run_id").sort_values(["cell_id", "metric", "split"])
    return rows.reset_index(drop=True)


def test_a_fresh_store_takes_every_published_row_as_it_is_and_says_so(published: Path, tmp_path: Path) -> None:
    request = request_in(tmp_path)
    count = take_published(request, prepare_request(request), published)
    prepared = prepare_request(request)
    assert count == len(prepared.plan.evaluations) == 5
    assert all(cell_id in prepared.done for cell_id, _ in prepared.cells)
    write_tables(request, prepared, records_of(request, prepared))
    again = request.stores.results / "gone_on"
    assert_frame_equal(
        sorted_rows(read_records(published / "records.csv")), sorted_rows(read_records(again / "records.csv"))
    )
    assert read_answers(again) == read_answers(published) != {}
    taken, given = ({one.filename for one in read_exhibits(folder)} for folder in (again, published))
    assert taken == given
    assert any("rotation" in name for name in taken)
    assert "5 of 5 evaluations are those published before, not run again" in (again / "table.md").read_text()
    rebuild(again)
    assert "5 of 5 evaluations are those published before, not run again" in (again / "table.md").read_text()
    assert "published before" not in (published / "table.md").read_text()
    assert take_published(request, prepared, published) == 0


def test_what_is_taken_lasted_as_long_as_it_did_then(published: Path, tmp_path: Path) -> None:
    request = request_in(tmp_path)
    take_published(request, prepare_request(request), published)
    runs = tracker_of(request.stores, "gone_on").search("attributes.status = 'FINISHED'")
    assert len(runs) == 10
    for run in runs:
        name = {"pretrain": "pretrain_seconds", "evaluate": "evaluate_seconds"}[run.data.tags["kind"]]
        took = (run.info.end_time - run.info.start_time) / 1000
        assert took == pytest.approx(run.data.metrics.get(name, 0.0), abs=1e-3)


def test_only_an_added_row_is_left_to_run(published: Path, tmp_path: Path) -> None:
    request = request_in(tmp_path, SUITE_FILE.replace('"rotation"', '"rotation", "autoencoder"'))
    assert take_published(request, prepare_request(request), published) == 5
    prepared = prepare_request(request)
    missing = {cell.pretrain.pretext for cell in prepared.plan.evaluations if cell.cell_id not in prepared.done}
    assert missing == {"autoencoder"}


def test_an_encoder_that_is_asked_for_more_is_trained_anew(published: Path, tmp_path: Path) -> None:
    request = request_in(tmp_path)
    take_published(request, prepare_request(request), published)
    more = request_in(tmp_path, SUITE_FILE.replace("(0.05,)", "(0.05, 0.1)"))
    assert take_published(more, prepare_request(more), published) == 0
    prepared = prepare_request(more)
    lacking = {cell.pretrain.cell_id for cell in prepared.plan.evaluations if cell.cell_id not in prepared.done}
    tracker = tracker_of(more.stores, "gone_on")
    assert lacking
    assert lacking <= tracker.finished().keys()
    tracker.forget_published(lacking)
    assert not lacking & tracker.finished().keys()
    assert len(tracker.published_evaluations()) == 5


def test_an_encoder_that_ships_is_evaluated_further(published: Path, tmp_path: Path) -> None:
    folder = published.parent.parent / "with" / "gone_on"
    (file,) = (folder / "encoders").iterdir()
    assert file.stat().st_size < MOST_BYTES
    assert not (published / "encoders").exists()
    request = request_in(tmp_path, SUITE_FILE.replace("(0.05,)", "(0.05, 0.1)"))
    assert take_published(request, prepare_request(request), folder) == 1
    tracker = tracker_of(request.stores, "gone_on")
    run_id = tracker.finished()[file.stem]
    assert tracker.artifact(run_id, ENCODER_FILE) == file.read_bytes()
    model = tracker.client.get_logged_model(tracker.pretrained(run_id).model_id)
    on = {(one.key, one.dataset_name) for one in model.metrics or []}
    assert on == {("accuracy", "digits, 5% linear_probe")}, "what was published is what the model is ranked by"
    tracker.forget_published({file.stem})
    prepared = prepare_request(request)
    assert prepared.done[file.stem] == run_id
    (more,) = (cell for cell in prepared.plan.evaluate[file.stem] if cell.cell_id not in prepared.done)
    work_off(request)
    again = {record.cell_id for record in records_of(request, prepare_request(request))}
    assert more.cell_id in again
    write_tables(request, prepare_request(request), records_of(request, prepare_request(request)))
    further = publish("gone_on", request.stores, tmp_path / "results", encoders=True)
    assert (further / "encoders" / file.name).read_bytes() == file.read_bytes()


def test_what_cannot_be_gone_on_from_is_refused(tmp_path: Path) -> None:
    request = request_in(tmp_path)
    with pytest.raises(InputError, match=r"--from-published: there is no .*records\.csv; name the folder"):
        take_published(request, prepare_request(request), tmp_path / "nowhere")
