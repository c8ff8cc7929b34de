"""I-JEPA: the statistics of its masks against the paper's and lightly's, and what its loss can and cannot see."""

from __future__ import annotations

import warnings

import pytest
import torch

from sslbench.contract.spec import InputSpec, ViewPolicy
from sslbench.encoders.images.conv import Conv
from sslbench.encoders.images.vit import ViT
from sslbench.pretexts.images.ijepa import (
    CONTEXT_SCALE,
    IJEPA,
    TARGET_RATIO,
    TARGET_SCALE,
    IJEPAConfig,
    block_size,
    multi_block_masks,
    place_blocks,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lightly.data.ijepa_collate import IJEPAMaskCollator

GREY = InputSpec("image", (1, 28, 28), ViewPolicy(horizontal_flip=True))
FINE = (80, 80)  # so fine a grid that rounding to whole patches hardly matters


def ijepa(config: IJEPAConfig | None = None) -> IJEPA:
    torch.manual_seed(0)
    return IJEPA(ViT(GREY, 16), config or IJEPAConfig(), GREY)


def test_target_sizes_lie_in_the_papers_ranges() -> None:
    torch.manual_seed(0)
    sizes = torch.tensor([block_size(FINE, TARGET_SCALE, TARGET_RATIO) for _ in range(500)]).double()
    share, shape = sizes.prod(dim=1) / 6400, sizes[:, 0] / sizes[:, 1]
    # Both sides are rounded to whole patches, which moves a share by up to a tenth of itself.
    assert 0.135 < float(share.min()) < 0.16 < 0.19 < float(share.max()) < 0.22
    assert float(share.mean()) == pytest.approx(0.175, abs=0.003)
    assert 0.70 < float(shape.min()) < 0.85 < 1.40 < float(shape.max()) < 1.60
    assert float(shape.mean()) == pytest.approx(1.125, abs=0.03)
    # Independent draws; the authors' code takes size and shape from one number, so there they rise together.
    assert abs(float(torch.corrcoef(torch.stack([share, shape]))[0, 1])) < 0.2


def test_context_sizes_lie_in_the_papers_range() -> None:
    torch.manual_seed(0)
    sizes = torch.tensor([block_size(FINE, CONTEXT_SCALE, (1.0, 1.0)) for _ in range(200)]).double()
    assert bool((sizes[:, 0] == sizes[:, 1]).all())
    share = sizes.prod(dim=1) / 6400
    assert 0.84 < float(share.min()) < 0.88 < 0.97 < float(share.max()) <= 1
    assert float(share.mean()) == pytest.approx(0.925, abs=0.02)


def test_block_sizes_have_lightlys_mean_area() -> None:
    torch.manual_seed(0)
    theirs = IJEPAMaskCollator(input_size=80, patch_size=1, pred_mask_scale=TARGET_SCALE, aspect_ratio=TARGET_RATIO)
    generator = torch.Generator().manual_seed(0)
    expected = [theirs._sample_block_size(generator, TARGET_SCALE, TARGET_RATIO) for _ in range(500)]
    ours = [block_size(FINE, TARGET_SCALE, TARGET_RATIO) for _ in range(500)]
    areas = [torch.tensor(sizes).double().prod(dim=1).mean() for sizes in (ours, expected)]
    assert float(areas[0] / areas[1]) == pytest.approx(1, abs=0.03)


def test_a_block_is_a_rectangle_somewhere_inside_the_grid() -> None:
    torch.manual_seed(0)
    blocks = place_blocks((6, 8), (2, 3), (200,))
    shown = torch.zeros(200, 48).scatter_(1, blocks, 1.0).unflatten(1, (6, 8))
    assert bool((shown.sum(dim=(1, 2)) == 6).all())
    assert bool((shown.amax(dim=2).sum(dim=1) == 2).all())
    assert bool((shown.amax(dim=1).sum(dim=1) == 3).all())
    assert bool(shown.sum(dim=0).all())  # every patch is reached, the last row and column included


def test_context_and_targets_never_overlap() -> None:
    torch.manual_seed(0)
    for _ in range(20):
        context, targets = multi_block_masks(32, (7, 7), 4, min_context=1)
        seen = torch.zeros(32, 49).scatter_(1, context, 1.0)
        hidden = torch.zeros(32, 49).scatter_(1, targets.transpose(0, 1).flatten(1), 1.0)
        if int((49 - hidden.sum(dim=1)).min()) >= context.shape[1]:
            assert not bool((seen * hidden).any())
        assert bool((seen.sum(dim=1) == context.shape[1]).all())  # no patch twice


def test_places_differ_between_images_and_sizes_do_not() -> None:
    torch.manual_seed(0)
    _, targets = multi_block_masks(64, (8, 8), 4, min_context=1)
    assert targets.shape[:2] == (4, 64)
    corners = targets[:, :, 0].flatten()
    assert len(corners.unique()) > 10


def test_every_patch_is_equally_likely_kept_where_contexts_are_cut() -> None:
    torch.manual_seed(0)
    seen = torch.zeros(7, 7)
    for _ in range(200):
        context, _ = multi_block_masks(64, (7, 7), 4, min_context=1)
        seen += torch.zeros(64, 49).scatter_(1, context, 1.0).sum(dim=0).unflatten(0, (7, 7))
    assert float(seen.flip(0).sub(seen).abs().max() / seen.mean()) < 0.25  # no preference for the upper rows


def test_a_context_is_filled_up_where_targets_leave_too_little() -> None:
    torch.manual_seed(0)
    context, _ = multi_block_masks(64, (4, 4), 8, min_context=5)
    assert context.shape[1] >= 5


def test_other_encoders_get_a_reason() -> None:
    assert IJEPA.unsuitable("vit", GREY) is None
    assert "vit" in (IJEPA.unsuitable("conv", GREY) or "")
    with pytest.raises(TypeError, match="vit"):
        IJEPA(Conv(GREY, 16), IJEPAConfig(), GREY)


def test_the_encoder_sees_the_context_only() -> None:
    pretext = ijepa()
    batch = torch.rand(4, *GREY.shape, requires_grad=True)
    context, _ = pretext.masks(batch)
    taken = pretext.encoder.embed(batch).gather(1, context[:, :, None].expand(-1, -1, pretext.encoder.width))
    pretext.encoder.encode_tokens(taken).square().sum().backward()
    assert batch.grad is not None
    reached = pretext.encoder.patchify(batch.grad).abs().sum(dim=2) > 0
    assert torch.equal(reached, torch.zeros(4, 49).scatter_(1, context, 1.0).bool())


def test_a_prediction_depends_on_the_place_asked_for() -> None:
    pretext = ijepa().eval()
    tokens, latent = torch.randn(2, 10, pretext.encoder.width), torch.randn(2, 16)
    context, target = torch.arange(10).expand(2, -1), torch.tensor([[20, 30]]).expand(2, -1)
    both = pretext.predictor(tokens, latent, context, target)
    assert both.shape == (2, 2, pretext.encoder.width)
    assert not torch.allclose(both[:, 0], both[:, 1])
    swapped = pretext.predictor(tokens, latent, context, target.flip(1))
    torch.testing.assert_close(swapped, both.flip(1))


def test_the_teacher_gets_no_gradient_and_follows() -> None:
    pretext = ijepa().train()
    pretext(torch.rand(8, *GREY.shape)).backward()
    assert all(weight.grad is None for weight in pretext.teacher_encoder.parameters())
    before = pretext.teacher_encoder.project.weight.clone()
    with torch.no_grad():
        pretext.encoder.project.weight.add_(1)
    pretext.after_step(pretext.config.half_life)
    torch.testing.assert_close(pretext.teacher_encoder.project.weight, before + 0.5)


def test_the_teacher_is_evaluated() -> None:
    pretext = ijepa()
    assert pretext.evaluated is pretext.teacher_encoder
    assert pretext.evaluated is not pretext.encoder


def test_pictures_show_the_context_and_each_target() -> None:
    pretext, batch = ijepa().eval(), torch.rand(4, *GREY.shape)
    (picture,) = pretext.pictures(batch)
    assert picture.labels == ("original", "context", "target 1", "target 2")
    assert all(row.shape == batch.shape for row in picture.rows)
    shown = [(row - batch).abs() < 1e-6 for row in picture.rows[1:]]
    assert not bool((shown[0] & shown[1]).all(dim=(1, 2, 3)).any())
