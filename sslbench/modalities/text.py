"""Texts as numbers of tokens, and random views of whole batches at once: deletion, hidden spans, local order.

Every function takes and returns token numbers int64 `(N, T)`, filled up with `PAD` at the end. Random numbers come from
torch's global generator.
"""

from __future__ import annotations

import textwrap
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn import functional

from sslbench.contract.spec import InputSpec, ViewPolicy
from sslbench.modalities._base import Modality, Picture

#: Tokens that are no text: what fills up, what hides, the end of a sentence, the start of what is to be said.
PAD, MASK, END, START = range(4)
SPECIAL = ("[PAD]", "[MASK]", "[END]", "[START]")


def trained_tokenizer(texts: list[str], vocabulary: int) -> str:
    """A tokeniser of byte pairs (Sennrich et al. 2015, arXiv:1508.07909) learned from texts, as JSON.

    Any text can be written in it, because single bytes are tokens too.

    Args:
        vocabulary: tokens at most, the special ones and 256 bytes included.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    written: str = tokenizer.to_str()
    return written


@lru_cache(maxsize=16)
def tokenizer_of(vocabulary: str) -> Tokenizer:
    """The tokeniser that `InputSpec.vocabulary` holds."""
    return Tokenizer.from_str(vocabulary)


def vocabulary_size(spec: InputSpec) -> int:
    """How many tokens there are, special ones included."""
    size: int = tokenizer_of(spec.vocabulary).get_vocab_size()
    return size


def is_word(tokens: torch.Tensor) -> torch.Tensor:
    """Which tokens are text: neither what fills up nor marks."""
    return tokens >= len(SPECIAL)


def closed_up(tokens: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """The tokens that are kept, in their order, one after the other."""
    order = (~kept).long().argsort(dim=1, stable=True)
    return tokens.masked_fill(~kept, PAD).gather(1, order)


def deleted(tokens: torch.Tensor, share: float) -> torch.Tensor:
    """Without a random share of its words; one is always left."""
    gone = is_word(tokens) & (torch.rand(tokens.shape, device=tokens.device) < share)
    gone[:, 0] = False
    return closed_up(tokens, ~gone)


def spans(tokens: torch.Tensor, share: float, length: int) -> torch.Tensor:
    """A mask `(N, T)` of words inside random spans of so many tokens, a share of all words on average."""
    starts = torch.rand(tokens.shape, device=tokens.device) < share / length
    inside = functional.max_pool1d(functional.pad(starts.float()[:, None], (length - 1, 0)), length, 1)[:, 0] > 0
    return inside & is_word(tokens)


def shuffled_nearby(tokens: torch.Tensor, reach: float) -> torch.Tensor:
    """Words moved by up to about `reach` places, what fills up staying at the end."""
    place = torch.arange(tokens.shape[1], device=tokens.device)
    wanted = place + reach * torch.rand(tokens.shape, device=tokens.device)
    return tokens.gather(1, torch.where(tokens == PAD, place + 1e6, wanted).argsort(dim=1))


def decoded(tokens: torch.Tensor, vocabulary: str) -> list[str]:
    """Texts of tokens `(N, T)`; what is hidden reads as a blank, the end of a sentence as a bar."""
    tokenizer = tokenizer_of(vocabulary)
    shown = {MASK: " ____", END: " |", START: ""}
    texts = []
    for line in tokens.tolist():
        said, words = "", []
        for token in [*line, PAD]:
            if token >= len(SPECIAL):
                words.append(token)
                continue
            said += tokenizer.decode(words) if words else ""
            words = []
            said += shown.get(token, "")
        texts.append(" ".join(said.split()))
    return texts


class Text(Modality):
    """Texts: numbers of tokens, int32 `(N, T)` in a dataset, int64 in a batch."""

    stored: ClassVar[torch.dtype] = torch.int32
    measured: ClassVar[bool] = False
    examples: ClassVar[tuple[InputSpec, ...]]

    def batch(self, stored: torch.Tensor) -> torch.Tensor:
        return stored.long()

    def mild_view(self, batch: torch.Tensor, policy: ViewPolicy) -> torch.Tensor:
        """One word in twenty is left out."""
        return deleted(batch, 0.05)

    def contrastive_view(self, batch: torch.Tensor, policy: ViewPolicy, strength: float = 0.5) -> torch.Tensor:
        """Words left out, spans of three hidden, neighbours swapped (Wu et al. 2020, CLEAR, arXiv:2012.15466).

        A share of 0.4 x strength of the words is left out, as much hidden; words move by up to 4 x strength places.
        """
        view = shuffled_nearby(deleted(batch, 0.4 * strength), 4 * strength)
        return view.masked_fill(spans(view, 0.4 * strength, 3), MASK)

    def fits(self, seen: InputSpec, shown: InputSpec, any_size: bool) -> bool:
        """The tokens must be the same; the length may differ where the encoder does not mind."""
        return seen.vocabulary == shown.vocabulary and (seen.shape == shown.shape or any_size)

    def shown(self, decoded: torch.Tensor) -> torch.Tensor:
        """The likeliest token at every place, of scores `(N, T, V)`."""
        return decoded.argmax(dim=2)

    def reconstruction_error(self, decoded: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
        """Cross entropy of the tokens in nats, what fills up left out."""
        return functional.cross_entropy(decoded.flatten(0, 1), batch.flatten(), ignore_index=PAD)

    def images(self, batch: torch.Tensor) -> torch.Tensor:
        """A stripe of grey per token; `draw` writes words instead."""
        return ((batch.float() * 0.618) % 1)[:, None, None].expand(-1, 1, 8, -1)

    def draw(self, picture: Picture, path: Path, spec: InputSpec) -> None:
        """Write the first texts of every row below each other."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        rows = [decoded(row[:TEXTS], spec.vocabulary) for row in picture.rows]
        said = []
        for column in range(len(rows[0])):
            for label, texts in zip(picture.labels, rows, strict=True):
                said.append(_wrapped(f"{label}:", texts[column]))
            said.append(f"        {picture.captions[column]}\n" if picture.captions else "")
        text = "\n".join(said)
        figure = Figure(figsize=(10, 0.3 + 0.16 * (text.count("\n") + 1)), dpi=120)
        FigureCanvasAgg(figure)
        figure.text(
            0.01, 1 - 0.15 / figure.get_figheight(), text, va="top", family="monospace", fontsize=8, parse_math=False
        )
        figure.savefig(path)

    def made_up(self, spec: InputSpec, count: int, seed: int) -> torch.Tensor:
        """Words of the vocabulary at random, one to three sentences, from a third of the length to all of it."""
        generator = torch.Generator().manual_seed(seed)
        length, size = spec.shape[0], vocabulary_size(spec)
        tokens = torch.randint(len(SPECIAL), size, (count, length), generator=generator)
        lengths = torch.randint(max(4, length // 3), length + 1, (count, 1), generator=generator)
        place = torch.arange(length)
        if spec.views.sentences:
            tokens[(place % (length // 3) == length // 3 - 1).expand(count, -1) | (place == lengths - 1)] = END
        return tokens.masked_fill(place >= lengths, PAD).int()


#: Texts of a picture, and characters of a line.
TEXTS, COLUMNS = 8, 118


def _wrapped(label: str, text: str) -> str:
    """At most four lines, with a dot for what the font cannot draw."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont("monospace"))
    drawn = "".join(one if font.get_char_index(ord(one)) and one.isprintable() else "·" for one in text)
    lines = textwrap.wrap(drawn, COLUMNS - 14)[:4] or [""]
    return "\n".join(f"{label if not place else '':<13} {line}" for place, line in enumerate(lines))


_SAMPLE = ["the quick brown fox jumps over the lazy dog", "a text has words, and words have letters", "one two three"]

Text.examples = tuple(
    InputSpec("text", (length,), ViewPolicy(sentences=ordered), trained_tokenizer(_SAMPLE, 300))
    for length, ordered in ((24, True), (17, False))
)
