"""What fills up a text changes nothing of what is read in it, and what is causal sees nothing ahead."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from sslbench.encoders import ENCODERS
from sslbench.encoders.text._words import TextEncoder
from sslbench.encoders.text.transformer import BUCKET, Transformer
from sslbench.modalities.text import PAD, Text

SPEC = Text.examples[0]


def build(name: str) -> TextEncoder:
    torch.manual_seed(0)
    encoder = ENCODERS.get(name)(SPEC, 8).eval()
    assert isinstance(encoder, TextEncoder)
    return encoder


def batch(count: int) -> torch.Tensor:
    return Text().batch(Text().made_up(SPEC, count, 0))


@pytest.mark.parametrize("name", ["transformer", "bag"])
def test_what_fills_up_changes_nothing(name: str) -> None:
    encoder, texts = build(name), batch(2 * BUCKET + 3)
    assert len((texts != PAD).sum(dim=1).unique()) > 8
    read = encoder(texts)
    torch.testing.assert_close(encoder(functional.pad(texts, (0, 9))), read, rtol=1e-4, atol=1e-5)
    for one in (0, 7, 34):
        length = int((texts[one] != PAD).sum())
        torch.testing.assert_close(encoder(texts[one : one + 1, :length])[0], read[one], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["transformer", "bag"])
def test_no_vector_stands_where_no_token_does(name: str) -> None:
    texts = batch(20)
    vectors = build(name).tokens(texts)
    assert vectors.shape == (20, 24, 128)
    assert torch.equal((vectors != 0).any(dim=2), texts != PAD)


def test_a_causal_encoder_cannot_see_ahead() -> None:
    encoder = build("transformer")
    assert isinstance(encoder, Transformer)
    texts = batch(1)[:, :6]
    changed = texts.clone()
    changed[0, 4:] = 7
    assert not torch.allclose(encoder.tokens(texts)[0, :4], encoder.tokens(changed)[0, :4], atol=1e-4)
    encoder.causal.fill_(1)
    torch.testing.assert_close(encoder.tokens(texts)[0, :4], encoder.tokens(changed)[0, :4])
    vectors: list[torch.Tensor] = []
    encoder.words.register_forward_hook(lambda _, __, said: (said.retain_grad(), vectors.append(said))[1])
    (encoder.tokens(texts)[0, 3] * torch.arange(128)).sum().backward()
    (read,) = vectors
    assert read.grad is not None
    assert (read.grad[0, :4].abs().sum(dim=1) > 0).all()
    assert float(read.grad[0, 4:].abs().max()) == 0


def test_that_it_is_causal_is_kept_with_the_weights() -> None:
    encoder, other = build("transformer"), build("transformer")
    assert isinstance(encoder, Transformer)
    encoder.causal.fill_(1)
    other.load_state_dict(encoder.state_dict())
    assert torch.equal(other(batch(5)), encoder(batch(5)))
