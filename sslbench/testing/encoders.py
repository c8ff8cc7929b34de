"""What every encoder promises."""

from __future__ import annotations

import pytest
import torch

from sslbench.contract.spec import READINGS, InputSpec
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder
from sslbench.modalities import modality_of
from sslbench.testing._contract import Contract, examples, made_up_batch, same


class EncoderContract(Contract):
    """Tests of `names` in the registry `ENCODERS`, on the examples of every modality they take."""

    def latent_dim(self, spec: InputSpec) -> int:
        """The latent size that encoders are built with; override it for one that allows no other."""
        return 16

    def build(self, name: str, spec: InputSpec) -> Encoder:
        """A new encoder, the same every time."""
        torch.manual_seed(0)
        return ENCODERS.get(name)(spec, self.latent_dim(spec))

    @pytest.fixture
    def taken(self, name: str) -> list[InputSpec]:
        """The examples it takes."""
        modality = ENCODERS.get(name).modality
        return list(examples(modality, measured=modality is None))

    def test_some_input_is_taken(self, taken: list[InputSpec]) -> None:
        assert taken

    def test_inputs_become_finite_numbers_of_the_latent_size(self, name: str, taken: list[InputSpec]) -> None:
        for spec in taken:
            encoder = self.build(name, spec)
            batch = made_up_batch(spec, 8)
            before = batch.clone()
            for mode in (True, False):
                represented = encoder.train(mode)(batch)
                assert represented.shape == (8, self.latent_dim(spec))
                assert represented.dtype == torch.float32
                assert bool(represented.isfinite().all())
            assert torch.equal(batch, before)
            assert (encoder.input_spec, encoder.latent_dim) == (spec, self.latent_dim(spec))

    def test_the_same_seed_gives_the_same_weights_and_answers(self, name: str, taken: list[InputSpec]) -> None:
        for spec in taken:
            first, second = (self.build(name, spec) for _ in range(2))
            assert same(first.state_dict(), second.state_dict())
            batch = made_up_batch(spec, 8)
            torch.manual_seed(1)
            answer = first.eval()(batch)
            torch.manual_seed(2)
            assert torch.equal(answer, second.eval()(batch)), "evaluation mode draws random numbers"

    def test_its_state_is_all_that_makes_it(self, name: str, taken: list[InputSpec]) -> None:
        for spec in taken:
            trained = self.build(name, spec)
            trained.train()(made_up_batch(spec, 8))  # running statistics are part of the state
            torch.manual_seed(5)
            other = ENCODERS.get(name)(spec, self.latent_dim(spec))
            other.load_state_dict(trained.state_dict())
            batch = made_up_batch(spec, 8, seed=2)
            assert torch.equal(trained.eval()(batch), other.eval()(batch))

    def test_in_evaluation_no_input_sees_the_others_of_its_batch(self, name: str, taken: list[InputSpec]) -> None:
        for spec in taken:
            encoder, batch = self.build(name, spec).eval(), made_up_batch(spec, 8)
            alone = torch.cat([encoder(one) for one in batch.split(1)])
            torch.testing.assert_close(alone, encoder(batch), rtol=1e-4, atol=1e-5)

    def test_every_weight_gets_a_gradient(self, name: str, taken: list[InputSpec]) -> None:
        for spec in taken:
            encoder = self.build(name, spec).train()
            represented = encoder(made_up_batch(spec, 8))
            if represented.requires_grad:
                represented.square().sum().backward()
            for label, weight in encoder.named_parameters():
                assert weight.grad is not None, label

    def test_the_mirror_leads_back_to_the_shape_of_the_input(self, name: str, taken: list[InputSpec]) -> None:
        for spec in taken:
            encoder, batch = self.build(name, spec), made_up_batch(spec, 8)
            assert modality_of(spec).shown(encoder.mirror()(encoder(batch))).shape == batch.shape

    def test_the_feature_map_has_a_part_for_each_input(self, name: str, taken: list[InputSpec]) -> None:
        for spec in taken:
            features = self.build(name, spec).feature_map(made_up_batch(spec, 8))
            assert features.ndim >= 2
            assert len(features) == 8
            assert bool(features.isfinite().all())

    def test_one_pass_reads_what_each_reading_alone_would(self, name: str, taken: list[InputSpec]) -> None:
        """The latent is what `forward` says, the pooled features what is projected, the map what is pooled.

        To the bit: the scores of one reading must not depend on which others a suite asks for.
        """
        readings = ENCODERS.get(name).readings
        assert readings[0] == READINGS[0]
        assert set(readings) <= set(READINGS)
        for spec in taken:
            encoder, batch = self.build(name, spec).eval(), made_up_batch(spec, 8)
            read = encoder.read(batch, readings)
            assert tuple(read) == tuple(readings)
            assert torch.equal(read["latent"], encoder(batch))
            for reading, features in read.items():
                assert features.ndim == 2
                assert (len(features), features.dtype) == (8, torch.float32)
                assert torch.equal(encoder.read(batch, (reading,))[reading], features), reading
            if "pooled" in read:
                torch.testing.assert_close(read["pooled"], encoder.pool(encoder.feature_map(batch)))
                assert read["pooled"].shape[1] == ENCODERS.get(name).max_latent_dim(spec)
            if "map" in read:
                # Of a map whose sides are even the halves pooled are all places pooled: a mean of means, say.
                map_shape, channels = encoder.feature_map(batch).shape[2:], read["pooled"].shape[1]
                places = read["map"].shape[1] // channels
                assert read["map"].shape[1] == channels * places
                if all(length == 1 or length % 2 == 0 for length in map_shape):
                    halves = read["map"].unflatten(1, (channels, places))
                    torch.testing.assert_close(encoder.pool(halves), encoder.pool(encoder.feature_map(batch)))

    def test_it_is_as_wide_as_the_latent_size_it_allows(self, name: str, taken: list[InputSpec]) -> None:
        """What is projected has no more numbers than the largest latent size: more would have no more rank."""
        for spec in taken:
            widest = ENCODERS.get(name).max_latent_dim(spec)
            assert self.latent_dim(spec) <= widest
            torch.manual_seed(0)
            encoder = ENCODERS.get(name)(spec, widest)
            assert encoder(made_up_batch(spec, 4)).shape == (4, widest)

    def test_it_takes_the_sizes_it_says(self, name: str, taken: list[InputSpec]) -> None:
        """Other sizes than it was built for, weights unchanged, where `any_size` is true."""
        any_size = ENCODERS.get(name).any_size
        for seen in taken:
            encoder = self.build(name, seen).eval()
            for shown in taken:
                if shown.modality == seen.modality and modality_of(seen).fits(seen, shown, any_size):
                    assert encoder(made_up_batch(shown, 4)).shape == (4, self.latent_dim(seen))
                    self.build(name, shown).load_state_dict(encoder.state_dict())
