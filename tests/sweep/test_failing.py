"""What goes wrong in a cell ends that cell, with the reason in MLflow and in the table, and not the sweep."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow import MlflowClient

from sslbench.report.records import read_records
from tests.forked import command

#: Files of processes may have so many bytes: Linux refuses the rest as it does when a disk is full.
ROOM = 4 * 2**20

SUITE_FILE = f'''"""Three pretexts in which something goes wrong, and one in which nothing does."""
import resource

import torch

from sslbench.contract.spec import Suite
from sslbench.pretexts import PRETEXTS, Pretext

resource.setrlimit(resource.RLIMIT_FSIZE, ({ROOM}, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


class Failing(Pretext):
    """One linear map."""

    def __init__(self, encoder, config, input_spec):
        super().__init__(encoder, config, input_spec)
        self.scale = torch.nn.Parameter(torch.ones(()))

    def forward(self, batch):
        return self.scale * self.encoder(batch).square().mean()


@PRETEXTS.register("greedy")
class Greedy(Failing):
    def forward(self, batch):
        return super().forward(batch) + torch.empty(10**15).mean()


@PRETEXTS.register("diverging")
class Diverging(Failing):
    def forward(self, batch):
        return super().forward(batch) * float("nan")


@PRETEXTS.register("bulky")
class Bulky(Failing):
    def __init__(self, encoder, config, input_spec):
        super().__init__(encoder, config, input_spec)
        self.encoder.ballast = torch.nn.Parameter(torch.zeros({ROOM} // 4))


SUITE = Suite(
    name="failing", datasets=("digits",), encoders=("conv",), latent_dims=(8,), seeds=(0,), epochs=0.2,
    pretexts=("greedy", "diverging", "bulky", "rotation"), label_fractions=(0.05,), protocols=("knn",),
)
'''

REASONS = {
    "greedy": "Cannot allocate memory",
    "diverging": "the loss became nan at step 1",
    "bulky": "OSError: [Errno 27] File too large",
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    place = tmp_path_factory.mktemp("failing")
    (place / "failing.py").write_text(SUITE_FILE)
    return place, command(
        "run", str(place / "failing.py"), "--workers=1", "--device=cpu", f"--home={place / 'home'}"
    ).ends(1)


def test_the_reasons_are_told_and_no_traceback(ran: tuple[Path, str]) -> None:
    told = " ".join(ran[1].split())
    for reason in REASONS.values():
        assert reason in told
    assert "Traceback" not in told


def test_the_reasons_are_in_mlflow(ran: tuple[Path, str]) -> None:
    client = MlflowClient(f"sqlite:///{ran[0] / 'home' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("failing")
    assert experiment is not None
    failed = client.search_runs([experiment.experiment_id], "attributes.status = 'FAILED'")
    errors = {run.data.tags["pretext"]: run.data.tags["error"] for run in failed}
    assert errors.keys() == REASONS.keys()
    assert all(reason in errors[pretext] for pretext, reason in REASONS.items()), errors


def test_the_reasons_are_in_the_table_beside_what_went_well(ran: tuple[Path, str]) -> None:
    folder = ran[0] / "home" / "results" / "failing"
    records = read_records(folder / "records.csv")
    assert set(records.loc[records["split"] == "test", "pretext"]) == {"rotation"}
    table = (folder / "table.md").read_text(encoding="utf-8")
    assert "Unfinished: 3 of the 4 evaluations of the suite have no record yet." in table
    assert "Failed: 3 cells, for: " in table
    for reason in REASONS.values():
        assert reason in table


def test_who_watches_is_told_and_does_not_wait_for_ever(ran: tuple[Path, str]) -> None:
    told = command("watch", str(ran[0] / "failing.py"), f"--home={ran[0] / 'home'}").ends(1)
    assert "failed: greedy" in told
    assert "2 of 8 cells done" in told


def test_a_later_run_tries_them_again(ran: tuple[Path, str]) -> None:
    told = command("run", str(ran[0] / "failing.py"), "--dry-run", f"--home={ran[0] / 'home'}").ends()
    assert all(pretext in told for pretext in REASONS)
