from __future__ import annotations

import pytest
import torch

from sslbench.contract.spec import InputSpec
from sslbench.encoders.images.conv import Conv
from sslbench.pretexts import PRETEXTS
from sslbench.pretexts.images.inpainting import Inpainting, InpaintingConfig

GREY = InputSpec("image", (1, 28, 28))
COLOR = InputSpec("image", (3, 32, 32))


def inpainting(spec: InputSpec = GREY) -> Inpainting:
    torch.manual_seed(0)
    return Inpainting(Conv(spec, 16), InpaintingConfig(mask_ratio=0.75), spec)


@pytest.mark.parametrize("spec", [GREY, COLOR, InputSpec("image", (1, 8, 8)), InputSpec("image", (3, 30, 45))])
def test_whole_patches_of_any_image_are_hidden(spec: InputSpec) -> None:
    task = inpainting(spec)
    mask = task.hide(torch.rand(8, *spec.shape))
    assert mask.shape == (8, 1, *spec.shape[1:])
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert float(mask.mean()) == pytest.approx(0.75, abs=0.08)


def test_the_error_counts_hidden_pixels_only() -> None:
    task = inpainting(COLOR).eval()
    batch = torch.rand(4, 3, 32, 32)
    torch.manual_seed(9)
    loss = task(batch)
    torch.manual_seed(9)
    mask = task.hide(batch)
    painted = torch.sigmoid(task.decoder(task.encoder(task.cover(batch, mask))))
    chosen = mask.expand_as(batch) > 0
    torch.testing.assert_close(loss, (painted - batch)[chosen].square().mean())


def test_hidden_pixels_show_the_mean_of_the_visible_ones_of_their_image_and_channel() -> None:
    task, batch = inpainting(COLOR), torch.rand(4, 3, 32, 32)
    mask = task.hide(batch)
    covered = task.cover(batch, mask)
    for image in range(4):
        for channel in range(3):
            hidden = mask[image, 0] > 0
            shown = batch[image, channel][~hidden]
            assert torch.equal(covered[image, channel][~hidden], shown)
            torch.testing.assert_close(covered[image, channel][hidden], shown.mean().expand(int(hidden.sum())))


def test_what_is_painted_does_not_depend_on_what_is_hidden() -> None:
    task, batch = inpainting().eval(), torch.rand(4, 1, 28, 28)
    mask = task.hide(batch)
    other = torch.where(mask > 0, torch.rand_like(batch), batch)
    torch.testing.assert_close(task.paint(other, mask), task.paint(batch, mask))


def test_pictures_keep_what_was_visible() -> None:
    batch = torch.rand(4, 1, 28, 28) * 0.4
    (picture,) = inpainting().eval().pictures(batch)
    original, covered, inpainted = picture.rows
    visible = covered != 0.5
    assert float(visible.float().mean()) == pytest.approx(12 / 49, abs=1e-3)
    torch.testing.assert_close(inpainted[visible], original[visible])


@pytest.mark.parametrize("encoder", ["mlp", "conv", "resnet18", "vit"])
def test_every_trained_encoder_has_one_of_the_two_masked_tasks(encoder: str) -> None:
    names = ("masked_autoencoder", "inpainting")
    reasons = {name: PRETEXTS.get(name).unsuitable(encoder, GREY) for name in names}
    ((refused, reason),) = [(name, reason) for name, reason in reasons.items() if reason is not None]
    other = names[1 - names.index(refused)]
    assert other in reason
