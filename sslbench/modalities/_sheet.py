"""Rows of images on one sheet, written as a PNG file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch.nn import functional

COLUMNS = 12
GAP = 2  # white pixels between images


def draw_rows(rows: Sequence[torch.Tensor], labels: Sequence[str], captions: Sequence[str], path: Path) -> None:
    """Write rows of images `(n, C, H, W)`: at most 12 columns, row labels at the left, captions (or none) below."""
    columns = min(COLUMNS, len(rows[0]))
    rows = [row[:columns].detach().float().cpu().clamp(0, 1) for row in rows]
    height, width = (max(row.shape[axis] for row in rows) for axis in (2, 3))
    rows = [_centred(row, height, width) for row in rows]
    figure = Figure(figsize=(columns * 0.9 + 1.2, len(rows) * 0.95 + 0.3 * bool(captions)), dpi=120)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    # One image for all: an axes for each would take seconds.
    axes.imshow(_montage(rows).squeeze(-1).numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_yticks([(height + GAP) * place + height / 2 for place in range(len(rows))], labels, fontsize=8)
    broken = [caption.replace(", ", "\n") for caption in captions[:columns]]
    axes.set_xticks([(width + GAP) * place + width / 2 for place in range(len(broken))], broken, fontsize=6)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.savefig(path, bbox_inches="tight", pad_inches=0.05)  # however long the labels are


def _centred(row: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Images `(n, C, h, w)`, say tiles of others, in the middle of white ones of `(height, width)`."""
    above, left = (height - row.shape[2]) // 2, (width - row.shape[3]) // 2
    below, right = height - row.shape[2] - above, width - row.shape[3] - left
    return functional.pad(row, (left, right, above, below), value=1.0)


def _montage(rows: Sequence[torch.Tensor]) -> torch.Tensor:
    """Rows `(n, C, H, W)` of images laid out on white, `(rows * (H + GAP) - GAP, n * (W + GAP) - GAP, C)`."""
    framed = torch.stack([functional.pad(row, (0, GAP, 0, GAP), value=1.0) for row in rows])
    return framed.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)[:-GAP, :-GAP]
