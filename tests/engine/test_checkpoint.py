"""A training that was killed goes on from its last checkpoint as if nothing had happened, to the bit."""

from __future__ import annotations

import dataclasses
import json
import pickletools
from collections.abc import Iterator

import pytest
import torch
from safetensors.torch import load as load_tensors

from sslbench.contract.cells import PretrainCell
from sslbench.datasets._base import Dataset
from sslbench.engine.checkpoint import CheckpointRefused
from sslbench.engine.pretrain import Pretraining, Report
from sslbench.numerics.optimization import OPTIMIZERS, EndlessBatches
from sslbench.testing._contract import same
from tests.conftest import CPU, pretrain_cell


def cell(pretext: str = "simclr", optimizer: str = "adamw", seed: int = 0) -> PretrainCell:
    """Two epochs of 23 steps, whose reports, every second step, fall on no epoch's end; the last batch is left out."""
    one = pretrain_cell(pretext, seed=seed, latent_dim=8)
    settings = dataclasses.replace(one.config.optimizer, name=optimizer, batch_size=8, learning_rate=1e-3)
    config = dataclasses.replace(one.config, optimizer=settings)
    return dataclasses.replace(one, epochs=2.0, num_unlabelled=188, config=config)


def curve(reports: Iterator[Report]) -> list[tuple[float, ...]]:
    """All of it but the seconds."""
    return [(one.step, one.epoch, one.loss, one.learning_rate, one.gradient_norm) for one in reports]


def stopped(training: Pretraining, step: int) -> tuple[bytes, list[tuple[float, ...]]]:
    """Its state at a step after which nobody asks it for more, and the curve as far."""
    seen = []
    reports = training.reports()
    for report in reports:
        seen.append(report)
        if report.step == step:
            break
    reports.close()
    return training.state({"accuracy": 0.1 + 0.2}), curve(iter(seen))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_what_was_killed_and_resumed_is_what_was_not_killed(digits: Dataset, optimizer: str) -> None:
    one = cell(optimizer=optimizer)
    whole = Pretraining(one, digits, CPU)
    expected = curve(whole.reports())
    assert whole.steps == 47
    killed = Pretraining(one, digits, CPU)
    state, before = stopped(killed, 24)
    torch.rand(3)  # another process has drawn other random numbers
    resumed = Pretraining(one, digits, CPU)
    checkpoint = resumed.resume(state)
    assert (checkpoint.step, checkpoint.notes, checkpoint.seconds) == (24, {"accuracy": 0.1 + 0.2}, killed.seconds)
    assert before + curve(resumed.reports()) == expected
    assert same(resumed.pretext.state_dict(), whole.pretext.state_dict())
    assert resumed.seconds > killed.seconds


def test_a_state_may_be_taken_at_every_report_and_changes_nothing(digits: Dataset) -> None:
    whole, watched = Pretraining(cell(), digits, CPU), Pretraining(cell(), digits, CPU)
    losses = [report.loss for report in whole.reports()]
    assert [(report.loss, len(watched.state()) > 0)[0] for report in watched.reports()] == losses
    assert same(watched.pretext.state_dict(), whole.pretext.state_dict())


def test_of_several_the_one_that_came_furthest_counts(digits: Dataset) -> None:
    training = Pretraining(cell(), digits, CPU)
    states = {report.step: training.state() for report in training.reports() if report.step <= 6}
    resumed = Pretraining(cell(), digits, CPU)
    resumed.resume(states[2])
    resumed.resume(states[6])
    with pytest.raises(CheckpointRefused, match="another one is at step 6"):
        resumed.resume(states[4])
    assert next(resumed.reports()).step == 8


def test_a_checkpoint_of_another_training_is_refused_and_changes_nothing(digits: Dataset) -> None:
    state = stopped(Pretraining(cell(), digits, CPU), 2)[0]
    others = [(cell(seed=1), digits), (cell("vicreg"), digits), (cell(), dataclasses.replace(digits, digest="other"))]
    for other, dataset in others:
        training = Pretraining(other, dataset, CPU)
        before = {name: value.clone() for name, value in training.pretext.state_dict().items()}
        with pytest.raises(CheckpointRefused, match=other.title):
            training.resume(state)
        assert same(training.pretext.state_dict(), before)
        assert next(training.reports()).step == 2


def test_a_task_that_has_changed_refuses_what_it_was(digits: Dataset) -> None:
    state = stopped(Pretraining(cell(), digits, CPU), 2)[0]
    training = Pretraining(cell(), digits, CPU)
    training.pretext.register_buffer("new", torch.zeros(3))
    with pytest.raises(CheckpointRefused):
        training.resume(state)


def test_what_is_damaged_is_refused(digits: Dataset) -> None:
    state = stopped(Pretraining(cell(), digits, CPU), 2)[0]
    header = 8 + int.from_bytes(state[:8], "little")

    def flipped(place: int) -> bytes:
        return state[:place] + bytes([state[place] ^ 1]) + state[place + 1 :]

    further = state.replace(rb"step\\\": 2", rb"step\\\": 4")  # a true header, of another step
    cut = (b"", state[:header], state[:-1], state + b"\0")
    for broken in (*cut, *map(flipped, (0, 100, header, len(state) - 1)), further):
        assert broken != state
        with pytest.raises(CheckpointRefused):
            Pretraining(cell(), digits, CPU).resume(broken)


def test_the_file_is_plain_safetensors(digits: Dataset) -> None:
    state = stopped(Pretraining(cell(), digits, CPU), 2)[0]
    tensors = load_tensors(state)
    assert {name.split(".")[0] for name in tensors} == {"pretext", "optimizer", "batches", "random"}
    assert json.loads(state[8 : 8 + int.from_bytes(state[:8], "little")])["__metadata__"].keys() == {"sslbench"}
    with pytest.raises(ValueError, match=r"opcode|pickle"):
        pickletools.dis(state)


def test_before_it_begins_there_is_nothing_to_keep(digits: Dataset) -> None:
    with pytest.raises(RuntimeError, match="not begun"):
        Pretraining(cell(), digits, CPU).state()


def test_batches_go_on_from_what_is_left_of_a_shuffle() -> None:
    """The same as of one shuffle after another, cut into batches whose rest is dropped."""
    torch.manual_seed(3)
    shuffles = [torch.randperm(10)[:9].split(3) for _ in range(3)]
    expected = [batch for shuffle in shuffles for batch in shuffle]
    torch.manual_seed(3)
    first = EndlessBatches(10, 3, CPU)
    found = [next(first) for _ in range(4)]
    second = EndlessBatches(10, 3, CPU)
    second.left = first.left
    found += [next(second) for _ in range(5)]
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
