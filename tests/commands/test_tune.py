"""`sslbench tune` on the command line."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from typer.testing import CliRunner

from sslbench.commands.app import app
from tests.tuning.test_session import SUITE_FILE


def invoke(folder: Path, *arguments: str, suite_file: str = SUITE_FILE) -> tuple[int, str]:
    """Exit code and everything printed of `sslbench tune FILE ARGUMENTS`, its lines unwrapped."""
    (folder / "tiny.py").write_text(suite_file)
    places = ["--home", str(folder / "home"), "--data-root", str(folder / "data"), "--device", "cpu"]
    result = CliRunner().invoke(app, ["tune", str(folder / "tiny.py"), *places, *arguments])
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--trials", "0"), "--trials must be greater than or equal to 1, not 0"),
        (("--epochs", "-1"), "--epochs must be greater than 0, not -1.0"),
        (("--criterion", "test_accuracy"), "unknown criterion 'test_accuracy'; choose one of budget_cv, label_free"),
        (("--pretext", "simclrr"), "unknown pretext 'simclrr'; choose one of majority_class, "),
        (("--pretext", "random_init"), "baseline 'random_init' has no settings to tune; choose a pretext or"),
        (("--fraction", "2"), "label_fractions must be less than or equal to 1, not 2.0"),
        (("--dataset", "minst"), "unknown dataset 'minst'; choose one of fashion_mnist, "),
        (("--encoder", "cnov"), "unknown encoder 'cnov'; choose one of"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    code, output = invoke(tmp_path, *arguments)
    assert code == 2
    assert message in output
    assert "Traceback" not in output


def test_a_dry_run_shows_arms_ranges_and_budget_and_a_run_ends_with_the_ledger(tmp_path: Path) -> None:
    chosen = ("--trials", "2", "--fraction", "0.1", "--pretext", "supervised")
    code, output = invoke(tmp_path, *chosen, "--dry-run")
    assert code == 0
    assert "every arm: 2 trials of 1 epochs (pruned ones count), mlp d=8 on digits, judged by budget_cv" in output
    assert "the winners serve label budgets of 130 to 1,300" in output
    assert "supervised: 0 of 2 trials done optimizer.learning_rate [0.0001, 0.03], log, starts at 0.01" in output
    assert not (tmp_path / "settings").exists()
    code, output = invoke(tmp_path, *chosen)
    assert code == 0
    assert "supervised trial 2/2: " in output
    assert "tuned arm score untuned trials completed epochs seconds samples compute supervised 0." in output
    assert "plots of every arm: artifacts of its run in MLflow's experiment tiny-tune (sslbench ui tiny-tune)" in output
    assert (tmp_path / "settings" / "tiny.json").is_file()
    storage = f"sqlite:///{tmp_path / 'home' / 'optuna.db'}"
    (study,) = optuna.get_all_study_names(storage)
    assert optuna.load_study(study_name=study, storage=storage).metric_names == ["budget_cv"]
    assert "supervised: 2 of 2 trials done" in invoke(tmp_path, *chosen, "--dry-run")[1]


def test_help_says_what_is_never_looked_at_and_gives_examples() -> None:
    result = CliRunner().invoke(app, ["tune", "--help"])
    output = " ".join(result.output.split())
    assert result.exit_code == 0
    assert "never looking at the test split" in output
    assert "sslbench tune quick --dry-run" in output
    assert "serve label budgets from the one they were tuned on to ten times as many" in output


def test_settings_found_without_labels_serve_every_budget(tmp_path: Path) -> None:
    code, output = invoke(tmp_path, "--criterion", "label_free", "--pretext", "autoencoder", "--dry-run")
    assert code == 0
    assert "the winners serve label budgets of 1 to 1,297" in output


def test_a_suite_that_counts_steps_is_asked_how_long_a_trial_is(tmp_path: Path) -> None:
    counted = SUITE_FILE.replace("epochs=1", "steps=5")
    code, output = invoke(tmp_path, "--dry-run", suite_file=counted)
    assert code == 2
    assert "suite 'tiny' says no epochs; say with --epochs how long a trial is" in output
    code, output = invoke(tmp_path, "--fraction", "0.1", "--epochs", "2", "--dry-run", suite_file=counted)
    assert code == 0
    assert "20 trials of 2 epochs" in output


def test_ctrl_c_says_that_finished_trials_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sslbench.tuning.arms.SupervisedArm._answer", interrupted)
    code, output = invoke(tmp_path, "--trials", "2", "--fraction", "0.1", "--pretext", "supervised")
    assert code == 130
    assert "interrupted; finished trials are kept, run again to continue" in output
    monkeypatch.undo()
    code, output = invoke(tmp_path, "--trials", "2", "--fraction", "0.1", "--pretext", "supervised")
    assert code == 0
    assert "supervised trial 1/2: " in output
