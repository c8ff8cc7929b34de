"""Runs of a suite read back from MLflow: what is done, what failed, records, artifacts."""

from __future__ import annotations

import gc
import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.entities import Run, ViewType
from mlflow.exceptions import MlflowException

from sslbench.contract.errors import StoreLost, one_line
from sslbench.contract.record import Record
from sslbench.stores.answers import artifacts
from sslbench.stores.finished import finished_cells
from sslbench.stores.models import model_of
from sslbench.stores.readback import PUBLISHED_RUN, evaluation_records, pretraining_records

PAGE = 5000

#: Folder of artifacts of a pretraining that is not finished: from what it can go on.
CHECKPOINTS = "checkpoint"

#: The weights that a pretraining keeps, and the tag that says which bytes these are (not of runs of before).
ENCODER_FILE, ENCODER_DIGEST = "encoder.safetensors", "encoder_sha256"


def digest_of(content: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


class ArtifactLost(Exception):
    """What a finished run kept is gone or damaged, so that its cell is to be done again."""


class Pretrained(NamedTuple):
    """What evaluations need to know of a finished pretraining: its costs among its metrics, and its model's id."""

    metrics: dict[str, float]
    model_id: str | None


class Runs:
    """Finished and failed runs of one suite's experiment."""

    client: MlflowClient
    tracking_uri: str
    experiment_id: str

    def search(self, where: str) -> list[Run]:
        """All that fit an MLflow filter, the first begun first."""
        found: list[Run] = []
        token: str | None = None
        with _collection_paused():
            while True:
                page = self.client.search_runs(
                    [self.experiment_id], where, ViewType.ACTIVE_ONLY, PAGE, ["attributes.start_time ASC"], token
                )
                found.extend(page)
                token = page.token
                if not token:
                    return found

    def finished(self) -> dict[str, str]:
        """Identity of every finished cell, and the id of its (first) run."""
        read = finished_cells(self.tracking_uri, self.experiment_id)
        return self.finished_by_search() if read is None else read

    def finished_by_search(self) -> dict[str, str]:
        """The same through MLflow's interface, for stores whose tables are out of reach."""
        done: dict[str, str] = {}
        for run in self.search("attributes.status = 'FINISHED'"):
            done.setdefault(run.data.tags.get("cell_id", ""), run.info.run_id)
        done.pop("", None)
        return done

    def finished_run(self, cell_id: str) -> str | None:
        """The id of the (first) finished run of a cell; None if it is not done."""
        where = f"attributes.status = 'FINISHED' and tags.cell_id = '{cell_id}'"
        found = self.client.search_runs(
            [self.experiment_id], where, max_results=1, order_by=["attributes.start_time ASC"]
        )
        return str(found[0].info.run_id) if found else None

    def pretrained(self, run_id: str) -> Pretrained:
        """A finished pretraining: seconds, samples, FLOPs and parameters are among its metrics."""
        run = self.client.get_run(run_id)
        return Pretrained(dict(run.data.metrics), model_of(run))

    def published_evaluations(self) -> set[str]:
        """Identities of evaluations that were taken from published results."""
        return {run.data.tags["cell_id"] for run in self._published("evaluate")}

    def _published(self, kind: str) -> list[Run]:
        return self.search(f"attributes.status = 'FINISHED' and tags.kind = '{kind}' and tags.{PUBLISHED_RUN} != ''")

    def failures(self) -> list[Mapping[str, str]]:
        """Tags, and the id as `run_id`, of the last failed run of every cell that has no finished one."""
        done = self.finished()
        failed = self.search("attributes.status = 'FAILED'")
        last = {run.data.tags["cell_id"]: run for run in failed if "cell_id" in run.data.tags}
        return [{**run.data.tags, "run_id": run.info.run_id} for cell_id, run in last.items() if cell_id not in done]

    def pictures(self, run_id: str) -> dict[str, bytes]:
        """The pictures a pretraining left, by name."""
        files = [Path(item.path) for item in self.client.list_artifacts(run_id, "pictures")]
        return {path.stem: self.artifact(run_id, str(path)) for path in files if path.suffix == ".png"}

    def artifact(self, run_id: str, name: str) -> bytes:
        """One artifact of a run; no copy of it stays behind.

        Raises:
            ArtifactLost: there is none.
            StoreLost: it is there and could not be read, which MLflow does not tell apart.
        """
        try:
            with tempfile.TemporaryDirectory() as folder:
                return Path(self.client.download_artifacts(run_id, name, folder)).read_bytes()
        except (MlflowException, OSError) as error:
            above = str(PurePosixPath(name).parent)
            there = self.client.list_artifacts(run_id, None if above == "." else above)
            kind = StoreLost if any(item.path == name for item in there) else ArtifactLost
            raise kind(f"{name} of run {run_id}: {one_line(str(error))}") from error

    def encoder(self, run_id: str) -> bytes:
        """The weights that a finished pretraining kept.

        Raises:
            ArtifactLost: they are gone, or not those that it kept.
        """
        content = self.artifact(run_id, ENCODER_FILE)
        kept = self.client.get_run(run_id).data.tags.get(ENCODER_DIGEST)
        if kept not in (None, digest_of(content)):
            raise ArtifactLost(f"{ENCODER_FILE} of run {run_id} has another digest than was kept")
        return content

    def checkpoints(self, cell_id: str) -> Iterator[tuple[str, bytes]]:
        """Checkpoints of a pretraining that were left unfinished, the latest run's first, each with its run's id.

        None of before a run that failed: going on from there would fail again.
        """
        for run in reversed(self._pretraining_runs(cell_id)):
            if run.info.status == "FAILED":
                return
            for item in self._checkpoint_files(run):
                with suppress(ArtifactLost):
                    yield run.info.run_id, self.artifact(run.info.run_id, item)

    def _pretraining_runs(self, cell_id: str) -> list[Run]:
        return self.search(f"tags.kind = 'pretrain' and tags.cell_id = '{cell_id}'")

    def _checkpoint_files(self, run: Run) -> list[str]:
        return [item.path for item in self.client.list_artifacts(run.info.run_id, CHECKPOINTS)]

    def artifacts(self, run_ids: Iterable[str], name: str) -> dict[str, bytes]:
        """One artifact of many runs, by run; runs without it are left out."""
        return artifacts(self.client, self.experiment_id, run_ids, name)

    def records(self, cell_ids: Iterable[str] | None = None) -> list[Record]:
        """Every finished evaluation as records, one per metric; the first run of a cell counts.

        Args:
            cell_ids: which cells; None for all of the suite's experiment.
        """
        wanted = None if cell_ids is None else set(cell_ids)
        seen: set[str] = set()
        rows: list[Record] = []
        for run in self.search("attributes.status = 'FINISHED' and tags.kind = 'evaluate'"):
            cell_id = run.data.tags["cell_id"]
            if cell_id in seen or (wanted is not None and cell_id not in wanted):
                continue
            seen.add(cell_id)
            rows += evaluation_records(run)
        return rows + self._pretrainings({row.cell_id for row in rows} if wanted is None else wanted)

    def _pretrainings(self, wanted: set[str]) -> list[Record]:
        """Label-free measures and checkpoints of the pretrainings in `wanted`."""
        seen: set[str] = set()
        rows: list[Record] = []
        for run in self.search("attributes.status = 'FINISHED' and tags.kind = 'pretrain'"):
            cell_id = run.data.tags["cell_id"]
            if cell_id in seen or cell_id not in wanted:
                continue
            seen.add(cell_id)
            rows += pretraining_records(run)
        return rows


@contextmanager
def _collection_paused() -> Iterator[None]:
    """No search for garbage meanwhile: while many objects are made to stay, it walks all of them again and again."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
