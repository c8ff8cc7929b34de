"""Go on from a published table: its rows count as done, without being run again."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load

from sslbench.contract.cells import PretrainCell
from sslbench.contract.errors import InputError, one_line
from sslbench.contract.record import RECORD_COLUMNS, Record
from sslbench.datasets._base import Dataset
from sslbench.encoders import ENCODERS
from sslbench.publishing.encoders import shipped
from sslbench.publishing.folders import RECORDS_FILE
from sslbench.report.attachments import Exhibit
from sslbench.report.attachments.exhibits import read_exhibits
from sslbench.report.attachments.predictions import read_answers
from sslbench.report.records import read_records
from sslbench.stores.answers import ANSWERS_FILE, right_npz
from sslbench.stores.axes import told_apart_by
from sslbench.stores.readback import NUM_CLASSES, evaluation_metrics, pretraining_metrics
from sslbench.stores.runs import ENCODER_FILE
from sslbench.stores.tracker import Tracker
from sslbench.sweep import suites
from sslbench.sweep.asked import Request
from sslbench.sweep.request import Prepared, load_one, tracker_of
from sslbench.sweep.trainer import log_model, scored


def take_published(request: Request, prepared: Prepared, folder: Path) -> int:
    """Log published evaluations that the plan asks for and the store lacks; returns how many.

    Of a pretraining whose encoder ships with the table everything published is taken, and what else is wanted of it is
    evaluated from there; of others only if all that is missing of them is published, because more begins with training
    them. The runs say so (`published_run`), keep the commit, version, device and
    moment of the published ones, and carry pictures and which answers were right where the results folder has them.

    Args:
        folder: of published results of the suite.

    Raises:
        InputError: the folder holds no records, or they are damaged.
    """
    path = folder / RECORDS_FILE
    if not path.is_file():
        raise InputError(f"--from-published: there is no {path}; name the folder of results with --results")
    rows: dict[str, list[Record]] = {}
    for values in read_records(path).to_dict("records"):
        record = Record(**{name: values[name] for name in RECORD_COLUMNS})
        rows.setdefault(record.cell_id, []).append(record)
    tracker = tracker_of(request.stores, prepared.suite.name, told_apart_by(suites.load(request.suite)))
    taking = _Taking(tracker, prepared, rows, folder, request.data_root)
    return sum(taking.take(cell) for cell in prepared.plan.pretrain)


class _Taking:
    """Published rows by cell on their way into a store."""

    def __init__(
        self,
        tracker: Tracker,
        prepared: Prepared,
        rows: Mapping[str, Sequence[Record]],
        folder: Path,
        data_root: Path,
    ) -> None:
        self.tracker, self.prepared, self.rows, self.folder = tracker, prepared, rows, folder
        self.data_root = data_root
        self.loaded: dict[str, Dataset] = {}
        self.answers, self.exhibits = read_answers(folder), read_exhibits(folder)

    def take(self, cell: PretrainCell) -> int:
        """Log a pretraining and what the store lacks of it; returns how many evaluations."""
        wanted = [child for child in self.prepared.plan.evaluate[cell.cell_id] if not self._done(child.cell_id)]
        children = [child for child in wanted if child.cell_id in self.rows]
        if not children or (len(children) < len(wanted) and shipped(self.folder, cell.cell_id) is None):
            return 0
        parent = self.prepared.done.get(cell.cell_id) or self._pretraining(cell, self.rows[children[0].cell_id][0])
        model_id = self.tracker.pretrained(parent).model_id
        for child in children:
            rows = self.rows[child.cell_id]
            run_id = self.tracker.start_evaluate(child, parent, None, rows[0].device, rows[0], model_id)
            if child.cell_id in self.answers:
                answered = self.answers[child.cell_id]
                self._log(run_id, {ANSWERS_FILE: right_npz(answered.images, answered.packed)})
            tags = {NUM_CLASSES: str(rows[0].num_classes)}
            on = None if model_id is None else scored(model_id, child, self._dataset(child.dataset))
            self.tracker.finish(run_id, evaluation_metrics(rows), tags, on, rows[0])
        return len(children)

    def _done(self, cell_id: str) -> bool:
        return cell_id in self.prepared.done

    def _pretraining(self, cell: PretrainCell, evaluation: Record) -> str:
        own = self.rows.get(cell.cell_id, ())
        metrics, tags = pretraining_metrics(own, evaluation)
        first = own[0] if own else evaluation
        run_id = self.tracker.start_pretrain(cell, None, first.device, first)
        own_name = Exhibit(cell.dataset, cell.encoder, cell.pretext, cell.latent_dim, cell.seed, "", b"").filename
        pictures = [one for one in self.exhibits if replace(one, subject="").filename == own_name]
        encoder = shipped(self.folder, cell.cell_id)
        files = {f"pictures/{one.subject}.png": one.png for one in pictures}
        self._log(run_id, files if encoder is None else {**files, ENCODER_FILE: encoder})
        if encoder is not None:
            self._log_model(run_id, cell, encoder)
        self.tracker.finish(run_id, metrics, tags, published=first)
        return run_id

    def _log_model(self, run_id: str, cell: PretrainCell, content: bytes) -> None:
        dataset = self._dataset(cell.dataset)
        encoder = ENCODERS.get(cell.encoder)(dataset.input_spec, cell.latent_dim)
        try:
            encoder.load_state_dict(load(content))
        except (SafetensorError, RuntimeError) as error:
            damaged = f"{self.folder}: the encoder of {cell.title} is damaged: {one_line(str(error))}"
            raise InputError(damaged) from error
        log_model(self.tracker, run_id, cell, encoder, dataset)

    def _dataset(self, identity: str) -> Dataset:
        """By the name it was asked for by; only a table with encoders has use for it."""
        if identity not in self.loaded:
            self.loaded[identity] = load_one(self.prepared.datasets[identity], self.data_root)
        return self.loaded[identity]

    def _log(self, run_id: str, files: Mapping[str, bytes]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                path = Path(folder) / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
            self.tracker.log_files(run_id, Path(folder))
