"""What every registered pretext promises, checked on each of them: a new one is covered by its line in the registry."""

from __future__ import annotations

import copy
import dataclasses
import re
from pathlib import Path

import pytest
import torch
from PIL import Image

from sslbench.contract.spec import BASELINES, InputSpec, PretextConfig, Range, ViewPolicy
from sslbench.encoders import ENCODERS
from sslbench.engine.pictures import draw_rows
from sslbench.numerics.optimization import Optimizer, build_optimizer, check
from sslbench.pretexts import PRETEXTS
from sslbench.pretexts._base import Pretext

GREY = InputSpec("image", (1, 28, 28), ViewPolicy(horizontal_flip=True))
COLOUR = InputSpec("image", (3, 32, 32), ViewPolicy(horizontal_flip=True, color_jitter=True))

TASKS = [name for name in PRETEXTS if name not in BASELINES]


def suitable(name: str) -> list[tuple[str, InputSpec]]:
    """The encoders and inputs a task accepts."""
    pairs = [(encoder, spec) for encoder in ("conv", "mlp", "vit") for spec in (GREY, COLOUR)]
    return [(encoder, spec) for encoder, spec in pairs if PRETEXTS.get(name).unsuitable(encoder, spec) is None]


def build(name: str, encoder: str, spec: InputSpec) -> Pretext:
    torch.manual_seed(0)
    task = PRETEXTS.get(name)
    return task(ENCODERS.get(encoder)(spec, 16), task.Config(), spec)


def batch(spec: InputSpec, count: int = 16) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    smooth = torch.rand(count, spec.shape[0], 8, 8, generator=generator)
    return torch.nn.functional.interpolate(smooth, size=spec.shape[1:], mode="bilinear")


def prepared(name: str, encoder: str, spec: InputSpec) -> Pretext:
    """A task about to train, its epoch begun."""
    pretext = build(name, encoder, spec).train()
    torch.manual_seed(2)
    pretext.before_epoch((batch(spec, 32) * 255).to(torch.uint8))
    return pretext


def step(pretext: Pretext, optimizer: Optimizer, inputs: torch.Tensor) -> float:
    loss = pretext(inputs)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    pretext.after_step(0.5)
    return float(loss.detach())


@pytest.mark.parametrize("name", TASKS)
def test_some_encoder_and_input_suit_it(name: str) -> None:
    assert suitable(name)
    for encoder in ("conv", "mlp", "vit", "resnet18"):
        reason = PRETEXTS.get(name).unsuitable(encoder, GREY)
        assert reason is None or len(reason) > 10


@pytest.mark.parametrize("name", TASKS)
def test_loss_is_a_finite_scalar_on_everything_that_suits_it(name: str) -> None:
    for encoder, spec in suitable(name):
        pretext = prepared(name, encoder, spec)
        loss = pretext(batch(spec))
        assert loss.shape == ()
        assert bool(loss.isfinite()), (encoder, spec.shape)


@pytest.mark.parametrize("name", TASKS)
def test_every_encoder_weight_gets_a_gradient_and_no_teacher_does(name: str) -> None:
    encoder, spec = suitable(name)[0]
    pretext = prepared(name, encoder, spec)
    pretext(batch(spec)).backward()
    for label, weight in pretext.encoder.named_parameters():
        assert weight.grad is not None, label
    for label, weight in pretext.named_parameters():
        if not weight.requires_grad:
            assert weight.grad is None, label
    reached = sum(float(weight.grad.abs().sum()) for weight in pretext.encoder.parameters() if weight.grad is not None)
    assert reached > 0


@pytest.mark.parametrize("name", TASKS)
def test_the_same_seed_gives_the_same_losses(name: str) -> None:
    encoder, spec = suitable(name)[0]

    def losses() -> list[float]:
        pretext = prepared(name, encoder, spec)
        optimizer = build_optimizer(pretext, PRETEXTS.get(name).Config().optimizer)
        return [step(pretext, optimizer, batch(spec)) for _ in range(3)]

    assert losses() == losses()


@pytest.mark.parametrize("name", TASKS)
def test_state_dict_resumes_to_the_same_next_loss(name: str) -> None:
    encoder, spec = suitable(name)[0]
    pretext = prepared(name, encoder, spec)
    optimizer = build_optimizer(pretext, PRETEXTS.get(name).Config().optimizer)
    for _ in range(2):
        step(pretext, optimizer, batch(spec))
    saved = copy.deepcopy(pretext.state_dict())
    other = build(name, encoder, spec).train()
    other.load_state_dict(saved)
    torch.manual_seed(7)
    expected = float(pretext(batch(spec)).detach())
    torch.manual_seed(7)
    assert float(other(batch(spec)).detach()) == expected


@pytest.mark.parametrize("name", TASKS)
def test_training_changes_every_encoder_weight(name: str) -> None:
    encoder, spec = suitable(name)[0]
    pretext = prepared(name, encoder, spec)
    before = copy.deepcopy(pretext.encoder.state_dict())
    optimizer = build_optimizer(pretext, PRETEXTS.get(name).Config().optimizer)
    for _ in range(3):
        step(pretext, optimizer, batch(spec))
    for label, weight in pretext.encoder.named_parameters():
        # Decay alone would move a weight the loss never reaches, so tasks are held to gradients above.
        assert not torch.equal(before[label], weight), label


@pytest.mark.parametrize("name", TASKS)
def test_every_tuned_default_lies_inside_its_range(name: str) -> None:
    config = PRETEXTS.get(name).Config()
    check(config.optimizer)
    for part in (config, config.optimizer):
        for item in dataclasses.fields(part):
            bounds = item.metadata.get("tuned")
            if isinstance(bounds, Range):
                value = vars(part)[item.name]
                # A weight decay of 0 is a decision not to decay, outside any logarithmic range.
                assert bounds.low <= value <= bounds.high or (item.name == "weight_decay" and value == 0), item.name


@pytest.mark.parametrize("name", TASKS)
def test_the_docstring_names_a_paper(name: str) -> None:
    assert re.search(r"arXiv:\d{4}\.\d{4,5}|doi:10\.", PRETEXTS.get(name).__doc__ or "")
    assert PRETEXTS.summary(name).endswith((".", ").")) or PRETEXTS.summary(name)


@pytest.mark.parametrize("name", TASKS)
def test_pictures_can_be_drawn_and_leave_the_task_alone(name: str, tmp_path: Path) -> None:
    encoder, spec = suitable(name)[0]
    pretext = prepared(name, encoder, spec).eval()
    before = copy.deepcopy(pretext.state_dict())
    with torch.inference_mode():
        pictures = pretext.pictures(batch(spec, 12))
    for picture in pictures:
        assert len(picture.rows) == len(picture.labels)
        assert all(row.ndim == 4 and row.shape[1] in (1, 3) for row in picture.rows)
        assert all(len(row) == len(picture.rows[0]) for row in picture.rows)
        assert len(picture.captions) in (0, len(picture.rows[0]))
        draw_rows(picture, tmp_path / "picture.png")
        with Image.open(tmp_path / "picture.png") as drawn:
            drawn.load()
    for label, value in pretext.state_dict().items():
        assert torch.equal(before[label], value), label


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_have_no_loss_and_say_so(name: str) -> None:
    task = PRETEXTS.get(name)
    encoder = ENCODERS.get(task.encoder_name or "conv")(GREY, GREY.size if task.encoder_name else 8)
    pretext = task(encoder, PretextConfig(), GREY)
    assert not task.trains
    with pytest.raises(TypeError, match="baseline"):
        pretext(batch(GREY))
