"""Known answers of the tasks on texts."""

from __future__ import annotations

import math

import pytest
import torch

from sslbench.contract.spec import PretextConfig
from sslbench.encoders import ENCODERS
from sslbench.modalities.text import END, MASK, PAD, START, Text, is_word, vocabulary_size
from sslbench.pretexts import PRETEXTS
from sslbench.pretexts._base import Pretext
from sslbench.pretexts.text import masked_lm
from sslbench.pretexts.text._words import PART, choose, guess_error, hide
from sslbench.pretexts.text.causal_lm import CausalLM
from sslbench.pretexts.text.denoising_lm import DenoisingLM, begun, infilled, permuted_sentences
from sslbench.pretexts.text.masked_lm import MaskedLM
from sslbench.pretexts.text.next_sentence import NextSentence, NextSentenceConfig, joined, parted

ORDERED, PLAIN = Text.examples
VOCABULARY = vocabulary_size(ORDERED)


def build(name: str, config: PretextConfig | None = None, encoder: str = "transformer") -> Pretext:
    torch.manual_seed(0)
    task = PRETEXTS.get(name)
    return task(ENCODERS.get(encoder)(ORDERED, 8), config or task.Config(), ORDERED).eval()


def batch(count: int = 16, seed: int = 0) -> torch.Tensor:
    return Text().batch(Text().made_up(ORDERED, count, seed))


# --- hidden words


def test_of_the_chosen_words_80_10_and_10_percent_are_hidden_changed_and_left() -> None:
    torch.manual_seed(0)
    tokens = batch(4000)
    chosen = choose(tokens, 0.15)
    shown = hide(tokens, chosen, VOCABULARY)
    assert not (chosen & ~is_word(tokens)).any()
    wanted = (0.15 * is_word(tokens).sum(dim=1)).round().clamp_min(1)
    assert torch.equal(chosen.sum(dim=1).float(), wanted)
    assert torch.equal(shown[~chosen], tokens[~chosen])
    before, after = tokens[chosen], shown[chosen]
    total = len(before)
    assert total > 8000
    hidden, same = int((after == MASK).sum()), int((after == before).sum())
    changed = total - hidden - same
    for count, share in ((hidden, 0.8), (changed, 0.1 * (1 - 1 / VOCABULARY)), (same, 0.1)):
        assert count / total == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / total))
    assert is_word(after[after != MASK]).all()


def test_words_are_chosen_anew_every_time() -> None:
    torch.manual_seed(0)
    tokens = batch(50)
    assert not torch.equal(choose(tokens, 0.15), choose(tokens, 0.15))


def test_only_chosen_words_count() -> None:
    task = build("masked_lm")
    assert isinstance(task, MaskedLM)
    tokens = batch()
    chosen = choose(tokens, 0.15)
    scores = task.guess(hide(tokens, chosen, VOCABULARY), chosen)
    assert scores.shape == (int(chosen.sum()), VOCABULARY)


def test_the_loss_asks_for_no_other_word(monkeypatch: pytest.MonkeyPatch) -> None:
    task, tokens = build("masked_lm"), batch()
    torch.manual_seed(0)
    chosen = choose(tokens, 0.15)
    shown = hide(tokens, chosen, VOCABULARY)
    monkeypatch.setattr(masked_lm, "choose", lambda *_: chosen)
    monkeypatch.setattr(masked_lm, "hide", lambda *_: shown)
    elsewhere, there = (tokens.masked_fill(where & is_word(tokens), 9) for where in (~chosen, chosen))
    assert not torch.equal(elsewhere, tokens)
    assert torch.equal(task(elsewhere), task(tokens))
    assert not torch.equal(task(there), task(tokens))


def uniform(head: torch.nn.Module) -> None:
    """Have a head say all words alike."""
    for weight in head.parameters():
        torch.nn.init.zeros_(weight)


@pytest.mark.parametrize("name", ["masked_lm", "causal_lm"])
def test_the_perplexity_of_saying_all_words_alike_is_the_size_of_the_vocabulary(name: str) -> None:
    task = build(name)
    assert isinstance(task, MaskedLM | CausalLM)
    uniform(task.head)
    assert math.exp(float(task(batch()).detach())) == pytest.approx(VOCABULARY, rel=1e-4)


def test_saying_all_words_alike_restores_nothing() -> None:
    task = build("denoising_lm")
    assert isinstance(task, DenoisingLM)
    torch.nn.init.zeros_(task.norm.weight)
    assert math.exp(float(task(batch()).detach())) == pytest.approx(VOCABULARY, rel=1e-4)


# --- the next word


def test_no_score_depends_on_a_later_word() -> None:
    task = build("causal_lm")
    assert isinstance(task, CausalLM)
    tokens = batch(4)
    changed = tokens.clone()
    changed[:, 5:8] = 9
    everywhere = torch.ones_like(tokens, dtype=torch.bool)
    first, second = (
        task.head.said(*task.read(said, everywhere)).unflatten(0, tokens.shape) for said in (tokens, changed)
    )
    torch.testing.assert_close(first[:, :5], second[:, :5])
    assert not torch.allclose(first[:, 5], second[:, 5], atol=1e-4)


@pytest.mark.parametrize("name", ["causal_lm", "denoising_lm"])
def test_what_fills_up_is_not_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    task, tokens, said = build(name), batch(), []
    entropy = torch.nn.functional.cross_entropy

    def noted(scores: torch.Tensor, words: torch.Tensor, reduction: str) -> torch.Tensor:
        said.append(len(scores))
        return entropy(scores, words, reduction=reduction)

    monkeypatch.setattr(torch.nn.functional, "cross_entropy", noted)
    task(tokens)
    there = (tokens if name == "denoising_lm" else tokens[:, 1:]) != PAD
    assert sum(said) == int(there.sum()) < there.numel()


