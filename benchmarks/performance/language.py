"""Bar 11: guessing hidden words, tokens per second, against Hugging Face transformers with a model of the same shape.

Theirs is `BertForMaskedLM` trained by their `Trainer`, whose collator hides words and pads every batch to its longest
text: four layers of width 128, four heads, the same tokens, texts, batches of 64 and learning rates. Tokens are those
of texts; what fills up counts for nobody. Losses are means over the last quarter of a training.
"""

from __future__ import annotations

import os
import tempfile
import time
from statistics import mean

import torch
from _measure import Row, interleave, publish, row
from _trainings import CORES, CPU
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DataCollatorForLanguageModeling,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)
from transformers.utils import logging

from sslbench.contract.cells import PretrainCell
from sslbench.datasets import default_root, load
from sslbench.encoders._transformer import MLP_RATIO
from sslbench.encoders.text._words import DROPOUT, WIDTH
from sslbench.encoders.text.transformer import DEPTH, HEADS, LONGEST
from sslbench.engine.pretrain import Pretraining
from sslbench.modalities.text import PAD, SPECIAL, tokenizer_of, vocabulary_size
from sslbench.pretexts import PRETEXTS

DATASET = "sentences_sentiment"
STEPS, REPEATS = 100, 3
LONG_STEPS, SEEDS = 200, 1


def ours(steps: int, seed: int = 0) -> tuple[float, float]:
    """Seconds of a training, and its loss over the last quarter."""
    dataset, config = load(DATASET, default_root()), PRETEXTS.get("masked_lm").Config()
    cell = PretrainCell(dataset.name, "transformer", "masked_lm", WIDTH, seed, 0.0, None, config, steps=steps)
    training = Pretraining(cell, dataset, CPU)
    started = time.perf_counter()
    losses = [(report.step, report.loss) for report in training.reports()]
    return time.perf_counter() - started, mean(loss for step, loss in losses if step > 0.75 * steps)


def theirs(steps: int, seed: int = 0) -> tuple[float, float]:
    """The same of their trainer."""
    dataset = load(DATASET, default_root())
    vocabulary, config = dataset.input_spec.vocabulary, PRETEXTS.get("masked_lm").Config().optimizer
    marks = {"pad_token": SPECIAL[0], "mask_token": SPECIAL[1], "sep_token": SPECIAL[2], "cls_token": SPECIAL[3]}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokenizer_of(vocabulary), **marks)
    shape = BertConfig(
        vocab_size=vocabulary_size(dataset.input_spec),
        hidden_size=WIDTH,
        num_hidden_layers=DEPTH,
        num_attention_heads=HEADS,
        intermediate_size=MLP_RATIO * WIDTH,
        max_position_embeddings=LONGEST,
        hidden_dropout_prob=DROPOUT,
        attention_probs_dropout_prob=0.0,
        pad_token_id=PAD,
    )
    torch.manual_seed(seed)
    with tempfile.TemporaryDirectory() as folder:
        told = TrainingArguments(
            output_dir=folder,
            max_steps=steps,
            per_device_train_batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay,
            lr_scheduler_type=config.schedule,
            warmup_steps=round(config.warmup * steps),
            logging_steps=max(1, steps // 20),
            save_strategy="no",
            report_to=[],
            use_cpu=True,
            seed=seed,
            disable_tqdm=True,
            dataloader_pin_memory=False,
        )
        trainer = Trainer(
            model=BertForMaskedLM(shape),
            args=told,
            train_dataset=[{"input_ids": text[text != PAD].tolist()} for text in dataset.unlabelled_inputs],
            data_collator=DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15),
        )
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
    losses = [(line["step"], line["loss"]) for line in trainer.state.log_history if "loss" in line]
    return seconds, mean(loss for step, loss in losses if step > 0.75 * steps)


def main() -> list[Row]:
    """Measure both."""
    torch.set_num_threads(CORES)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    logging.set_verbosity_error()
    inputs = load(DATASET, default_root()).unlabelled_inputs
    tokens = (
        float((inputs != PAD).sum()) / len(inputs) * PRETEXTS.get("masked_lm").Config().optimizer.batch_size * STEPS
    )
    speed = interleave({"ours": lambda: tokens / ours(STEPS)[0], "theirs": lambda: tokens / theirs(STEPS)[0]}, REPEATS)
    losses = [(ours(LONG_STEPS, seed)[1], theirs(LONG_STEPS, seed)[1]) for seed in range(SEEDS)]
    apart = [100 * (one - other) / other for one, other in losses]
    return [
        row(
            11,
            "masked words against transformers' trainer",
            speed.ratios("ours", "theirs"),
            f"{speed.median('ours'):,.0f} against {speed.median('theirs'):,.0f} tokens/s",
            others=speed.others,
            bound="at least",
            target=1.5,
        ),
        row(
            11,
            f"loss of masked words after {LONG_STEPS} steps, above transformers'",
            apart,
            "; ".join(f"{one:.3f} against {other:.3f} nats" for one, other in losses),
            others=speed.others,
            bound="at most",
            target=2.0,
            unit="%",
        ),
    ]


if __name__ == "__main__":
    publish(main())
