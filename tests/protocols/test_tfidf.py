"""TF-IDF with logistic regression: what it learns, and how it chooses."""

from __future__ import annotations

import pytest
import torch

from sslbench.contract.spec import InputSpec
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder
from sslbench.modalities.text import PAD, SPECIAL
from sslbench.protocols import tfidf
from sslbench.protocols.tfidf import TfIdf

FIRST = len(SPECIAL)


@pytest.fixture
def encoder() -> Encoder:
    """Takes no part."""
    return ENCODERS.get("raw")(InputSpec("text", (12,)), 12)


def texts(classes: torch.Tensor, seed: int) -> torch.Tensor:
    """Twelve tokens at random, of which one in three is a word of its class alone."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(FIRST + 10, FIRST + 200, (len(classes), 12), generator=generator)
    own = torch.rand(tokens.shape, generator=generator) < 0.3
    return torch.where(own, FIRST + classes[:, None], tokens).int()


@pytest.mark.parametrize("num_classes", [2, 5])
def test_words_of_one_class_give_it_away(encoder: Encoder, num_classes: int) -> None:
    known, asked = torch.arange(100) % num_classes, torch.arange(60) % num_classes
    found = TfIdf(TfIdf.Config()).predict(encoder, texts(known, 0), known, texts(asked, 1), num_classes)
    assert float((found.labels == asked).float().mean()) > 0.9
    assert found.budget_score is not None
    assert found.budget_score > 0.8


def test_what_fills_up_and_marks_are_no_words(encoder: Encoder) -> None:
    labels = torch.arange(40) % 2
    plain = texts(labels, 0)
    marked = torch.cat([plain, torch.where(labels[:, None] == 1, FIRST - 1, PAD).int().expand(-1, 3)], dim=1)
    for inputs in (plain, marked):
        found = TfIdf(TfIdf.Config()).predict(encoder, inputs, labels, inputs[:10], 2)
        assert found.details == {"strength": found.details["strength"]}
    both = [TfIdf(TfIdf.Config()).predict(encoder, inputs, labels, inputs, 2) for inputs in (plain, marked)]
    assert torch.equal(both[0].labels, both[1].labels)
    assert both[0].budget_score == both[1].budget_score


@pytest.mark.parametrize("last", [1, 2])
def test_a_class_of_few_labels_among_more_than_are_chosen_on_breaks_nothing(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    monkeypatch.setattr(tfidf, "CHOOSE_ON", 50)
    labels = torch.tensor([0, 1] * 40 + [2] * last)
    found = TfIdf(TfIdf.Config()).predict(encoder, texts(labels, 0), labels, texts(labels[:20], 1), 3)
    assert float((found.labels == labels[:20]).float().mean()) > 0.8
    assert found.details["strength"] in tfidf.STRENGTHS
    if last == 2:  # one of them is among those that are chosen on, and cannot be held out
        assert (found.details["strength"], found.budget_score) == (tfidf.STRENGTHS[1], None)


def test_one_label_a_class_takes_the_middle_strength_and_one_class_is_the_answer(encoder: Encoder) -> None:
    labels = torch.tensor([0, 1])
    found = TfIdf(TfIdf.Config()).predict(encoder, texts(labels, 0), labels, texts(labels, 1), 2)
    assert (found.details["strength"], found.budget_score) == (tfidf.STRENGTHS[1], None)
    alone = torch.zeros(3, dtype=torch.long)
    assert TfIdf(TfIdf.Config()).predict(encoder, texts(alone, 0), alone, texts(labels, 1), 2).labels.tolist() == [0, 0]
