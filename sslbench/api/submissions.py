"""Scores of others, run again: the same encoder on the same labels, asked and scored here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from sslbench.api.asked import Asked, ask, own_cell, own_evaluation
from sslbench.api.opening import open_encoder
from sslbench.api.own import as_it_was
from sslbench.contract.cells import EvaluateCell
from sslbench.contract.errors import InputError
from sslbench.contract.files import is_file
from sslbench.datasets import load
from sslbench.engine.evaluate import budget_of
from sslbench.protocols import PROTOCOLS
from sslbench.publishing.community import read_submission
from sslbench.publishing.reproduce import Check, Published, choose, drawn
from sslbench.publishing.versions import current_versions
from sslbench.report.scores.flags import VERSIONED


class Resubmission:
    """Rows of a submission, ready to be run again.

    The encoder is the one that was scored, and so are the labels: nothing is drawn anew, as it is where a published row
    is trained again. So a row may differ by `reproduce.FLOOR` and no more.

    Args:
        path: of its records.
        data_root: folder of datasets.
        rows: which rows, as `choose` reads them; all test accuracies if there are none.
        sample: only so many of them, drawn at random but always the same.

    Raises:
        InputError: it breaks a rule, a row was not made by the rules of a published table, or rows are not there.

    Attributes:
        stale: how many rows were left out because what a plug-in computes is not what it was.
        unverifiable: why it cannot be run again; empty if it can.
    """

    def __init__(self, path: Path, data_root: Path, rows: Sequence[str] = (), sample: int | None = None) -> None:
        self.path, self.data_root, self.submission = path, data_root, read_submission(path)
        chosen = choose(self.submission.records, rows, path)
        fresh = _fresh(chosen)
        self.stale = fresh.count(False)
        chosen = drawn(chosen[fresh], sample)
        self.rows = [
            Published(int(index) + 1, line["value"], (), self._cell(line))
            for index, line in zip(chosen.index, chosen.to_dict("records"), strict=True)
        ]
        self._check_budgets(chosen["num_labels"].tolist())
        self.unverifiable = self._why_not()

    def checks(self, device: torch.device) -> Iterator[Check]:
        """Have the encoder made and its rows scored again.

        Raises:
            InputError: it cannot be made, or is not the one that was scored.
        """
        for dataset in dict.fromkeys(row.cell.dataset for row in self.rows):
            rows = [row for row in self.rows if row.cell.dataset == dataset]
            encoder = self._open(dataset, rows[0].cell.pretrain.latent_dim)
            with as_it_was(encoder):
                asked = self._ask(encoder, rows, device)
                for row in rows:
                    outcome = asked.score(row.cell)
                    yield Check(row, outcome.accuracy, images=len(outcome.right))

    def _open(self, dataset: str, latent_dim: int) -> Any:
        said, place = self.submission, self.submission.encoder
        if ".py:" in place or place.endswith(".safetensors"):
            place = str(self.path.parent / place)
        return open_encoder(
            place,
            dataset,
            architecture=said.architecture or None,
            latent_dim=latent_dim,
            made_for=said.made_for or None,
            data_root=self.data_root,
        )

    def _ask(self, encoder: Any, rows: Sequence[Published], device: torch.device) -> Asked:
        cell = rows[0].cell
        protocols, readings = ({getattr(row.cell, name): 0 for row in rows} for name in ("protocol", "reading"))
        data = load(cell.dataset, self.data_root)
        asked = ask(encoder, data, tuple(protocols), tuple(readings), self.submission.name, device)
        if asked.own != cell.pretrain:
            raise InputError(
                f"{self.path}: its encoder is {asked.own.encoder} with {asked.own.latent_dim} numbers, that of the "
                f"records {cell.pretrain.encoder} with {cell.pretrain.latent_dim}"
            )
        return asked

    def _cell(self, line: dict[Any, Any]) -> EvaluateCell:
        cell = cell_of(line)
        if cell.cell_id != line["cell_id"]:
            raise InputError(
                f"{self.path} line {self._line(line['cell_id'])}: cell_id must be {cell.cell_id} for what the other "
                "columns say; score it with the protocols' own settings"
            )
        return cell

    def _check_budgets(self, counts: Sequence[int]) -> None:
        """Hold shares and numbers of labels, one per row, against the subsets that our code draws."""
        data = {dataset: load(dataset, self.data_root) for dataset in {row.cell.dataset for row in self.rows}}
        for row, count in zip(self.rows, counts, strict=True):
            cell, labels = row.cell, data[row.cell.dataset].train_labels
            drawn_here = len(budget_of(cell, data[cell.dataset]).indices)
            share = (cell.labels_per_class or 0) * len(data[cell.dataset].classes) / len(labels)
            ours = {
                "num_labels": (drawn_here, count),
                "label_fraction": (share or cell.label_fraction, cell.label_fraction),
            }
            for column, (right, said) in ours.items():
                if right != said:
                    raise InputError(
                        f"{self.path} line {self._line(cell.cell_id)}: {column} must be {right}, not {said}"
                    )

    def _line(self, cell_id: str) -> int:
        lines = self.path.read_text(encoding="utf-8").splitlines()
        return next(number for number, line in enumerate(lines, start=1) if {cell_id, "test"} <= {*line.split(",")})

    def _why_not(self) -> str:
        place = self.submission.encoder
        if not place:
            return f"{self.path.with_suffix('.toml').name} says no encoder"
        if place.endswith(".safetensors") and not is_file(self.path.parent / place):
            return f"{place} does not lie beside it; {self.submission.url} may have it"
        return ""


def cell_of(line: dict[Any, Any]) -> EvaluateCell:
    """The evaluation that a record of an encoder of one's own says it is, with its protocol's own settings."""
    own = own_cell(line["dataset"], line["encoder"], line["pretext"], line["latent_dim"])
    budget = line["label_fraction"], line["labels_per_class"] or None
    config = PROTOCOLS.get(line["protocol"]).Config()
    return own_evaluation(own, budget, line["label_seed"], line["protocol"], config, line["reading"])


def _fresh(records: pd.DataFrame) -> list[bool]:
    """Of every record whether today's plug-ins computed it; those that are nobody's here always did."""
    now = current_versions()
    return [
        all(now.get((kind, line[kind]), line[column]) == line[column] for kind, column in VERSIONED)
        for line in records.to_dict("records")
    ]
