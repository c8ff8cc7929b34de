"""Pictures of what was learned, as matplotlib figures written to PNG files."""

from __future__ import annotations

from pathlib import Path

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.manifold import TSNE

from sslbench.pretexts._base import Picture

COLUMNS = 12
MAPPED = 1000


def draw_rows(picture: Picture, path: Path) -> None:
    """Write a picture: one row of images per tensor, at most 12 columns, row labels at the left."""
    columns = min(COLUMNS, len(picture.rows[0]))
    captioned = bool(picture.captions)
    figure = Figure(figsize=(columns * 0.9 + 1.2, len(picture.rows) * 0.95 + 0.3 * captioned), dpi=120)
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(picture.rows), columns, squeeze=False)
    for row, (images, label) in enumerate(zip(picture.rows, picture.labels, strict=True)):
        for column in range(columns):
            cell = axes[row][column]
            image = images[column].detach().float().cpu().clamp(0, 1).permute(1, 2, 0).squeeze(-1).numpy()
            cell.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            cell.set_xticks([])
            cell.set_yticks([])
            if column == 0:
                cell.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
            if captioned and row == len(picture.rows) - 1:
                cell.set_xlabel(picture.captions[column].replace(", ", "\n"), fontsize=6)
    figure.tight_layout(pad=0.3)
    figure.savefig(path)


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
        places = TSNE(perplexity=perplexity, init="pca", random_state=seed % 2**32, n_jobs=1).fit_transform(
            shown.numpy()
        )
    else:
        places = torch.nn.functional.pad(shown, (0, max(0, 2 - shown.shape[1])))[:, :2].numpy()
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
