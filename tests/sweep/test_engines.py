"""What an engine cannot do is said before any work starts."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from sslbench.commands.app import app
from sslbench.commands.serve import called
from sslbench.contract.errors import StoreLost
from sslbench.sweep.engines._base import Silent, StoreNews
from sslbench.sweep.news import Failure
from sslbench.sweep.shared import LOSSES, Shared

ROOT = Path(__file__).parents[2]


def run(tmp_path: Path, suite_file: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["run", str(suite_file), "--home", str(tmp_path / "home"), *arguments])
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--engine", "dask"), "unknown engine 'dask'; choose one of local, ray, slurm"),
        (("--engine-option", "cpus"), "--engine-option 'cpus' is not a NAME=VALUE of its own"),
        (("--engine-option", "a=1", "--engine-option", "a=2"), "--engine-option 'a=2' is not a NAME=VALUE of its own"),
        (("--engine-option", "cpus=1"), "engine 'local' has no option 'cpus'; choose one of none"),
        (("--engine", "slurm"), "engine 'slurm' needs --workers N: how many jobs it may submit"),
        (("--engine", "slurm", "--workers", "1", "--engine-option", "no_such=1"), "engine 'slurm': "),
        (("--engine", "ray", "--engine-option", "cpus=1"), "has no option 'cpus'; choose one of num_cpus, num_gpus"),
        (("--engine", "ray", "--engine-option", "num_gpus=many"), "engine 'ray': num_gpus 'many' is not a number"),
        (("--engine", "ray", "--engine-option", "num_cpus=nan"), "engine 'ray': num_cpus 'nan' is not a number"),
        (("--engine", "ray", "--engine-option", "num_cpus=0"), "engine 'ray': num_cpus must be greater than 0"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, suite_file: Path, arguments: tuple[str, ...], message: str) -> None:
    code, told = run(tmp_path, suite_file, *arguments)
    assert code == 2, told
    assert message in told
    assert "Traceback" not in told


def test_what_needs_an_extra_names_it(tmp_path: Path, suite_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "sslbench.sweep.engines.on_ray", raising=False)
    code, told = run(tmp_path, suite_file, "--engine", "ray")
    assert code == 2
    assert "engine 'ray' needs an extra: pip install 'sslbench[ray]'" in told


def test_the_files_for_containers_name_commands_that_are() -> None:
    compose = yaml.safe_load((ROOT / "benchmarks" / "cluster" / "compose.yaml").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "many-machines.md").read_text(encoding="utf-8")
    job = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    (container,) = job["spec"]["template"]["spec"]["containers"]
    services = compose["services"].values()
    ours = [one["command"].split() for one in services if one["image"] == "sslbench" and "entrypoint" not in one]
    assert len(ours) == 2
    for line in [*ours, container["args"]]:
        told = CliRunner().invoke(app, [line[0], "--help"]).output
        assert all(option in told for option in line if option.startswith("--")), line


def test_a_store_that_was_given_up_is_not_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    shared, calls = Shared.__new__(Shared), list[str]()
    monkeypatch.setattr(Shared, "_tidy", lambda _: calls.append("tidied"))
    with pytest.raises(StoreLost), shared.tidied():
        raise StoreLost("gone")
    assert calls == []
    with pytest.raises(KeyboardInterrupt), shared.tidied():
        raise KeyboardInterrupt
    assert calls == ["tidied"]


def test_who_loses_its_store_again_and_again_and_nobody_does_anything_gives_up() -> None:
    tried, done = [], iter([0, 0, 1, *[1] * 99])

    class Unlucky:
        def run(self, _: object) -> None:
            tried.append(1)
            raise StoreLost("away")

    shared = Shared.__new__(Shared)
    shared.__dict__ |= {"worker": lambda _: Unlucky(), "done": lambda: next(done)}
    shared.__dict__ |= {"release": lambda: None, "top_up": lambda: None}
    with pytest.raises(StoreLost, match="away"):
        shared._work(Silent(), lambda: False)
    assert len(tried) == 2 + LOSSES + 1, "what was lost before somebody did something counts no more"


def test_what_failed_since_the_last_look_is_told_at_the_end() -> None:
    failed: list[dict[str, str]] = []
    tracker = SimpleNamespace(failures=lambda: list(failed))
    queue = SimpleNamespace(at_work=list)
    shared: Any = SimpleNamespace(pretrain=queue, evaluate=queue, tracker=tracker)
    news = StoreNews()
    assert news.look(shared).failed == ()
    failed.append({"run_id": "a", "mlflow.runName": "a cell", "error": "memory is full"})
    assert news.look(shared).failed == (), "the store was asked a moment ago"
    assert news.look(shared, last=True).failed == (Failure("a cell", "memory is full"),)


def test_a_machine_answers_to_all_its_names() -> None:
    names = called("db.example.org")
    assert names[0] == "db.example.org"
    assert {socket.gethostname(), "localhost", "127.0.0.1"} <= set(names)
    assert called("fd00::2")[0] == "[fd00::2]"
