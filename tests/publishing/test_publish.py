"""What MLflow knows besides the numbers reaches the results folder, and what was published is logged back."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from mlflow.artifacts import list_artifacts
from PIL import Image

from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.spec import InputError, Suite
from sslbench.datasets._base import Dataset
from sslbench.publishing.publish import exhibits, publish, write_tables
from sslbench.report.attachments.predictions import RIGHT_FILE, read_answers
from sslbench.stores.addresses import Stores, locate, prepare
from sslbench.stores.answers import ANSWERS_FILE, answers_npz
from sslbench.stores.inputs import describe
from sslbench.stores.tracker import Tracker
from sslbench.sweep.asked import Request, Selection
from sslbench.sweep.plan import Plan
from sslbench.sweep.request import Prepared
from tests.conftest import evaluate_cell, pretrain_cell
from tests.stores.test_tracker import COSTS

PRETEXTS = ("autoencoder", "rotation")
SUITE = Suite(
    name="tested",
    datasets=("digits",),
    encoders=("conv",),
    pretexts=PRETEXTS,
    latent_dims=(8, 16),
    seeds=(0,),
    epochs=0.5,
    label_fractions=(0.05,),
    protocols=("knn",),
)


class Store:
    """A store with the runs of a suite, made by hand: nothing is trained."""

    def __init__(self, folder: Path, dataset: Dataset) -> None:
        self.stores: Stores = locate(folder / "home")
        prepare(self.stores)
        self.folder, self.source = folder, describe(dataset)
        self.tracker = Tracker(self.stores.tracking_uri, "tested", self.stores.artifact_root)
        cells = [pretrain_cell(pretext, latent_dim=size) for pretext in (*PRETEXTS, "supervised") for size in (8, 16)]
        self.evaluations = {
            cell.cell_id: (evaluate_cell(cell, 0.05, "finetune" if cell.pretext == "supervised" else "knn"),)
            for cell in cells
        }
        self.plan = Plan(tuple(cells), self.evaluations, {})

    def pretrained(self, cell: PretrainCell, *pictures: str) -> str:
        run_id = self.tracker.start_pretrain(cell, self.source, "cpu")
        drawn = self.folder / run_id
        (drawn / "pictures").mkdir(parents=True)
        for name in pictures:
            Image.new("RGB", (1200, 300), (cell.latent_dim, 0, 0)).save(drawn / "pictures" / f"{name}.png")
        self.tracker.log_files(run_id, drawn)
        self.tracker.finish(run_id, COSTS, {"modality": "image"})
        return run_id

    def evaluated(self, cell: EvaluateCell, parent: str, accuracy: float, right: Sequence[bool] = ()) -> None:
        """Without `right` it is a run of before answers were stored."""
        run_id = self.tracker.start_evaluate(cell, parent, self.source, "cpu")
        if right:
            logged = self.folder / run_id
            logged.mkdir()
            (logged / ANSWERS_FILE).write_bytes(answers_npz(np.zeros(len(right), np.int64), np.array(right), 10))
            self.tracker.log_files(run_id, logged)
        metrics = {"accuracy": accuracy, "evaluate_seconds": 0.1, "evaluate_flops": 1e8, "num_labels": 65.0, **COSTS}
        self.tracker.finish(run_id, metrics, {"modality": "image"})

    @property
    def tables(self) -> Path:
        return self.stores.results / "tested"

    def write(self) -> list[Path]:
        request = Request("tested", Selection(), self.stores, self.folder / "data")
        prepared = Prepared(SUITE, self.plan, {"digits": "digits"}, {"digits": 1297}, self.tracker.finished())
        return write_tables(request, prepared, self.tracker.records())

    def reports(self) -> list[str]:
        found = self.tracker.client.search_runs([self.tracker.experiment_id], "tags.kind = 'report'")
        return [run.info.run_id for run in found]


@pytest.fixture
def store(tmp_path: Path, digits: Dataset) -> Store:
    return Store(tmp_path, digits)


def complete(store: Store) -> None:
    for cell in store.plan.pretrain:
        pictures = () if cell.pretext == "supervised" else ("map", "reconstructions")
        parent = store.pretrained(cell, *pictures)
        store.evaluated(store.plan.evaluate[cell.cell_id][0], parent, 0.5)


def test_the_pictures_of_the_largest_encoder_of_each_pretext_are_published(store: Store) -> None:
    complete(store)
    shown = exhibits(store.tracker, store.plan)
    assert sorted((one.pretext, one.latent_dim, one.subject) for one in shown) == [
        (pretext, 16, subject) for pretext in PRETEXTS for subject in ("map", "reconstructions")
    ]
    files = {path.name for path in store.write()}
    assert {"report.html", "digits-conv-rotation-d16-s0-map.png"} <= files
    page = (store.tables / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 4


def test_everything_published_is_logged_to_one_report_run(store: Store) -> None:
    complete(store)
    files = store.write()
    store.write()  # the same tables again
    (run_id,) = store.reports()
    folder = store.tables
    logged = {
        item.path
        for place in (None, "pictures")
        for item in list_artifacts(run_id=run_id, artifact_path=place, tracking_uri=store.stores.tracking_uri)
    }
    assert logged == {str(path.relative_to(folder)) for path in files} | {"pictures"}


def test_other_tables_are_another_report_run(store: Store) -> None:
    complete(store)
    store.write()
    cell = store.plan.pretrain[0]
    more = evaluate_cell(cell, 0.1, "knn")
    store.plan = Plan(
        store.plan.pretrain, {**store.evaluations, cell.cell_id: (*store.evaluations[cell.cell_id], more)}, {}
    )
    store.evaluated(more, store.tracker.finished()[cell.cell_id], 0.6)
    store.write()
    assert len(store.reports()) == 2


def test_a_failed_cell_stands_in_the_page_with_its_reason_until_it_is_done(store: Store) -> None:
    first, *rest = store.plan.pretrain
    for cell in rest:
        store.evaluated(store.plan.evaluate[cell.cell_id][0], store.pretrained(cell), 0.5)
    evaluation = store.plan.evaluate[first.cell_id][0]
    parent = store.pretrained(first)
    run_id = store.tracker.start_evaluate(evaluation, parent, store.source, "cpu")
    store.tracker.fail(run_id, "TrainingError: the loss became nan")
    store.write()
    folder = store.tables
    assert "seed 0 failed: TrainingError: the loss became nan" in (folder / "report.html").read_text()
    assert "TrainingError" in (folder / "gaps.json").read_text()
    store.evaluated(evaluation, parent, 0.6)
    store.write()
    assert "TrainingError" not in (folder / "report.html").read_text()
    assert not (folder / "gaps.json").exists()


def test_what_the_suite_defines_and_nobody_ran_is_counted(store: Store) -> None:
    first = store.plan.pretrain[0]
    store.evaluated(store.plan.evaluate[first.cell_id][0], store.pretrained(first), 0.5)
    store.write()
    page = (store.tables / "report.html").read_text()
    assert "Unfinished: 5 of the 6 evaluations of the suite have no record yet." in page


def test_a_failed_pretraining_explains_every_cell_it_leaves_empty(store: Store) -> None:
    first, *rest = store.plan.pretrain
    for cell in rest:
        store.evaluated(store.plan.evaluate[cell.cell_id][0], store.pretrained(cell), 0.5)
    store.tracker.fail(store.tracker.start_pretrain(first, store.source, "cpu"), "OSError: disk full")
    (failed,) = store.tracker.failures()
    assert (failed["kind"], failed["cell_id"]) == ("pretrain", first.cell_id)
    store.write()
    page = (store.tables / "report.html").read_text()
    assert ">failed<" in page
    assert "seed 0 failed: OSError: disk full" in page


def test_which_inputs_were_answered_rightly_is_published_of_the_runs_that_stored_it(store: Store) -> None:
    half, *rest = store.plan.pretrain
    (cell,) = store.plan.evaluate[half.cell_id]
    store.evaluated(cell, store.pretrained(half), 0.5, [True, False, False, True])
    for other in rest:
        store.evaluated(store.plan.evaluate[other.cell_id][0], store.pretrained(other), 0.5)
    assert store.tables / RIGHT_FILE in store.write()
    publish("tested", store.stores, store.folder / "results")
    found = read_answers(store.folder / "results" / "tested")
    assert {cell_id: one.right.tolist() for cell_id, one in found.items()} == {cell.cell_id: [True, False, False, True]}


def test_a_run_whose_answers_contradict_its_accuracy_is_refused_by_its_cell(store: Store) -> None:
    first = store.plan.pretrain[0]
    (cell,) = store.plan.evaluate[first.cell_id]
    store.evaluated(cell, store.pretrained(first), 0.5, [True, True, False, True])
    with pytest.raises(InputError, match=f"cell {cell.cell_id} has 3 of 4 right on digits"):
        store.write()


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_publishing_copies_the_tables_and_takes_away_what_no_longer_belongs(store: Store) -> None:
    complete(store)
    store.write()
    results = store.folder / "results"
    old = results / "tested" / "pictures" / "of-before.png"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    (results / "tested" / "records.csv").write_text("old")
    (results / "other.txt").write_text("kept")
    assert publish("tested", store.stores, results) == results / "tested"
    copied, own = files_below(results / "tested"), files_below(store.tables)
    assert b' data-ui="http://127.0.0.1:5000"' in own["report.html"]
    own["report.html"] = own["report.html"].replace(b' data-ui="http://127.0.0.1:5000"', b"")  # others lack the runs
    assert copied == own
    assert {path.name for path in results.iterdir() if path.suffix != ".lock"} == {"tested", "other.txt"}


def test_what_cannot_be_copied_leaves_the_published_tables_as_they_are(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(store)
    store.write()
    results = store.folder / "results"
    publish("tested", store.stores, results)
    before = files_below(results)
    (store.tables / "table.md").write_text("newer")

    copy = shutil.copyfile

    def until_full(source: Path, place: Path) -> None:
        if source.name == "table.tex":
            raise OSError(28, "No space left on device")
        copy(source, place)

    monkeypatch.setattr("sslbench.publishing.publish.shutil.copyfile", until_full)
    with pytest.raises(InputError, match=r"cannot write .*tested: .*No space left on device"):
        publish("tested", store.stores, results)
    assert files_below(results) == before


def test_tables_are_published_only_over_tables_and_only_if_there_are_any(store: Store) -> None:
    results = store.folder / "results"
    with pytest.raises(InputError, match=r"no tables of suite 'tested' in .*; run it first"):
        publish("tested", store.stores, results)
    complete(store)
    store.write()
    (results / "tested").mkdir(parents=True)
    (results / "tested" / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="is in the way"):
        publish("tested", store.stores, results)
    with pytest.raises(InputError, match="is where runs write their tables"):
        publish("tested", store.stores, store.stores.results)
    assert (results / "tested" / "thesis.tex").exists()
    assert (store.tables / "records.csv").exists()


def test_damaged_scores_of_others_do_not_keep_tables_from_being_written(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(store)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results" / "community").mkdir(parents=True)
    (tmp_path / "results" / "community" / "theirs.csv").write_text("")
    (tmp_path / "results" / "tested").mkdir()
    (tmp_path / "results" / "tested" / "records.csv").touch()
    with pytest.warns(UserWarning, match=r"passed over: .*theirs\.csv: No columns"):
        files = store.write()
    assert store.tables / "table.md" in files
