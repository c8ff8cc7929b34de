"""Encoders that ship beside a published table, so that others evaluate them further without training them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from sslbench.stores.runs import ENCODER_FILE
from sslbench.stores.tracker import Tracker

FOLDER = "encoders"

#: A larger encoder does not ship: results are kept in git.
MOST_BYTES = 1 << 20


def ship(records: pd.DataFrame, tracker: Tracker, folder: Path) -> list[Path]:
    """Write the encoders of a table's pretexts into its folder and return the files.

    Of every pretext the largest latent size and its smallest seed: the one of whom pictures are shown. Encoders of more
    than a mebibyte are left out, as are those whose run has none, because it was itself taken from published results.

    Args:
        records: of the table, whose runs `tracker` holds.
    """
    trained = records[(records["split"] == "unlabelled") & (records["pretrain_steps"] > 0)]
    first = trained.sort_values(["latent_dim", "seed"], ascending=[False, True], kind="stable")
    chosen = first.drop_duplicates(["dataset", "encoder", "pretext"])
    stored = tracker.artifacts(chosen["run_id"].tolist(), ENCODER_FILE)
    written = []
    for cell_id, run_id in zip(chosen["cell_id"], chosen["run_id"], strict=True):
        content = stored.get(run_id, b"")
        if 0 < len(content) <= MOST_BYTES:
            path = folder / FOLDER / f"{cell_id}.safetensors"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            written.append(path)
    return written


def shipped(folder: Path, cell_id: str) -> bytes | None:
    """The encoder of a pretraining, if it ships with the table in this folder."""
    path = folder / FOLDER / f"{cell_id}.safetensors"
    return path.read_bytes() if path.is_file() else None
