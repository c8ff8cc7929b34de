"""Tuning is fair, repeatable, and blind to the test split and to labels outside its budget.

Longer than other files because one finished tuning, which takes a while, serves all of it.
"""

from __future__ import annotations

import copy
import dataclasses
import math
import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from mlflow import MlflowClient

from sslbench.contract.identity import named_seed
from sslbench.contract.settings import TunedArm, Tuning, configure, declared, read_tuning, with_tuning, write_tuning
from sslbench.contract.spec import InputError
from sslbench.datasets import load
from sslbench.datasets._base import Dataset
from sslbench.engine.budget import draw_budget
from sslbench.engine.evaluate import represent
from sslbench.engine.pretrain import TrainingError, build
from sslbench.numerics.diagnostics import rankme
from sslbench.pretexts import PRETEXTS
from sslbench.protocols import PROTOCOLS
from sslbench.protocols.finetune import FinetuneConfig
from sslbench.stores.addresses import locate
from sslbench.sweep import suites
from sslbench.sweep.asked import Request, Selection
from sslbench.sweep.cells import Source
from sslbench.tuning import session
from sslbench.tuning.arms import Stretch
from sslbench.tuning.criteria import CRITERIA, Sight
from sslbench.tuning.request import TuneRequest, blindfold, prepare_tuning
from sslbench.tuning.study import News
from tests.conftest import CPU, pretrain_cell

SUITE_FILE = '''"""Tuned in seconds: five steps of each training."""
from sslbench.contract.spec import Suite

SUITE = Suite(
    name="tiny",
    datasets=("digits",),
    encoders=("mlp",),
    pretexts=("majority_class", "random_init", "supervised", "autoencoder", "colorization"),
    latent_dims=(8,),
    seeds=(0,),
    epochs=1,
    num_unlabelled=320,
    label_fractions=(0.05,),
    settings={"finetune": {"min_steps": 5, "max_steps": 5}, "autoencoder": {"optimizer.batch_size": 64}},
)
'''
TRIALS = 8
ARMS = ("autoencoder", "supervised")


PLACE = Selection(label_fractions=(0.1,), seeds=(0,))


