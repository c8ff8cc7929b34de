"""What every evaluation answered, as one small artifact of its run; and that of thousands of runs read at once."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlparse
from urllib.request import url2pathname

import numpy as np
from mlflow import MlflowClient
from numpy.typing import NDArray

from sslbench.contract.errors import InputError

ANSWERS_FILE = "answers.npz"

#: Downloads from a server that are under way at once: it is waited for, not computed with.
AT_ONCE = 16


def answers_npz(answers: NDArray[np.int64], right: NDArray[np.bool_], num_classes: int) -> bytes:
    """The artifact: `answers` `(N,)`, the class of every test input, as small as classes allow; `right`, packed bits.

    Whether an answer is right stands there too, so that nobody needs the dataset to know.
    """
    content = io.BytesIO()
    small = answers.astype(np.min_scalar_type(num_classes - 1))
    np.savez_compressed(content, answers=small, right=np.packbits(right))
    return content.getvalue()


def right_npz(count: int, right: bytes) -> bytes:
    """The artifact of an evaluation of which only that is known: packed bits of the `count` inputs answered rightly."""
    content = io.BytesIO()
    np.savez_compressed(content, count=np.int64(count), right=np.frombuffer(right, np.uint8))
    return content.getvalue()


def read_right(content: bytes, source: str) -> tuple[int, bytes]:
    """How many test inputs such an artifact is about, and the packed bits of those answered rightly.

    Raises:
        InputError: it is none; the message names `source`.
    """
    try:
        with np.load(io.BytesIO(content)) as arrays:
            count = len(arrays["answers"]) if "answers" in arrays else int(arrays["count"])
            right = arrays["right"].tobytes()
            if len(right) != math.ceil(count / 8):
                raise ValueError(f"{len(right)} bytes are not a bit for each of {count} answers")
            return count, right
    except Exception as error:  # whatever numpy, zipfile and zlib make of a damaged file
        raise InputError(f"cannot read {ANSWERS_FILE} of {source}: {type(error).__name__}: {error}") from error


def artifacts(client: MlflowClient, experiment_id: str, run_ids: Iterable[str], name: str) -> dict[str, bytes]:
    """One artifact of many runs, by run; runs without it are left out.

    Read as files where the experiment keeps its artifacts in a folder: asking MLflow for each takes 10 times as long.
    """
    folder = _local(str(client.get_experiment(experiment_id).artifact_location))
    if folder is not None:
        return _read({run_id: folder / run_id / "artifacts" / name for run_id in run_ids})
    with TemporaryDirectory() as place, ThreadPoolExecutor(AT_ONCE) as threads:

        def fetch(run_id: str) -> tuple[str, Path] | None:
            if all(item.path != name for item in client.list_artifacts(run_id)):
                return None
            own = Path(place) / run_id
            own.mkdir()
            return run_id, Path(client.download_artifacts(run_id, name, str(own)))

        return _read(dict(found for found in threads.map(fetch, run_ids) if found is not None))


def _local(location: str) -> Path | None:
    """The folder that an address of artifacts means; None if it is on a server."""
    parts = urlparse(location)
    return Path(url2pathname(parts.path)) if parts.scheme in ("", "file") else None


def _read(paths: Mapping[str, Path]) -> dict[str, bytes]:
    found = {}
    for run_id, path in paths.items():
        try:
            found[run_id] = path.read_bytes()
        except FileNotFoundError:
            continue
    return found
