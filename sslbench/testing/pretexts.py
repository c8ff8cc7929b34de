"""What every pretext promises, and every baseline."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from PIL import Image

from sslbench.contract.cells import PretrainCell
from sslbench.contract.spec import InputSpec, Range
from sslbench.datasets._base import Dataset, Split, assembled
from sslbench.encoders import ENCODERS
from sslbench.engine import pretrain
from sslbench.engine.pretrain import Pretraining
from sslbench.modalities import modality_of
from sslbench.numerics.flops import counted
from sslbench.numerics.optimization import build_optimizer
from sslbench.pretexts import PRETEXTS
from sslbench.pretexts._base import Pretext
from sslbench.sweep.cells import does_not_fit
from sslbench.testing._contract import Contract, examples, made_up_batch, same


class PretextContract(Contract):
    """Tests of `names` in the registry `PRETEXTS`, on the inputs and encoders that suit them.

    Attributes:
        encoders: those tried, in this order, on the examples of every modality.
    """

    encoders: ClassVar[Sequence[str]] = ("conv", "mlp", "vit", "conv1d", "patch_transformer", "transformer", "bag")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test for each name; those of a `place`, with the first encoder of every modality that suits it."""
        if "place" not in metafunc.fixturenames:
            super().pytest_generate_tests(metafunc)
            return
        places = [(name, place) for name in self.names for place in self.places(name)]
        metafunc.parametrize(("name", "place"), places, ids=[f"{name}-{place[0]}" for name, place in places])

    def places(self, name: str) -> list[tuple[str, InputSpec]]:
        """The first encoder that suits a task in every modality, with its inputs."""
        return list({spec.modality: (encoder, spec) for encoder, spec in reversed(self.suited_to(name))}.values())

    @pytest.fixture
    def suited(self, name: str) -> list[tuple[str, InputSpec]]:
        """The encoders and inputs that suit a task."""
        return self.suited_to(name)

    def suited_to(self, name: str) -> list[tuple[str, InputSpec]]:
        """As the fixture `suited` has it."""
        pairs = [(encoder, spec) for encoder in self.encoders for spec in examples()]
        return [pair for pair in pairs if does_not_fit(PRETEXTS.get(name), *pair) is None]

    def test_some_encoder_and_input_suit_it(self, suited: list[tuple[str, InputSpec]]) -> None:
        assert suited

    def test_what_does_not_suit_it_is_told_a_reason(self, name: str) -> None:
        for encoder in ENCODERS:
            for spec in examples():
                reason = does_not_fit(PRETEXTS.get(name), encoder, spec)
                assert reason is None or len(reason) > 10

    def test_the_loss_is_a_finite_scalar_on_everything_that_suits_it(
        self, name: str, suited: list[tuple[str, InputSpec]]
    ) -> None:
        for encoder, spec in suited:
            batch = made_up_batch(spec, 16)
            before, loss = batch.clone(), prepared(name, encoder, spec)(batch)
            assert loss.shape == ()
            assert bool(loss.isfinite()), (encoder, spec.shape)
            assert torch.equal(batch, before)

    def test_every_encoder_weight_gets_a_gradient_and_no_teacher_does(
        self, name: str, place: tuple[str, InputSpec]
    ) -> None:
        encoder, spec = place
        pretext = prepared(name, encoder, spec)
        pretext(made_up_batch(spec, 16)).backward()
        for label, weight in pretext.encoder.named_parameters():
            assert weight.grad is not None, label
        for label, weight in pretext.named_parameters():
            if not weight.requires_grad:
                assert weight.grad is None, label
        weights = pretext.encoder.parameters()
        assert sum(float(weight.grad.abs().sum()) for weight in weights if weight.grad is not None) > 0

    def test_the_same_seed_gives_the_same_losses(self, name: str, place: tuple[str, InputSpec]) -> None:
        encoder, spec = place

        def losses() -> list[float]:
            pretext = prepared(name, encoder, spec)
            optimizer = build_optimizer(pretext, PRETEXTS.get(name).Config().optimizer)
            return [step(pretext, optimizer, made_up_batch(spec, 16)) for _ in range(3)]

        assert losses() == losses()

    def test_state_dict_resumes_to_the_same_next_loss(self, name: str, place: tuple[str, InputSpec]) -> None:
        encoder, spec = place
        pretext, batch = prepared(name, encoder, spec), made_up_batch(spec, 16)
        optimizer = build_optimizer(pretext, PRETEXTS.get(name).Config().optimizer)
        for _ in range(2):
            step(pretext, optimizer, batch)
        other = build(name, encoder, spec).train()
        other.load_state_dict(copy.deepcopy(pretext.state_dict()))
        losses = []
        for task in (pretext, other):
            torch.manual_seed(7)
            task.before_step(0.5)
            losses.append(float(task(batch).detach()))
        assert losses[0] == losses[1]

    def test_training_changes_every_encoder_weight(self, name: str, place: tuple[str, InputSpec]) -> None:
        encoder, spec = place
        pretext = prepared(name, encoder, spec)
        before = copy.deepcopy(pretext.encoder.state_dict())
        optimizer = build_optimizer(pretext, PRETEXTS.get(name).Config().optimizer)
        for _ in range(3):
            step(pretext, optimizer, made_up_batch(spec, 16))
        for label, weight in pretext.encoder.named_parameters():
            # Decay alone would move a weight the loss never reaches, so tasks are held to gradients above.
            assert not torch.equal(before[label], weight), label

    def test_its_operations_are_counted_before_it_trains_and_nothing_changes_by_that(
        self, name: str, place: tuple[str, InputSpec], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two epochs, to the bit as without counting, take the operations that were foretold from one step."""
        encoder, spec = place
        cell, dataset = short_cell(name, encoder), made_up_dataset(spec)
        foretold = Pretraining(cell, dataset, torch.device("cpu"))
        losses, done = counted(lambda: [report.loss for report in foretold.reports()])
        assert foretold.steps > 4
        assert 0.75 * done <= foretold.flops <= 1.25 * done, "operations of one step are not those of the others"
        monkeypatch.setattr(pretrain, "counted", lambda work: (None, 1.0))
        uncounted = Pretraining(cell, dataset, torch.device("cpu"))
        assert [report.loss for report in uncounted.reports()] == losses
        assert same(uncounted.pretext.state_dict(), foretold.pretext.state_dict())

    def test_interrupted_and_resumed_it_ends_as_if_nothing_had_been(
        self, name: str, place: tuple[str, InputSpec], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """From the end of an epoch and from the middle of one, to the bit: what counts is a parameter or a buffer."""
        monkeypatch.setattr(pretrain, "counted", lambda work: (None, 1.0))  # which changes nothing, as is shown above
        encoder, spec = place
        cell, dataset = short_cell(name, encoder), made_up_dataset(spec)
        whole = Pretraining(cell, dataset, torch.device("cpu"))
        found = [(report.loss, whole.state()) for report in whole.reports()]
        losses, states = [loss for loss, _ in found], [state for _, state in found]
        assert whole.steps == len(losses) == 6
        for done in (3, 4):
            again = Pretraining(cell, dataset, torch.device("cpu"))
            again.resume(states[done - 1])
            assert [report.loss for report in again.reports()] == losses[done:], done
            assert same(again.pretext.state_dict(), whole.pretext.state_dict()), done
            assert same(again.pretext.evaluated.state_dict(), whole.pretext.evaluated.state_dict()), done

    def test_every_tuned_default_lies_inside_its_range(self, name: str) -> None:
        config = PRETEXTS.get(name).Config()
        for part in (config, config.optimizer):
            for item in dataclasses.fields(part):
                bounds = item.metadata.get("tuned")
                if isinstance(bounds, Range):
                    value = vars(part)[item.name]
                    # A weight decay of 0 is a decision not to decay, outside any logarithmic range.
                    spared = item.name == "weight_decay" and value == 0
                    assert bounds.low <= value <= bounds.high or spared, item.name

    def test_pictures_can_be_drawn_and_leave_the_task_alone(
        self, name: str, place: tuple[str, InputSpec], tmp_path: Path
    ) -> None:
        encoder, spec = place
        pretext, modality = prepared(name, encoder, spec).eval(), modality_of(spec)
        before = copy.deepcopy(pretext.state_dict())
        with torch.inference_mode():
            pictures = pretext.pictures(made_up_batch(spec, 12))
        for picture in pictures:
            assert len(picture.rows) == len(picture.labels)
            assert all(len(row) == len(picture.rows[0]) for row in picture.rows)
            assert len(picture.captions) in (0, len(picture.rows[0]))
            modality.draw(picture, tmp_path / "picture.png", spec)
            with Image.open(tmp_path / "picture.png") as drawn:
                drawn.load()
        assert same(before, pretext.state_dict())


class BaselineContract(Contract):
    """Tests of `names` in the registry `PRETEXTS` that train nothing.

    Attributes:
        encoder: the one tried, unless the baseline insists on another.
    """

    encoder: ClassVar[str] = "mlp"

    def test_it_has_no_loss_and_says_so(self, name: str) -> None:
        task = PRETEXTS.get(name)
        assert not task.trains
        for spec in examples():
            encoder = ENCODERS.get(task.encoder_name or self.encoder)(spec, spec.size if task.encoder_name else 8)
            with pytest.raises(TypeError, match="baseline"):
                task(encoder, task.Config(), spec)(made_up_batch(spec, 4))


def build(name: str, encoder: str, spec: InputSpec) -> Pretext:
    """A new task with its encoder, the same every time."""
    torch.manual_seed(0)
    task = PRETEXTS.get(name)
    return task(ENCODERS.get(encoder)(spec, 16), task.Config(), spec)


def made_up_dataset(spec: InputSpec) -> Dataset:
    """Inputs to train on for a moment, half of them of either class."""
    split = Split(modality_of(spec).made_up(spec, 48, 3), torch.arange(48) % 2)
    dataset = assembled("made_up", spec.modality, ("a", "b"), spec.views, split, split, "made up")
    return dataclasses.replace(dataset, input_spec=spec)


def short_cell(name: str, encoder: str) -> PretrainCell:
    """A training of two epochs of three steps."""
    config = PRETEXTS.get(name).Config()
    config = dataclasses.replace(config, optimizer=dataclasses.replace(config.optimizer, batch_size=16))
    return PretrainCell("made_up", encoder, name, 16, 0, 2.0, None, config)


def prepared(name: str, encoder: str, spec: InputSpec) -> Pretext:
    """A task about to train, its epoch begun."""
    pretext = build(name, encoder, spec).train()
    torch.manual_seed(2)
    pretext.before_epoch(modality_of(spec).made_up(spec, 32, 1))
    return pretext


def step(pretext: Pretext, optimizer: torch.optim.Optimizer, batch: torch.Tensor) -> float:
    """Loss of a batch, before the step it causes."""
    pretext.before_step(0.0)
    loss = pretext(batch)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    pretext.after_step(0.5)
    return float(loss.detach())
