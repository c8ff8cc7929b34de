"""What a process keeps of the memory it has freed, and what evaluations hold at a time."""

from __future__ import annotations

import subprocess
import sys

import torch

from sslbench.datasets._base import Dataset
from sslbench.encoders._base import INFERENCE_BATCH
from sslbench.engine.evaluate import Features, represent
from sslbench.engine.examine import neighbours
from sslbench.engine.pretrain import build
from sslbench.modalities.image import to_float
from sslbench.protocols.knn import KNN, KNNConfig
from tests.conftest import CPU, pretrain_cell

FREED_AGAIN = """
import resource
import torch
from sslbench.engine.memory import keep_freed_memory

assert keep_freed_memory(), "this C library cannot: glibc is what the figures are measured on"
for _ in range(20):  # the first few are each aligned a little further on
    torch.ones(12 << 20)  # 48 MiB, 12,288 pages: more than glibc would keep by itself
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(12 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_a_freed_block_is_used_again_without_asking_the_system_for_its_pages() -> None:
    """In a process of its own: what other tests left on the heap decides where a block finds room."""
    done = subprocess.run([sys.executable, "-c", FREED_AGAIN], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2 * 12_288  # ten times 12,288 otherwise


def test_nearest_neighbours_take_one_copy_of_the_bank() -> None:
    bank, asked = torch.ones(60_000, 512), torch.ones(3, 512)  # 123 MB, twice the products
    assert sum(allocated > 0.6 * bank.nbytes for allocated in _allocations(bank, asked)) == 1


def _allocations(bank: torch.Tensor, asked: torch.Tensor) -> list[int]:
    """Bytes of every tensor that a vote among `bank` makes."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        KNN(KNNConfig()).predict(bank, torch.arange(len(bank)) % 10, asked, 10, 0)
    return [event.self_cpu_memory_usage for event in profile.events()]


def test_inputs_are_represented_alike_in_one_batch_and_in_several(digits: Dataset) -> None:
    encoder = build(pretrain_cell("random_init"), digits, CPU).encoder.eval()
    inputs = digits.train_inputs[: 2 * INFERENCE_BATCH + 7]
    with torch.inference_mode():
        assert torch.allclose(represent(encoder, inputs, CPU)["latent"], encoder(to_float(inputs)), atol=1e-6)


def test_pictured_neighbours_point_the_same_way_however_long_they_are(digits: Dataset) -> None:
    generator = torch.Generator().manual_seed(0)
    train, test = (torch.randn(len(each), 8, generator=generator) for each in (digits.train_inputs, digits.test_inputs))
    chosen = [37, 5, 900, 41, 2, 11, 300, 77, 1000, 8, 60, 3]
    train[chosen] = test[: len(chosen)] / 100  # the same direction, but the smallest products
    shown = neighbours(Features(train, test), digits).rows[1]
    assert torch.equal(shown, to_float(digits.train_inputs[chosen]))
