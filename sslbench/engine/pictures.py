"""Pictures of what was learned, as matplotlib figures written to PNG files."""

from __future__ import annotations

from pathlib import Path

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.manifold import TSNE
from torch.nn import functional

from sslbench.pretexts._base import Picture

COLUMNS = 12
GAP = 2  # white pixels between images
MAPPED = 1000
MAP_ITERATIONS = 500  # half of them under early exaggeration; more moves single points, not clusters


def draw_rows(picture: Picture, path: Path) -> None:
    """Write a picture: one row of images per tensor, at most 12 columns, row labels at the left, captions below."""
    columns = min(COLUMNS, len(picture.rows[0]))
    rows = [row[:columns].detach().float().cpu().clamp(0, 1) for row in picture.rows]
    height, width = (max(row.shape[axis] for row in rows) for axis in (2, 3))
    rows = [_centred(row, height, width) for row in rows]
    captioned = bool(picture.captions)
    figure = Figure(figsize=(columns * 0.9 + 1.2, len(rows) * 0.95 + 0.3 * captioned), dpi=120)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    # One image for all: an axes for each would take seconds.
    axes.imshow(_montage(rows).squeeze(-1).numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_yticks([(height + GAP) * place + height / 2 for place in range(len(rows))], picture.labels, fontsize=8)
    captions = [caption.replace(", ", "\n") for caption in picture.captions[:columns]]
    axes.set_xticks([(width + GAP) * place + width / 2 for place in range(len(captions))], captions, fontsize=6)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.savefig(path, bbox_inches="tight", pad_inches=0.05)  # however long the labels are


def _centred(row: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Images `(n, C, h, w)`, say tiles of others, in the middle of white ones of `(height, width)`."""
    above, left = (height - row.shape[2]) // 2, (width - row.shape[3]) // 2
    below, right = height - row.shape[2] - above, width - row.shape[3] - left
    return functional.pad(row, (left, right, above, below), value=1.0)


def _montage(rows: list[torch.Tensor]) -> torch.Tensor:
    """Rows `(n, C, H, W)` of images laid out on white, `(rows * (H + GAP) - GAP, n * (W + GAP) - GAP, C)`."""
    framed = torch.stack([functional.pad(row, (0, GAP, 0, GAP), value=1.0) for row in rows])
    return framed.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)[:-GAP, :-GAP]


def draw_map(
    features: torch.Tensor, labels: torch.Tensor, classes: tuple[str, ...], title: str, path: Path, seed: int
) -> None:
    """Write a 2-D map (t-SNE, van der Maaten & Hinton 2008) of the first 1,000 features, coloured by class.

    Args:
        features: `(N, latent_dim)` of test inputs.
        labels: int64 `(N,)`, for the colours only.
    """
    shown = features[:MAPPED].float().cpu()
    if shown.shape[1] > 2 and len(shown) > 3:
        perplexity = min(30.0, (len(shown) - 1) / 3)
        tsne = TSNE(perplexity=perplexity, init="pca", random_state=seed % 2**32, n_jobs=1, max_iter=MAP_ITERATIONS)
        places = tsne.fit_transform(shown.numpy())
    else:
        places = functional.pad(shown, (0, max(0, 2 - shown.shape[1])))[:, :2].numpy()
    figure = Figure(figsize=(6.4, 5), dpi=120)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for label, name in enumerate(classes):
        members = (labels[:MAPPED].cpu() == label).numpy()
        axes.scatter(places[members, 0], places[members, 1], s=8, color=f"C{label % 10}", label=name, linewidths=0)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, fontsize=10)
    if len(classes) <= 20:
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8, frameon=False, markerscale=2)
    figure.tight_layout()
    figure.savefig(path)
