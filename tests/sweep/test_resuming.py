"""A worker that is killed in the middle of a training leaves it to the next, which goes on from its last checkpoint."""

from __future__ import annotations

import dataclasses
import signal
from pathlib import Path

from mlflow.entities import Run

from sslbench.contract.record import Record
from sslbench.stores.addresses import locate
from sslbench.stores.tracker import Tracker
from tests.forked import Forked, command

SUITE = '''"""One training of ten steps, scored after the first and after the fifth."""
from sslbench.contract.spec import Suite

SUITE = Suite(
    name="long", datasets=("digits",), encoders=("conv",), pretexts=("moco",), latent_dims=(8,), seeds=(0,), epochs=2,
    label_fractions=(0.05,), protocols=("knn",), checkpoints=(0.2, 1),
)
'''

#: A checkpoint at every report; at the third one it dies, the first time behind it, the second time while it writes it.
DIES_TWICE = """
import os
import signal
from pathlib import Path

from sslbench.stores.tracker import Tracker
from sslbench.sweep import trainer

trainer.CHECKPOINT_SECONDS = 0.0
write, died = Tracker.log_checkpoint, Path(__file__).with_name("died")


def log_checkpoint(tracker, run_id, content, number):
    deaths = len(died.read_text())
    dies = number == 2 and deaths < 2
    write(tracker, run_id, content[: len(content) // 2] if dies and deaths else content, number)
    if dies:
        died.write_text("x" * (deaths + 1))
        os.kill(os.getpid(), signal.SIGKILL)


Tracker.log_checkpoint = log_checkpoint
"""


def work(place: Path, *more: str) -> Forked:
    """A worker on the suite."""
    places = (f"--home={place / 'home'}", f"--data-root={place / 'data'}", "--device=cpu")
    return command("worker", str(place / "long.py"), *places, *more)


def opened(place: Path) -> tuple[Tracker, list[Run]]:
    """The runs, and those of the training, the first one first."""
    stores = locate(place / "home")
    tracker = Tracker(stores.tracking_uri, "long", stores.artifact_root)
    order = ["attributes.start_time ASC"]
    return tracker, list(tracker.client.search_runs([tracker.experiment_id], "tags.kind = 'pretrain'", order_by=order))


def outcomes(tracker: Tracker) -> list[Record]:
    """All that does not depend on when and where."""
    rows = [
        dataclasses.replace(row, run_id="", started_at="", pretrain_seconds=0.0, evaluate_seconds=0.0, git_commit="")
        for row in tracker.records(tracker.finished())
    ]
    return sorted(rows, key=lambda row: (row.metric, row.split, row.cell_id))


def curve(tracker: Tracker, run: Run) -> list[tuple[int, float]]:
    points = tracker.client.get_metric_history(run.info.run_id, "loss")
    return sorted((point.step, point.value) for point in points)


def test_a_killed_training_goes_on_from_its_last_checkpoint_and_ends_the_same(tmp_path: Path) -> None:
    quiet, killed = tmp_path / "quiet", tmp_path / "killed"
    for place in (quiet, killed):
        place.mkdir()
        (place / "long.py").write_text(SUITE)
    work(quiet).ends()
    (killed / "dies.py").write_text(DIES_TWICE)
    (killed / "died").write_text("")
    for status in (-signal.SIGKILL, -signal.SIGKILL, 0):
        work(killed, f"--plugin={killed / 'dies.py'}").ends(status)
    undisturbed, (only,) = opened(quiet)
    tracker, (first, second, third) = opened(killed)
    assert outcomes(tracker) == outcomes(undisturbed)
    assert "accuracy_after_0.2_epochs" in {row.metric for row in outcomes(tracker)}, "scored by the first, which died"
    assert [run.info.status for run in (first, second, third)] == ["KILLED", "KILLED", "FINISHED"]
    told = [run.data.tags.get("resumed_from") for run in (first, second, third, only)]
    assert told == [None, first.info.run_id, second.info.run_id, None]
    assert curve(tracker, second)[-1][0] == 6, "which was spoilt, so that it went on from the fifth step"
    assert [step for step, _ in curve(tracker, third)] == list(range(1, 11))
    assert curve(tracker, third) == curve(undisturbed, only)
    left = [path for place in (quiet, killed) for path in (place / "home").rglob("*.safetensors")]
    assert {path.name for path in left} == {"encoder.safetensors"}