def test_the_error_in_parts_is_that_of_all_places_at_once() -> None:
    generator = torch.Generator().manual_seed(0)
    said, words, bias = (torch.randn(*size, generator=generator) for size in ((2 * PART + 7, 5), (11, 5), (11,)))
    right = torch.randint(11, (len(said),), generator=generator)
    expected = torch.nn.functional.cross_entropy(said @ words.T + bias, right)
    torch.testing.assert_close(guess_error(said, words, bias, right), expected)


# --- sentences


def test_texts_are_parted_after_a_sentence_but_never_after_the_last() -> None:
    torch.manual_seed(0)
    tokens = batch(200)
    parts, able = parted(tokens)
    lengths = (tokens != PAD).sum(dim=1)
    assert able.any()
    assert (tokens[able].gather(1, parts[able, None] - 1) == END).all()
    assert (parts[able] < lengths[able]).all()
    one = torch.tensor([[7, 8, END, PAD]])
    assert parted(one)[1].tolist() == [False]


def test_parts_are_joined_with_their_own_or_with_the_next_texts() -> None:
    tokens = torch.tensor([[5, END, 6, END, PAD, PAD], [7, 8, END, 9, 9, END]])
    parts = torch.tensor([2, 3])
    same = joined(tokens, parts, torch.tensor([True, True]))
    assert torch.equal(same, tokens)
    other = joined(tokens, parts, torch.tensor([False, False]))
    assert other.tolist() == [[5, END, 9, 9, END, PAD], [7, 8, END, 6, END, PAD]]


def test_half_of_the_pairs_belong_together_and_texts_of_one_sentence_do_not_count() -> None:
    task = build("next_sentence")
    assert isinstance(task, NextSentence)
    torch.manual_seed(0)
    tokens = batch(2000)
    texts, follow, counts = task.pairs(tokens)
    _, able = parted(tokens)
    assert float(follow.float().mean()) == pytest.approx(0.5, abs=0.05)
    assert torch.equal(texts[follow == 1], tokens[follow == 1])
    assert not (counts & ~able).any()
    apart = (follow == 0) & counts
    assert float((texts[apart] != tokens[apart]).any(dim=1).float().mean()) > 0.97


def test_datasets_without_order_are_told_the_reason() -> None:
    assert NextSentence.unsuitable("transformer", ORDERED) is None
    assert "several sentences in their order" in str(NextSentence.unsuitable("transformer", PLAIN))
    assert "reads in order" in str(CausalLM.unsuitable("bag", ORDERED))


def test_hidden_words_are_guessed_beside_if_asked() -> None:
    alone, both = build("next_sentence"), build("next_sentence", NextSentenceConfig(masked=1.0))
    assert isinstance(alone, NextSentence)
    assert isinstance(both, NextSentence)
    assert alone.head is None
    assert both.head is not None
    uniform(both.head)
    torch.manual_seed(3)
    assert float(both(batch()).detach()) == pytest.approx(math.log(VOCABULARY) + math.log(2), abs=0.3)


# --- restored texts


def test_a_span_becomes_one_sign() -> None:
    torch.manual_seed(0)
    tokens = torch.where(torch.arange(40) < 30, torch.arange(40) + 10, PAD).expand(500, 40)
    spoilt = infilled(tokens, 0.3)
    signs, words = (spoilt == MASK).sum(dim=1), is_word(spoilt).sum(dim=1)
    assert float(signs.float().mean()) > 1.5
    assert (30 - words >= signs).all()  # each sign stands for one word or more
    assert not ((spoilt[:, 1:] == MASK) & (spoilt[:, :-1] == MASK)).any()
    left = spoilt.masked_fill(~is_word(spoilt), 0)
    assert all(line[line > 0].diff().gt(0).all() for line in left)


def test_sentences_change_their_order_and_stay_whole() -> None:
    torch.manual_seed(0)
    tokens = torch.tensor([[5, 6, END, 7, END, 8, 9, END, PAD, PAD]]).expand(300, 10)
    moved = permuted_sentences(tokens)
    sentences = {(5, 6), (7,), (8, 9)}
    orders = set()
    for line in moved.tolist():
        assert line[8:] == [PAD, PAD]
        said = tuple(
            tuple(int(one) for one in part.split()) for part in " ".join(map(str, line[:8])).split(f" {END}") if part
        )
        assert set(said) == sentences
        orders.add(said)
    assert len(orders) == 6


def test_what_is_said_starts_with_a_sign_and_lags_one_behind() -> None:
    assert begun(torch.tensor([[5, 6, PAD]])).tolist() == [[START, 5, 6]]


def test_the_decoder_sees_nothing_it_has_not_said() -> None:
    task = build("denoising_lm")
    assert isinstance(task, DenoisingLM)
    tokens = batch(3)
    changed = tokens.clone()
    changed[:, 5:7] = 9
    everywhere = torch.ones_like(tokens, dtype=torch.bool)
    first, second = (task.say(tokens, begun(said), everywhere).unflatten(0, tokens.shape) for said in (tokens, changed))
    torch.testing.assert_close(first[:, :6], second[:, :6])
    assert not torch.allclose(first[:, 6], second[:, 6], atol=1e-4)
