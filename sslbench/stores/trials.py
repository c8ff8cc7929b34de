"""A tuning as MLflow shows it: experiment `<suite>-tune`, a run per arm, nested in it a run per trial."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Param
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

from sslbench import __version__
from sslbench.contract.provenance import git_commit
from sslbench.stores.addresses import Stores
from sslbench.stores.tracker import Tracker


class TuningRuns:
    """Writes the runs of one suite's tuning.

    Args:
        suite: its name.
        stores: prepared.
    """

    def __init__(self, suite: str, stores: Stores) -> None:
        self.suite = suite
        self.tracker = Tracker(stores.tracking_uri, f"{suite}-tune", stores.artifact_root)
        self.client: MlflowClient = self.tracker.client

    def open_arm(self, study: str, arm: str, facts: Mapping[str, object]) -> str:
        """The run of an arm, opened again if an interrupted tuning left one; returns its id.

        Args:
            study: name of the Optuna study, which identifies what is tuned and how.
            facts: the budget, as parameters.
        """
        where = f"tags.study = '{study}' and tags.kind = 'tune'"
        known = self.client.search_runs([self.tracker.experiment_id], where)
        if known:
            run_id = str(known[0].info.run_id)
            self.client.update_run(run_id, "RUNNING")
            return run_id
        return self._create(arm, {"kind": "tune", "study": study, "pretext": arm}, facts)

    def open_trial(self, parent: str, study: str, arm: str, number: int, settings: Mapping[str, object]) -> str:
        """The run of an arm's trial; returns its id."""
        tags = {"kind": "trial", "study": study, "pretext": arm, "trial": str(number), MLFLOW_PARENT_RUN_ID: parent}
        return self._create(f"{arm} trial {number}", tags, settings)

    def _create(self, name: str, tags: Mapping[str, str], params: Mapping[str, object]) -> str:
        own = {"suite": self.suite, "git_commit": git_commit(), "sslbench_version": __version__, MLFLOW_RUN_NAME: name}
        run_id = str(self.client.create_run(self.tracker.experiment_id, tags={**tags, **own}).info.run_id)
        self.client.log_batch(run_id, params=[Param(key, str(value)) for key, value in params.items()])
        return run_id

    def log_point(self, run_id: str, step: int, values: Mapping[str, float]) -> None:
        """Log where a trial is after a stretch."""
        self.tracker.log_points(run_id, [(step, values)])

    def close(self, run_id: str, metrics: Mapping[str, float], tags: Mapping[str, str]) -> None:
        """Log what a trial or an arm came to and close its run."""
        self.tracker.finish(run_id, metrics, tags)

    def log_files(self, run_id: str, folder: Path) -> None:
        """Log everything below a folder as artifacts."""
        self.tracker.log_files(run_id, folder)

    def bury(self) -> None:
        """Close what a tuning that died left open; call only while none runs."""
        self.tracker.kill_orphans()
