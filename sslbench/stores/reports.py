"""What stands above a suite's runs in MLflow, and its reports among them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME, MLFLOW_RUN_NOTE

from sslbench.contract.identity import digest
from sslbench.stores.tracker import Tracker

#: What begins the line above the runs that leads to the page, and what ends lines in Markdown.
LINK, BREAK = "[Tables and curves as a page]", "  \n"


def describe(tracker: Tracker, text: str) -> None:
    """Say above the runs of the suite what they are about, in Markdown; where its last page is stays there."""
    _note(tracker, [text, *(line for line in _noted(tracker) if line.startswith(LINK))])


def log_report(tracker: Tracker, folder: Path, files: Sequence[Path]) -> str:
    """Log what was published to a run of its own and return its id; the same tables again are the same run.

    Args:
        folder: where `files` are; they keep their places in it.
    """
    tables = {path.name: path.read_text(encoding="utf-8") for path in files if path.name.startswith("table.")}
    content = digest({"records": (folder / "records.csv").read_text(encoding="utf-8"), **tables})
    known = tracker.search(f"attributes.status = 'FINISHED' and tags.report_digest = '{content}'")
    run_id = str(known[0].info.run_id) if known else _kept(tracker, folder, files, content)
    place = f"#/experiments/{tracker.experiment_id}/runs/{run_id}/artifacts/report.html"
    _note(tracker, [*(line for line in _noted(tracker) if not line.startswith(LINK)), f"{LINK}({place})"])
    return run_id


def _kept(tracker: Tracker, folder: Path, files: Sequence[Path], content: str) -> str:
    client = tracker.client
    tags = {"kind": "report", "suite": tracker.suite, "report_digest": content, MLFLOW_RUN_NAME: "report"}
    run_id = str(client.create_run(tracker.experiment_id, tags=tags).info.run_id)
    for path in files:
        place = path.parent.relative_to(folder)
        client.log_artifact(run_id, str(path), None if place == Path() else str(place))
    client.set_terminated(run_id, "FINISHED")
    return run_id


def _noted(tracker: Tracker) -> list[str]:
    note = tracker.client.get_experiment(tracker.experiment_id).tags.get(MLFLOW_RUN_NOTE, "")
    return str(note).split(BREAK)


def _note(tracker: Tracker, lines: Sequence[str]) -> None:
    tracker.client.set_experiment_tag(tracker.experiment_id, MLFLOW_RUN_NOTE, BREAK.join(lines))
