"""Series and texts run through the whole sweep, and a sweep that was killed goes on to the same records."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from sslbench.report.records import read_records
from tests.conftest import CIRCUMSTANCES, in_place, run_to_the_end
from tests.forked import command

SUITE = '''"""A small sweep."""
from sslbench.contract.spec import Suite

SUITE = Suite(
    name="small",
    datasets=("{kind}:{data}",),
    encoders=("{encoder}",),
    pretexts=("majority_class", "{classic}", "random_init", "supervised", {pretexts}),
    latent_dims=(8,),
    seeds=(0,),
    steps=12,
    label_fractions=(0.1, 1.0),
    readings=("latent", "pooled"),
    settings={{"finetune": {{"min_steps": 40, "max_steps": 40}}}},
)
'''


def write_series(folder: Path) -> None:
    """Waves of two speeds."""
    random = np.random.default_rng(0)
    for split, count in (("TRAIN", 80), ("TEST", 40)):
        lines = []
        for place in range(count):
            wave = np.sin(np.linspace(0, (6, 14)[place % 2], 48) + 6 * random.random()) + 0.2 * random.standard_normal(
                48
            )
            lines.append("\t".join([str(place % 2), *(f"{value:.4f}" for value in wave)]))
        (folder / f"WAVES_{split}.tsv").write_text("\n".join(lines) + "\n")


def write_texts(folder: Path) -> None:
    """Sentences about two things."""
    random = np.random.default_rng(0)
    kinds = {"sea": "wave ship salt shore fish", "city": "street tram house shop crowd"}
    for kind, words in kinds.items():
        (folder / kind).mkdir()
        for place in range(60):
            said = [*random.choice(words.split(), 4), *random.choice(["one", "two", "three", "many"], 3)]
            (folder / kind / f"{place}.txt").write_text(" ".join(random.permutation(said)) + f" {place}")


KINDS = {
    "series": (write_series, "conv1d", "minirocket", '"segment_inpainting"'),
    "texts": (write_texts, "transformer", "tfidf", '"masked_lm"'),
}


@pytest.fixture(scope="module", params=KINDS)
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """A sweep run without interruption: its kind, its suite file and its folder."""
    kind, place = request.param, tmp_path_factory.mktemp(request.param)
    write, encoder, classic, pretexts = KINDS[kind]
    data = place / "mine"
    data.mkdir()
    write(data)
    suite_file = place / "small.py"
    suite_file.write_text(SUITE.format(kind=kind, data=data, encoder=encoder, classic=classic, pretexts=pretexts))
    run_to_the_end(suite_file, place)
    return kind, suite_file, place


def records(place: Path) -> pd.DataFrame:
    return read_records(place / "home" / "results" / "small" / "records.csv")


def test_every_row_is_recorded_and_what_is_easy_is_learned(finished: tuple[str, Path, Path]) -> None:
    kind, _, place = finished
    found = records(place)
    scores = found[found["split"] == "test"]
    assert set(scores["modality"]) == {{"texts": "text"}.get(kind, kind)}
    # Two fractions of: majority 1, the classic 1, random 2 x 2, supervised 1, a pretext 2 x 2 and fine-tuned.
    assert len(scores) == 2 * (1 + 1 + 4 + 1 + 5)
    best = scores[scores["label_fraction"] == 1.0].groupby("pretext")["value"].max()
    assert best["majority_class"] <= 0.6
    assert best[KINDS[kind][2]] > 0.9
    assert best["supervised"] > 0.8


def test_pictures_and_the_files_of_the_data_lie_beside_the_encoder(finished: tuple[str, Path, Path]) -> None:
    kind, _, place = finished
    client = MlflowClient(f"sqlite:///{place / 'home' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    task = KINDS[kind][3].split('"')[1]
    parent = client.search_runs([experiment.experiment_id], f"attributes.run_name = '{task} d=8 s=0'")[0]
    names = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert ("tokenizer.json" in names) == (kind == "texts")
    pictures = {Path(file.path).stem for file in client.list_artifacts(parent.info.run_id, "pictures")}
    assert {"neighbours", "map"} < pictures
    assert len(pictures) == 3


def test_a_killed_sweep_goes_on_to_the_same_records(finished: tuple[str, Path, Path], tmp_path: Path) -> None:
    _, whole, place = finished
    suite_file = tmp_path / "small.py"
    suite_file.write_text(whole.read_text().replace("(0.1, 1.0)", "(0.1,)"))
    sweep = command(*in_place(suite_file, tmp_path), group=True)
    sweep.wait_for("pretrained random_init")
    sweep.signal(signal.SIGKILL)
    sweep.ends(-signal.SIGKILL)
    run_to_the_end(suite_file, tmp_path)
    first, second = (records(where).drop(columns=CIRCUMSTANCES) for where in (place, tmp_path))
    expected = first[first["label_fraction"].isin([0.0, 0.1])].reset_index(drop=True)
    pd.testing.assert_frame_equal(expected, second)
