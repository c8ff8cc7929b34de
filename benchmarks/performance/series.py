"""Bar 10: views of time series for a whole batch at once, against the loop over samples that people write in NumPy.

The loop does to each series what our view does to a batch: a random stretch enlarged, its segments permuted for half of
them, a factor, noise, and a hidden segment for half of them. Both make contrastive views of ElectricDevices, 96 values.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from _measure import Row, interleave, publish, row
from _trainings import CORES

from sslbench.datasets import default_root, load
from sslbench.modalities.series import Series

BATCH, BATCHES, REPEATS = 256, 20, 5
STRENGTH = 0.5


def view_of_one(series: np.ndarray, smallest: float, random: np.random.Generator) -> np.ndarray:
    """A contrastive view of one series `(C, L)`."""
    length = series.shape[1]
    share = random.uniform(smallest, 1)
    start = random.uniform(0, (1 - share) * (length - 1))
    positions = np.linspace(start, start + share * (length - 1), length)
    if random.random() < 0.5:
        segments = np.array_split(positions, 1 + round(6 * STRENGTH))
        positions = np.concatenate([segments[place] for place in random.permutation(len(segments))])
    view = np.stack([np.interp(positions, np.arange(length), channel) for channel in series])
    view = view * (1 + 0.4 * STRENGTH * random.standard_normal())
    view = view + 0.2 * STRENGTH * random.standard_normal(view.shape)
    if random.random() < 0.5:
        inside = round(0.4 * STRENGTH * length)
        hidden = random.integers(0, length - inside + 1)
        view[:, hidden : hidden + inside] = 0
    return view


def main() -> list[Row]:
    """Measure both."""
    torch.set_num_threads(CORES)
    dataset = load("ucr:ElectricDevices", default_root())
    batches = list(dataset.train_inputs.split(BATCH))[:BATCHES]
    policy = dataset.input_spec.views

    def ours() -> float:
        started = time.perf_counter()
        for batch in batches:
            Series().contrastive_view(batch, policy, STRENGTH)
        return len(batches) * BATCH / (time.perf_counter() - started)

    def one_by_one() -> float:
        random = np.random.default_rng(0)
        started = time.perf_counter()
        for batch in batches:
            arrays = batch.numpy()
            torch.from_numpy(np.stack([view_of_one(one, policy.min_crop_scale, random) for one in arrays])).float()
        return len(batches) * BATCH / (time.perf_counter() - started)

    measured = interleave({"ours": ours, "one by one": one_by_one}, REPEATS)
    return [
        row(
            10,
            "views of series against NumPy sample by sample",
            measured.ratios("ours", "one by one"),
            f"{measured.median('ours'):,.0f} against {measured.median('one by one'):,.0f} series/s",
            others=measured.others,
            bound="at least",
            target=20.0,
        )
    ]


if __name__ == "__main__":
    publish(main())
