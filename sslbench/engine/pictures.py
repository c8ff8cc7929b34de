"""A map of a representation, as a matplotlib figure written to a PNG file."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.manifold import TSNE
from torch.nn import functional

MAPPED = 1000
MAP_ITERATIONS = 500  # half of them under early exaggeration; more moves single points, not clusters


@matplotlib.rc_context({"text.parse_math": False})  # a $ in a name is a $
def draw_map(
    features: torch.Tensor, labels: torch.Tensor, classes: tuple[str, ...], title: str, path: Path, seed: int
) -> None:
    """Write a 2-D map (t-SNE, van der Maaten & Hinton 2008) of the first 1,000 features, coloured by class.

    Args:
        features: `(N, latent_dim)` of test inputs.
        labels: int64 `(N,)`, for the colours only.
    """
    shown = features[:MAPPED].float().cpu()
    # equal as far as their numbers reach: t-SNE, begun with PCA, would end the process
    equal = bool((shown.var(dim=0, correction=0) == 0).all())
    if shown.shape[1] > 2 and len(shown) > 3 and not equal:
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
