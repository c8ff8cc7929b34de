"""Go on from a published table: its rows count as done, without being run again."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from sslbench.contract.cells import PretrainCell
from sslbench.contract.record import RECORD_COLUMNS, Record
from sslbench.contract.spec import InputError
from sslbench.publishing.sides import RECORDS_FILE
from sslbench.report.attachments import Answered
from sslbench.report.attachments.predictions import read_answers
from sslbench.report.records import read_records
from sslbench.stores.answers import ANSWERS_FILE, right_npz
from sslbench.stores.readback import evaluation_metrics, pretraining_metrics
from sslbench.stores.tracker import Tracker
from sslbench.sweep.request import Prepared, Request, tracker_of


def take_published(request: Request, prepared: Prepared, folder: Path) -> int:
    """Log published evaluations that the plan asks for and the store lacks; returns how many.

    Only pretrainings all of whose missing evaluations are published are taken: no encoders are, so whatever else is
    wanted of one begins with training it. The runs say so (`published_run`), keep the commit, version, device and
    moment of the published ones, and carry which answers were right where the results folder has that.

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
    taking = _Taking(tracker_of(request.stores, prepared.suite.name), prepared, rows, read_answers(folder))
    return sum(taking.take(cell) for cell in prepared.plan.pretrain)


class _Taking:
    """Published rows by cell on their way into a store."""

    def __init__(
        self,
        tracker: Tracker,
        prepared: Prepared,
        rows: Mapping[str, Sequence[Record]],
        answers: Mapping[str, Answered],
    ) -> None:
        self.tracker, self.prepared, self.rows, self.answers = tracker, prepared, rows, answers

    def take(self, cell: PretrainCell) -> int:
        """Log a pretraining and what the store lacks of it; returns how many evaluations."""
        children = [child for child in self.prepared.plan.evaluate[cell.cell_id] if not self._done(child.cell_id)]
        if not children or not all(child.cell_id in self.rows for child in children):
            return 0
        parent = self.prepared.done.get(cell.cell_id) or self._pretraining(cell, self.rows[children[0].cell_id][0])
        for child in children:
            rows = self.rows[child.cell_id]
            run_id = self.tracker.start_evaluate(child, parent, None, rows[0].device, rows[0])
            self._log_answers(run_id, child.cell_id)
            self.tracker.finish(run_id, evaluation_metrics(rows), {})
        return len(children)

    def _done(self, cell_id: str) -> bool:
        return cell_id in self.prepared.done

    def _pretraining(self, cell: PretrainCell, evaluation: Record) -> str:
        own = self.rows.get(cell.cell_id, ())
        metrics, tags = pretraining_metrics(own, evaluation)
        first = own[0] if own else evaluation
        run_id = self.tracker.start_pretrain(cell, None, first.device, first)
        self.tracker.finish(run_id, metrics, tags)
        return run_id

    def _log_answers(self, run_id: str, cell_id: str) -> None:
        if cell_id in self.answers:
            answered = self.answers[cell_id]
            with tempfile.TemporaryDirectory() as place:
                (Path(place) / ANSWERS_FILE).write_bytes(right_npz(answered.images, answered.packed))
                self.tracker.log_files(run_id, Path(place))
