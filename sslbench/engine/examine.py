"""What a finished pretraining leaves to look at: pictures, label-free measures, a verdict on collapse."""

from __future__ import annotations

from pathlib import Path

import torch

from sslbench.contract.cells import FEW_STEPS
from sslbench.contract.identity import named_seed
from sslbench.datasets._base import Dataset
from sslbench.encoders._base import INFERENCE_BATCH
from sslbench.engine.evaluate import Features, represent
from sslbench.engine.pictures import draw_map
from sslbench.engine.pretrain import Pretraining
from sslbench.modalities import modality_of
from sslbench.modalities._base import Picture
from sslbench.numerics.diagnostics import NUM_LIDAR_SAMPLES, NUM_SAMPLES, collapsed, diagnose, mean_std, shrunk
from sslbench.numerics.randomness import island

PICTURED = 12
NEIGHBOURS = 4
DIAGNOSED_VIEWS = 4

#: Baselines without a representation of their own: nothing to see, nothing to measure.
NOTHING_LEARNED = ("majority_class", "supervised")


def measure(training: Pretraining, dataset: Dataset) -> tuple[dict[str, float], dict[str, str]]:
    """Label-free measures of the representation, and of the projection if there is one; what speaks against both.

    Names say the space: `representation.rankme`. The inputs are unlabelled ones, the same for every pretext. Against it
    speaks, with the reason, that it is `undertrained`, or else that it is `collapsed`.
    """
    pretext, device = training.pretext, training.device
    if training.cell.pretext in NOTHING_LEARNED:
        return {}, {}
    inputs = dataset.unlabelled_inputs[:NUM_SAMPLES].to(device)
    modality, policy = modality_of(dataset.input_spec), dataset.input_spec.views
    pretext.eval()
    with island(named_seed("diagnostics", training.cell.dataset)), torch.inference_mode():
        clean = represent(pretext.evaluated, inputs, device)["latent"]
        shown = modality.batch(inputs[:NUM_LIDAR_SAMPLES])
        seen = [modality.contrastive_view(shown, policy).split(INFERENCE_BATCH) for _ in range(DIAGNOSED_VIEWS)]
        views = torch.stack([torch.cat([pretext.evaluated(part) for part in parts]) for parts in seen], dim=1)
        own = diagnose(clean, views)
        found = {f"representation.{name}": value for name, value in own.items()}
        reason = collapsed(own, clean.shape[1])
        projected, several = pretext.project(clean), pretext.project(views.flatten(0, 1))
        if projected is not None and several is not None:
            projection = diagnose(projected, several.unflatten(0, views.shape[:2]))
            std = mean_std(projected)
            found |= {f"projection.{name}": value for name, value in {**projection, "std": std}.items()}
            # A representation can look lively for a while after the space its loss works in has died.
            dead = collapsed(projection, projected.shape[1]) or shrunk(std, pretext.projection_scale)
            reason = reason or (f"projection: {dead}" if dead else None)
    verdict = {}
    if 0 < training.steps < FEW_STEPS:  # whatever it looks like: it is still near where it began
        verdict = {"undertrained": f"{training.steps} steps"}
    elif reason is not None and pretext.trains:
        verdict = {"collapsed": reason}
    return {**found, "collapsed": float("collapsed" in verdict)}, verdict


def neighbours(features: Features, dataset: Dataset) -> Picture:
    """Test inputs above the training inputs whose representations point most nearly the same way."""
    lengths = features.train.norm(dim=1).clamp_min(1e-12)  # products are divided: no normalised copy of all features
    nearest = (features.test[:PICTURED] @ features.train.T / lengths).topk(NEIGHBOURS, dim=1).indices.cpu()
    rows = [dataset.test_inputs[:PICTURED], *(dataset.train_inputs[place] for place in nearest.T)]
    labels = (
        f"test {dataset.input_spec.modality}",
        "nearest",
        *(f"neighbour {rank}" for rank in range(2, NEIGHBOURS + 1)),
    )
    batch = modality_of(dataset.input_spec).batch
    return Picture("neighbours", tuple(batch(row) for row in rows), labels)


def draw(training: Pretraining, features: Features | None, dataset: Dataset, folder: Path) -> None:
    """Write the pretext's own pictures and, where features were computed, what they show into `folder`, made here."""
    cell, pretext, modality = training.cell, training.pretext, training.modality
    if cell.pretext in NOTHING_LEARNED:
        return
    folder.mkdir()
    pretext.eval()
    seed = named_seed("pictures", cell.dataset)
    with island(seed), torch.inference_mode():
        batch = modality.batch(dataset.test_inputs[:PICTURED].to(training.device))
        pictures = pretext.pictures(batch)
        if features is not None:
            pictures.append(neighbours(features, dataset))
        for picture in pictures:
            modality.draw(picture, folder / f"{picture.name}.png", dataset.input_spec)
    if features is not None:
        title = f"{cell.title}: test features, t-SNE"
        draw_map(features.test, dataset.test_labels, dataset.classes, title, folder / "map.png", seed)
