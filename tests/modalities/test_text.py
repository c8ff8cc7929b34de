"""Texts: views of them, and the tokeniser."""

from __future__ import annotations

import pytest
import torch

from sslbench.modalities.text import (
    END,
    MASK,
    PAD,
    SPECIAL,
    Text,
    closed_up,
    decoded,
    deleted,
    is_word,
    shuffled_nearby,
    spans,
    tokenizer_of,
    trained_tokenizer,
    vocabulary_size,
)

SPEC = Text.examples[0]


def numbers(count: int, length: int, words: int) -> torch.Tensor:
    """The same text `count` times: `words` words, each another, then nothing."""
    place = torch.arange(length)
    return torch.where(place < words, place + 10, PAD).expand(count, length)


def test_a_tokeniser_writes_any_text_and_reads_it_again() -> None:
    vocabulary = trained_tokenizer(["low lower lowest", "new newer newest"] * 20, 290)
    tokenizer = tokenizer_of(vocabulary)
    assert tokenizer.get_vocab_size() <= 290
    assert [tokenizer.id_to_token(place) for place in range(4)] == list(SPECIAL)
    assert len(tokenizer.encode("lowest").ids) < len("lowest")
    for text in ("newest low", "Größe 漢字 🙂"):
        assert tokenizer.decode(tokenizer.encode(text).ids).strip() == text
        line = torch.tensor([[*tokenizer.encode(text).ids, PAD, PAD]])
        assert decoded(line, vocabulary) == [text]


def test_marks_are_shown_as_what_they_are() -> None:
    words = tokenizer_of(SPEC.vocabulary).encode("one two").ids
    assert decoded(torch.tensor([[*words, END, MASK, *words, PAD]]), SPEC.vocabulary) == ["one two | ____ one two"]


def test_what_is_kept_keeps_its_order() -> None:
    tokens = torch.tensor([[5, 6, 7, 8, PAD], [5, 6, PAD, PAD, PAD]])
    kept = torch.tensor([[True, False, True, True, True], [False, True, True, True, True]])
    assert closed_up(tokens, kept).tolist() == [[5, 7, 8, PAD, PAD], [6, PAD, PAD, PAD, PAD]]


def test_deletion_takes_its_share_and_leaves_a_word() -> None:
    torch.manual_seed(0)
    left = deleted(numbers(2000, 30, 20), 0.3)
    lengths = is_word(left).sum(dim=1)
    assert float(lengths.float().mean()) == pytest.approx(1 + 19 * 0.7, abs=0.1)
    assert (left[:, 0] == 10).all()
    words = left.masked_fill(left == PAD, 10_000)
    assert (words.diff(dim=1) >= 0).all()  # in order
    assert is_word(deleted(numbers(50, 30, 20), 1.0)).sum(dim=1).tolist() == [1] * 50


def test_spans_hide_about_their_share_of_words_and_nothing_else() -> None:
    torch.manual_seed(0)
    tokens = numbers(3000, 40, 30).clone()
    tokens[:, 29] = END
    hidden = spans(tokens, 0.3, 3)
    assert 0.24 < float(hidden[:, 2:29].float().mean()) < 0.3  # spans that overlap hide less
    assert not hidden[:, 29:].any()


def test_words_move_no_further_than_their_reach() -> None:
    torch.manual_seed(0)
    moved = shuffled_nearby(numbers(500, 30, 20), 3.0)
    assert torch.equal(moved.sort(dim=1).values, numbers(500, 30, 20).sort(dim=1).values)
    assert (moved[:, 20:] == PAD).all()
    distance = (moved[:, :20] - 10 - torch.arange(20)).abs()
    assert 1 < int(distance.max()) <= 3
    assert torch.equal(shuffled_nearby(numbers(5, 30, 20), 0.0), numbers(5, 30, 20))


def test_reconstruction_is_the_cross_entropy_of_words_alone() -> None:
    batch = torch.tensor([[5, 6, PAD, PAD]])
    scores = torch.zeros(1, 4, 300)
    assert float(Text().reconstruction_error(scores, batch)) == pytest.approx(torch.tensor(300.0).log().item())
    scores[0, 2:, 7] = 1000.0  # what is said where nothing stands does not count
    assert float(Text().reconstruction_error(scores, batch)) == pytest.approx(torch.tensor(300.0).log().item())
    scores[0, [0, 1], [5, 6]] = 1000.0
    assert float(Text().reconstruction_error(scores, batch)) == 0


def test_other_tokens_do_not_fit() -> None:
    other = Text.examples[0].__class__("text", SPEC.shape, SPEC.views, trained_tokenizer(["other words"], 270))
    assert Text().fits(SPEC, Text.examples[1], any_size=True)
    assert not Text().fits(SPEC, Text.examples[1], any_size=False)
    assert not Text().fits(SPEC, other, any_size=True)
    assert vocabulary_size(other) != vocabulary_size(SPEC)
