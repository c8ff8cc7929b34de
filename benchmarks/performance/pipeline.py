"""Bar 1: SimCLR against the common pipeline, end to end and views alone.

The pipeline is lightly's as its documentation shows it for small images: `SimCLRTransform` without blur in a
DataLoader with two workers, two passes through the network, `NTXentLoss`. Normalisation is left out, because its
means are for three channels. Encoder, head, batch size, optimiser and processor cores are the same on both sides.
"""

from __future__ import annotations

import time

import torch
from _measure import Row, interleave, publish, row
from _trainings import CORES, PerImage, cell, fashion_mnist, images_per_second, pretext
from lightly.loss import NTXentLoss
from lightly.transforms import SimCLRTransform
from torch.utils.data import DataLoader

from sslbench.modalities.image import to_float
from sslbench.pretexts._views import TwoViewPretext

BATCH, LATENT_DIM, REPEATS = 256, 128, 5
WARM_BATCHES, BATCHES = 6, 24  # the loader has up to four batches ready before the clock starts


def loader(workers: int = CORES) -> DataLoader[object]:
    """Batches of two views each, made by so many further processes, or by this one."""
    transform = SimCLRTransform(input_size=28, gaussian_blur=0.0, normalize=None)
    return DataLoader(PerImage(transform), batch_size=BATCH, shuffle=True, num_workers=workers, drop_last=True)


def lightly_views() -> float:
    """Images per second, two views of each."""
    started = 0.0
    for number, _ in enumerate(loader(), start=1):
        if number == WARM_BATCHES:
            started = time.perf_counter()
        if number == WARM_BATCHES + BATCHES:
            break
    return BATCHES * BATCH / (time.perf_counter() - started)


def our_views() -> float:
    """Images per second, two views of each, gathered from the whole dataset in random order."""
    task, inputs = pretext("simclr", "conv", LATENT_DIM), fashion_mnist().train_inputs
    assert isinstance(task, TwoViewPretext)
    batches = torch.randperm(len(inputs))[: 200 * BATCH].split(BATCH)
    started = time.perf_counter()
    for positions in batches:
        task.views(to_float(inputs.index_select(0, positions)))
    return len(batches) * BATCH / (time.perf_counter() - started)


def lightly_training() -> float:
    """Images per second of the documented training loop."""
    task = pretext("simclr", "conv", LATENT_DIM)
    assert isinstance(task, TwoViewPretext)
    network = torch.nn.Sequential(task.encoder, task.projector)
    criterion = NTXentLoss(temperature=0.2)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    started = 0.0
    for number, ((first, second), _) in enumerate(loader(), start=1):
        loss = criterion(network(first), network(second))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if number == WARM_BATCHES:
            started = time.perf_counter()
        if number == WARM_BATCHES + BATCHES:
            break
    return BATCHES * BATCH / (time.perf_counter() - started)


def our_training() -> float:
    """Images per second of `pretrain`."""
    return images_per_second(cell("simclr", "conv", LATENT_DIM, epochs=0.3))


def main() -> list[Row]:
    """Measure both."""
    torch.set_num_threads(CORES)
    views = interleave({"ours": our_views, "lightly": lightly_views}, REPEATS)
    training = interleave({"ours": our_training, "lightly": lightly_training}, REPEATS)
    return [
        row(
            1,
            f"SimCLR {what} against lightly",
            measured.ratios("ours", "lightly"),
            f"{measured.median('ours'):,.0f} against {measured.median('lightly'):,.0f} images/s",
            others=measured.others,
            bound="at least",
            target=target,
        )
        for what, measured, target in (("pretraining", training, 4.0), ("views", views, 40.0))
    ]


if __name__ == "__main__":
    publish(main())
