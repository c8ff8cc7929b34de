from __future__ import annotations

import warnings

import pytest
import torch

from sslbench.contract.spec import InputSpec
from sslbench.encoders.images.conv import Conv
from sslbench.encoders.images.vit import ViT
from sslbench.pretexts._patches import split_patches
from sslbench.pretexts.masked_autoencoder import (
    MaskedAutoencoder,
    MaskedAutoencoderConfig,
    normalise_patches,
    take,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lightly.models import utils as lightly

GREY = InputSpec("image", (1, 28, 28))
COLOR = InputSpec("image", (3, 32, 32))


def masked(spec: InputSpec = GREY) -> MaskedAutoencoder:
    torch.manual_seed(0)
    config = MaskedAutoencoderConfig(mask_ratio=0.75, normalise_targets=True)
    return MaskedAutoencoder(ViT(spec, 16), config, spec)


def test_target_normalisation_agrees_with_lightly() -> None:
    patches = torch.rand(8, 49, 16)
    torch.testing.assert_close(normalise_patches(patches), lightly.normalize_mean_var(patches), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("spec", [GREY, COLOR])
def test_masked_loss_agrees_with_lightlys_patches_normalised_and_compared(spec: InputSpec) -> None:
    task = masked(spec=spec).eval()
    batch = torch.rand(6, *spec.shape)
    torch.manual_seed(5)
    loss = task(batch)
    torch.manual_seed(5)
    predicted, hidden = task.predict_patches(batch)
    target = lightly.normalize_mean_var(lightly.patchify(batch, task.encoder.patch_size))
    expected = torch.nn.functional.mse_loss(
        lightly.get_at_index(predicted, hidden), lightly.get_at_index(target, hidden)
    )
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=1e-5)


def test_without_normalisation_the_target_is_the_pixels() -> None:
    task = MaskedAutoencoder(ViT(GREY, 16), MaskedAutoencoderConfig(normalise_targets=False), GREY).eval()
    batch = torch.rand(6, 1, 28, 28)
    torch.manual_seed(5)
    loss = task(batch)
    torch.manual_seed(5)
    predicted, hidden = task.predict_patches(batch)
    expected = take(predicted - task.encoder.patchify(batch), hidden).square().mean()
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize(("ratio", "visible"), [(0.75, 12), (0.5, 24), (0.999, 1), (0.001, 48)])
def test_visible_and_hidden_patches_share_the_image_out(ratio: float, visible: int) -> None:
    seen, hidden = split_patches(16, 49, ratio, torch.device("cpu"))
    assert seen.shape == (16, visible)
    both = torch.cat([seen, hidden], dim=1).sort(dim=1).values
    assert torch.equal(both, torch.arange(49).expand(16, -1))
    assert not torch.equal(seen[0], seen[1])


def test_every_patch_is_hidden_equally_often() -> None:
    _, hidden = split_patches(4000, 16, 0.75, torch.device("cpu"))
    share = torch.bincount(hidden.flatten(), minlength=16) / 4000
    assert float((share - 0.75).abs().max()) < 0.04


def test_prediction_depends_on_visible_patches_only() -> None:
    task = masked().eval()
    batch = torch.rand(4, 1, 28, 28)
    torch.manual_seed(7)
    before, hidden = task.predict_patches(batch)
    patches = task.encoder.patchify(batch)
    covered = patches.scatter(1, hidden[:, :, None].expand(-1, -1, patches.shape[2]), 0.9)
    torch.manual_seed(7)
    after, _ = task.predict_patches(task.encoder.unpatchify(covered))
    torch.testing.assert_close(after, before)
    assert take(before, hidden).shape == (4, 37, 16)


def test_pictures_keep_what_was_visible() -> None:
    batch = torch.rand(4, 1, 28, 28) * 0.4
    (picture,) = masked().eval().pictures(batch)
    original, covered, inpainted = picture.rows
    visible = covered != 0.5
    assert float(visible.float().mean()) == pytest.approx(12 / 49, abs=1e-3)
    torch.testing.assert_close(inpainted[visible], original[visible])


def test_it_asks_for_tokens_and_names_the_task_for_the_other_encoders() -> None:
    assert MaskedAutoencoder.unsuitable("vit", GREY) is None
    for name in ("conv", "resnet18", "mlp"):
        reason = MaskedAutoencoder.unsuitable(name, GREY)
        assert reason == f"needs an encoder of tokens, as 'vit' is; {name!r} has none: inpainting tasks are for it"
    with pytest.raises(TypeError, match="needs an encoder of tokens, not Conv"):
        MaskedAutoencoder(Conv(GREY, 8), MaskedAutoencoderConfig(), GREY)