def permuted(labels: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Labels with those at the positions `where` shuffled among themselves; surely not as before."""
    changed = labels.clone()
    changed[where] = labels[where.roll(1)]
    assert not torch.equal(changed, labels)
    return changed


def request(folder: Path, selection: Selection = PLACE, **changes: object) -> TuneRequest:
    path = folder / "tiny.py"
    if not path.exists():
        path.write_text(SUITE_FILE)
    at = Request(str(path), selection, locate(folder / "home"), folder / "data", "cpu")
    return dataclasses.replace(TuneRequest(at, TRIALS), **changes)


def only(*pretexts: str) -> Selection:
    """These arms, tuned at the usual place."""
    return dataclasses.replace(PLACE, pretexts=pretexts)


def tuned(
    folder: Path, show: Callable[[News], None] = lambda _: None, selection: Selection = PLACE, **changes: object
) -> Tuning:
    return session.run(prepare_tuning(request(folder, selection, **changes)), show)


def outcome(tuning: Tuning) -> dict[str, TunedArm]:
    """Everything that was found, down to the last bit; only the clock may differ."""
    return {name: dataclasses.replace(arm, seconds=0.0) for name, arm in tuning.arms.items()}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tuning, list[News]]:
    """A tuning run without interruption: its folder, what it found and what it told."""
    folder = tmp_path_factory.mktemp("finished")
    told: list[News] = []
    return folder, tuned(folder, told.append), told


@pytest.fixture
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "draw_study", lambda *_: [])


# Fairness


def test_every_arm_got_the_same_budget_and_the_ledger_shows_it(finished: tuple[Path, Tuning, list[News]]) -> None:
    _, tuning, told = finished
    assert tuple(tuning.arms) == ARMS
    assert {(arm.trials, arm.epochs) for arm in tuning.arms.values()} == {(TRIALS, 1.0)}
    for name, arm in tuning.arms.items():
        ended = [news.ended for news in told if news.arm == name and news.ended is not None]
        assert len(ended) == TRIALS
        assert arm.completed == ended.count("completed")
        assert arm.seconds > 0
        assert arm.flops > 0
    labels = len(draw_budget("digits", digits_labels(), 0.1, 0).indices)
    assert tuning.budget.num_labels == tuning.budget.serves_from == labels
    assert tuning.budget.serves_to == 10 * labels


def digits_labels() -> torch.Tensor:
    return load("digits", Path()).train_labels


def test_pruned_trials_count_and_cost_less(finished: tuple[Path, Tuning, list[News]]) -> None:
    _, tuning, told = finished
    pruned = [news for news in told if news.ended == "pruned"]
    assert pruned
    assert all(news.share < 1 and news.number >= 5 for news in pruned)
    for name, per_trial in (("autoencoder", 5 * 64), ("supervised", 5 * sum(fold_sizes(130)))):
        saved = sum(1 - news.share for news in pruned if news.arm == name)
        assert tuning.arms[name].samples == pytest.approx(per_trial * (TRIALS - saved), rel=0.02)


def fold_sizes(labels: int) -> list[int]:
    """Batch of each of five folds: four fifths of the labels, at most the batch size."""
    return [min(FinetuneConfig().optimizer.batch_size, labels - labels // 5)] * 5


def test_the_winner_is_at_least_as_good_as_the_suites_own_settings(finished: tuple[Path, Tuning, list[News]]) -> None:
    for arm in finished[1].arms.values():
        assert arm.default_score is not None
        assert arm.score >= arm.default_score


def test_an_arm_that_does_not_suit_the_data_is_left_out_with_the_reason(tmp_path: Path) -> None:
    prepared = prepare_tuning(request(tmp_path))
    assert prepared.left_out == {"colorization": "needs colour images; these are grey"}
    with pytest.raises(InputError, match="'colorization' cannot be tuned: needs colour"):
        prepare_tuning(request(tmp_path, only("colorization")))


def test_two_places_of_a_suite_are_not_tuned_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tuning takes one dataset, encoder, latent size, label fraction and seed"):
        prepare_tuning(request(tmp_path, dataclasses.replace(PLACE, latent_dims=(8, 16))))


def test_a_loss_that_is_no_number_ends_a_pretext_and_says_what_it_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> float:
        raise TrainingError("the representation is not finite")

    monkeypatch.setattr("sslbench.tuning.criteria.BudgetCV.score", broken)
    (study,) = prepare_tuning(request(tmp_path, only("autoencoder"))).studies
    (end,) = study.arm.stretches(study.arm.config)
    assert math.isnan(end.score)
    assert (end.share, end.samples) == (0.2, 64)
    assert end.seconds > 0
    assert end.flops > 0


def test_supervised_trains_as_many_steps_as_the_suite_gives_it(tmp_path: Path) -> None:
    whole, half = (prepare_tuning(request(tmp_path, epochs=epochs)).studies[0].arm for epochs in (None, 0.4))
    assert (whole.name, whole.config.steps(130), half.config.steps(130)) == ("supervised", 5, 2)


# Honesty


def test_test_labels_and_labels_outside_the_budget_change_nothing(
    finished: tuple[Path, Tuning, list[News]], tmp_path: Path, no_plots: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits = load("digits", tmp_path)
    budget = draw_budget("digits", digits.train_labels, 0.1, named_seed("tuning", 0))
    outside = torch.ones(len(digits.train_labels), dtype=torch.bool)
    outside[budget.indices] = False
    changed = dataclasses.replace(
        digits,
        train_labels=permuted(digits.train_labels, outside.nonzero().flatten()),
        test_labels=permuted(digits.test_labels, torch.arange(500)),
        test_inputs=digits.test_inputs.flip(0),
    )
    monkeypatch.setattr("sslbench.sweep.request.load", lambda *_: changed)
    # The budget is drawn per class, so other labels outside it would draw another one.
    monkeypatch.setattr("sslbench.tuning.request.draw_budget", lambda *_: budget)
    few = {"trials": 4, "settings_file": tmp_path / "few.json"}
    assert outcome(tuned(tmp_path, **few)) == outcome(tuned(finished[0], **few))


def test_a_blindfolded_dataset_holds_nothing_but_the_budget(digits: Dataset) -> None:
    blind = blindfold(digits, 0.1, 5)
    budget = draw_budget("digits", digits.train_labels, 0.1, 5).indices
    for inputs, labels in ((blind.train_inputs, blind.train_labels), (blind.test_inputs, blind.test_labels)):
        assert torch.equal(inputs, digits.train_inputs[budget])
        assert torch.equal(labels, digits.train_labels[budget])


# Repeating and going on


def stop(news: News, arm: str, number: int, how: Callable[[], None]) -> None:
    if (news.arm, news.number) == (arm, number) and news.ended is None:
        how()


def interrupt() -> None:
    raise KeyboardInterrupt


def kill_oneself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def tune_and_die(folder: Path) -> None:
    """What the victim of `kill -9` does."""
    tuned(folder, lambda news: stop(news, "autoencoder", 2, kill_oneself))


def test_interrupted_and_killed_it_goes_on_to_the_same_winner(
    finished: tuple[Path, Tuning, list[News]], tmp_path: Path, no_plots: None
) -> None:
    with pytest.raises(KeyboardInterrupt):
        tuned(tmp_path, lambda news: stop(news, "supervised", 7, interrupt))
    victim = multiprocessing.get_context("spawn").Process(target=tune_and_die, args=(tmp_path,))
    victim.start()
    victim.join()
    assert victim.exitcode == -signal.SIGKILL
    assert not (tmp_path / "settings").exists()
    told: list[News] = []
    assert outcome(tuned(tmp_path, told.append)) == outcome(finished[1])
    ended = [(news.arm, news.number) for news in told if news.ended is not None]
    assert ended == [("autoencoder", number) for number in range(2, TRIALS)]
    states = {run.info.status for run in runs_of(tmp_path, "trial")}
    assert states == {"FINISHED", "KILLED"}


def test_fewer_trials_than_done_take_the_first_and_run_nothing(
    finished: tuple[Path, Tuning, list[News]], tmp_path: Path, no_plots: None
) -> None:
    told: list[News] = []
    few = tuned(finished[0], told.append, trials=3, settings_file=tmp_path / "few.json")
    assert told == []
    assert {arm.trials for arm in few.arms.values()} == {3}
    assert all(few.arms[name].default_score == finished[1].arms[name].default_score for name in ARMS)


def test_another_seed_asks_other_questions(
    finished: tuple[Path, Tuning, list[News]], tmp_path: Path, no_plots: None
) -> None:
    other = tuned(tmp_path, selection=dataclasses.replace(only("supervised"), seeds=(1,)), trials=2)
    assert other.arms["supervised"].default_score != finished[1].arms["supervised"].default_score


def test_two_tunings_of_a_suite_in_one_store_are_refused(tmp_path: Path, no_plots: None) -> None:
    def meanwhile(_: News) -> None:
        with pytest.raises(InputError, match="already being tuned"):
            tuned(tmp_path, selection=only("supervised"), trials=1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuned(tmp_path, meanwhile, only("supervised"), trials=1)


def test_one_on_another_machine_is_refused_too(tmp_path: Path, no_plots: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sslbench.tuning.session.in_turn", lambda *_, **__: nullcontext(False))
    with pytest.raises(InputError, match="already being tuned in sqlite:///"):
        tuned(tmp_path, selection=only("supervised"), trials=1)


# MLflow


def runs_of(folder: Path, kind: str) -> list:
    client = MlflowClient(f"sqlite:///{folder / 'home' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("tiny-tune")
    assert experiment is not None
    return client.search_runs([experiment.experiment_id], f"tags.kind = '{kind}'")


def test_every_trial_is_a_run_below_the_run_of_its_arm(finished: tuple[Path, Tuning, list[News]]) -> None:
    folder, tuning, _ = finished
    parents = {run.data.tags["pretext"]: run for run in runs_of(folder, "tune")}
    assert set(parents) == set(ARMS)
    for name, parent in parents.items():
        trials = [run for run in runs_of(folder, "trial") if run.data.tags["pretext"] == name]
        assert sorted(int(run.data.tags["trial"]) for run in trials) == list(range(TRIALS))
        assert {run.data.tags["mlflow.parentRunId"] for run in trials} == {parent.info.run_id}
        assert {run.info.status for run in (parent, *trials)} == {"FINISHED"}
        assert sum(run.data.metrics["seconds"] for run in trials) == pytest.approx(tuning.arms[name].seconds)
        assert sum(run.data.metrics["samples"] for run in trials) == tuning.arms[name].samples
        winner = next(run for run in trials if run.data.tags["trial"] == parent.data.tags["winner"])
        assert {key: float(value) for key, value in winner.data.params.items()} == tuning.arms[name].settings
        assert winner.data.metrics["score"] == tuning.arms[name].score
        assert parent.data.params["criterion"] == "budget_cv"


def test_optunas_plots_are_logged(finished: tuple[Path, Tuning, list[News]]) -> None:
    folder = finished[0]
    client = MlflowClient(f"sqlite:///{folder / 'home' / 'mlflow.db'}")
    for parent in runs_of(folder, "tune"):
        names = {Path(file.path).stem for file in client.list_artifacts(parent.info.run_id, "plots")}
        assert names == {"history", "importance", "parallel_coordinates", "slices", "stretches"}


# Rules


def sight_of(dataset: Dataset, fraction: float) -> Sight:
    blind = blindfold(dataset, fraction, 0)
    return Sight(blind.train_inputs, blind.train_labels, blind.unlabelled_inputs, 10, 7)


def test_budget_cv_is_what_the_probe_reports_of_the_budget(digits: Dataset) -> None:
    sight = sight_of(digits, 0.1)
    encoder = build(pretrain_cell("random_init"), digits, CPU).encoder
    probe = PROTOCOLS.get("linear_probe")
    features = represent(encoder, sight.inputs, CPU)["latent"]
    expected = probe(probe.Config()).predict(features, sight.labels, features, 10, 7).budget_score
    assert CRITERIA.get("budget_cv")().score(encoder, sight, CPU) == expected
    assert 0.2 < expected < 1


def test_label_free_is_rankme_whatever_the_labels_are(digits: Dataset) -> None:
    encoder = build(pretrain_cell("random_init"), digits, CPU).encoder
    expected = rankme(represent(encoder, digits.unlabelled_inputs[:2048], CPU)["latent"])
    for labels in (sight_of(digits, 0.1).labels, torch.zeros(130, dtype=torch.int64)):
        sight = dataclasses.replace(sight_of(digits, 0.1), labels=labels)
        assert CRITERIA.get("label_free")().score(encoder, sight, CPU) == expected


@pytest.mark.parametrize("criterion", list(CRITERIA))
def test_a_rule_leaves_encoder_and_random_numbers_as_they_were(digits: Dataset, criterion: str) -> None:
    encoder = build(pretrain_cell("random_init"), digits, CPU).encoder.train()
    before, state = copy.deepcopy(encoder.state_dict()), torch.random.get_rng_state()
    CRITERIA.get(criterion)().score(encoder, sight_of(digits, 0.05), CPU)
    assert all(torch.equal(before[name], value) for name, value in encoder.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(module.training for module in encoder.modules())


def test_a_rule_without_labels_cannot_judge_supervised(tmp_path: Path) -> None:
    prepared = prepare_tuning(request(tmp_path, criterion="label_free"))
    assert [study.arm.name for study in prepared.studies] == ["autoencoder"]
    assert "cannot judge it; use budget_cv" in prepared.left_out["supervised"]
    with pytest.raises(InputError, match=r"'supervised' cannot be tuned: criterion 'label_free'"):
        prepare_tuning(request(tmp_path, only("supervised"), criterion="label_free"))


def test_a_budget_too_small_to_cross_validate_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing to tune: .*of its 10 labels a class has one"):
        prepare_tuning(request(tmp_path, Selection(label_fractions=(0.01,))))


def test_a_training_that_diverges_costs_a_trial_and_no_more(
    tmp_path: Path, no_plots: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sslbench.tuning.arms import SupervisedArm

    honest = SupervisedArm.stretches

    def breaking(self: SupervisedArm, config: object) -> object:
        if config != self.config:
            yield Stretch(0.0, math.nan, 1.0, 10, 100.0)
        else:
            yield from honest(self, config)

    monkeypatch.setattr(SupervisedArm, "stretches", breaking)
    told: list[News] = []
    found = tuned(tmp_path, told.append, only("supervised"), trials=3).arms["supervised"]
    assert [news.ended for news in told if news.ended] == ["completed", "diverged", "diverged"]
    assert (found.trials, found.completed, found.trial) == (3, 1, 0)
    assert found.samples == 5 * sum(fold_sizes(130)) + 20


# Ranges and the settings file


@pytest.mark.parametrize("pretext", [name for name in PRETEXTS if PRETEXTS.get(name).trains])
def test_both_ends_of_every_range_make_a_config(pretext: str) -> None:
    config = PRETEXTS.get(pretext).Config()
    ranges = declared(config)
    assert {"optimizer.learning_rate", "optimizer.weight_decay"} <= set(ranges)
    for end in ("low", "high"):
        values = {name: type(item.value)(vars(item.range)[end]) for name, item in ranges.items()}
        changed = configure(config, values, pretext)
        assert {name: item.value for name, item in declared(changed).items()} == values
    for item in ranges.values():
        assert item.range.low <= item.start <= item.range.high
        assert item.range.low > 0 or not item.range.log


def test_a_suite_uses_the_file_it_names(finished: tuple[Path, Tuning, list[News]], tmp_path: Path) -> None:
    folder, tuning, _ = finished
    assert read_tuning(folder / "settings" / "tiny.json") == tuning
    file = tmp_path / "tuned.py"
    file.write_text(SUITE_FILE.replace("epochs=1,", f'epochs=1, settings_file="{folder}/settings/tiny.json",'))
    suite = suites.load(str(file))
    assert suite.settings["finetune"] == {"min_steps": 5, "max_steps": 5, **tuning.arms["supervised"].settings}
    assert suite.settings["autoencoder"] == {"optimizer.batch_size": 64, **tuning.arms["autoencoder"].settings}
    assert suites.load_untuned(str(file)).settings["finetune"] == {"min_steps": 5, "max_steps": 5}
    assert suites.tuning_of(str(file), suite) == tuning


def test_a_field_set_twice_is_refused(finished: tuple[Path, Tuning, list[News]]) -> None:
    folder, tuning, _ = finished
    suite = suites.load(str(folder / "tiny.py"))
    twice = dataclasses.replace(suite, settings={"finetune": {"optimizer.learning_rate": 0.1}})
    with pytest.raises(InputError, match=r"both set 'optimizer.learning_rate' of 'finetune'; keep one"):
        with_tuning(twice, tuning)


def test_a_misspelt_tuned_setting_is_named_before_anything_runs(
    finished: tuple[Path, Tuning, list[News]], tmp_path: Path
) -> None:
    from sslbench.sweep.plan import make_plan

    arm = dataclasses.replace(finished[1].arms["autoencoder"], settings={"optimizer.lr": 0.1})
    path = tmp_path / "settings.json"
    write_tuning(dataclasses.replace(finished[1], arms={"autoencoder": arm}), path)
    (tmp_path / "tiny.py").write_text(SUITE_FILE.replace("epochs=1,", 'epochs=1, settings_file="settings.json",'))
    digits = load("digits", tmp_path)
    with pytest.raises(InputError, match=r"unknown setting 'lr' of pretext 'autoencoder'\.optimizer; choose one of"):
        make_plan(suites.load(str(tmp_path / "tiny.py")), {"digits": Source.of("digits", digits)})


def test_arms_of_different_budgets_never_share_a_file(
    finished: tuple[Path, Tuning, list[News]], tmp_path: Path, no_plots: None
) -> None:
    path = tmp_path / "settings.json"
    write_tuning(finished[1], path)
    with pytest.raises(InputError, match="holds supervised tuned with another budget"):
        tuned(finished[0], selection=only("autoencoder"), trials=TRIALS + 1, settings_file=path)
    again = tuned(finished[0], selection=only("autoencoder"), settings_file=path)
    assert outcome(again) == outcome(finished[1])


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "no settings file"), ("{", "is not a settings file"), ('{"arms": {}, "colour": 1}', "is not a settings")],
)
def test_a_file_that_is_no_settings_file_is_named(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "settings.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_tuning(path)
    assert str(path) in str(caught.value)
