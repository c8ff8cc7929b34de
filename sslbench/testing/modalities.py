"""What every modality promises."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from PIL import Image

from sslbench.modalities import MODALITIES
from sslbench.modalities._base import Modality, Picture
from sslbench.testing._contract import Contract, seeded


class ModalityContract(Contract):
    """Tests of `names` in the registry `MODALITIES`."""

    @pytest.fixture
    def modality(self, name: str) -> Modality:
        """The modality under test."""
        return MODALITIES.get(name)()

    def test_examples_are_made_up_alike_for_the_same_seed_and_no_two_are_alike(
        self, name: str, modality: Modality
    ) -> None:
        assert modality.examples
        for spec in modality.examples:
            stored = modality.made_up(spec, 20, 0)
            assert spec.modality == name
            assert (stored.dtype, stored.shape) == (modality.stored, (20, *spec.shape))
            assert len(stored.flatten(1).unique(dim=0)) == 20
            assert torch.equal(stored, modality.made_up(spec, 20, 0))
            assert not torch.equal(stored, modality.made_up(spec, 20, 1))

    def test_a_batch_shares_nothing_with_what_is_stored(self, modality: Modality) -> None:
        for spec in modality.examples:
            stored = modality.made_up(spec, 8, 0)
            before, batch = stored.clone(), modality.batch(stored)
            assert len(batch) == 8
            assert torch.equal(modality.batch(stored[2:5]), batch[2:5])
            batch.zero_()
            assert torch.equal(stored, before)

    def test_views_have_the_shape_of_the_batch_and_follow_the_seed(self, modality: Modality) -> None:
        for spec in modality.examples:
            batch = modality.batch(modality.made_up(spec, 8, 0))
            before = batch.clone()
            for make in (modality.mild_view, modality.contrastive_view):
                first, again, other = (seeded(seed, partial(make, batch, spec.views)) for seed in (0, 0, 1))
                assert (first.shape, first.dtype) == (batch.shape, batch.dtype)
                assert torch.equal(first, again)
                assert not torch.equal(first, other)
            assert torch.equal(batch, before)

    def test_crops_come_view_after_view_and_keep_their_size_where_the_encoder_has_but_one(
        self, modality: Modality
    ) -> None:
        for spec in modality.examples:
            batch = modality.batch(modality.made_up(spec, 4, 0))
            large, small = modality.crops(batch, spec.views, 0.5, 3, 0.4, any_size=False)
            assert (large.shape, small.shape) == ((8, *batch.shape[1:]), (12, *batch.shape[1:]))
            assert len(modality.crops(batch, spec.views, 0.5, 3, 0.4, any_size=True)[1]) == 12
            assert len(modality.crops(batch, spec.views, 0.5, 0, 0.4, any_size=True)[1]) == 0

    def test_an_encoder_fits_the_inputs_it_was_built_for(self, modality: Modality) -> None:
        for spec in modality.examples:
            assert modality.fits(spec, spec, any_size=False)
            assert modality.fits(spec, spec, any_size=True)

    def test_inputs_can_be_drawn(self, modality: Modality, tmp_path: Path) -> None:
        for spec in modality.examples:
            batch = modality.batch(modality.made_up(spec, 14, 0))
            images = modality.images(batch)
            assert images.ndim == 4
            assert images.shape[:2] in ((14, 1), (14, 3))
            view = modality.contrastive_view(batch, spec.views)
            modality.draw(Picture("views", (batch, view), ("original", "view")), tmp_path / "views.png", spec)
            with Image.open(tmp_path / "views.png") as drawn:
                drawn.load()
