"""What was published is still what its suite plans: no change of the code gave a published number another identity."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sslbench.contract.spec import InputSpec, ViewPolicy
from sslbench.datasets import DATASETS, load, version_of
from sslbench.encoders import ENCODERS
from sslbench.pretexts import PRETEXTS
from sslbench.protocols import PROTOCOLS
from sslbench.sweep import suites
from sslbench.sweep.cells import Source
from sslbench.sweep.plan import make_plan
from sslbench.sweep.sizes import known_source

RESULTS = Path(__file__).parents[2] / "results"
VERSIONED = {"dataset": DATASETS, "encoder": ENCODERS, "pretext": PRETEXTS, "protocol": PROTOCOLS}

PUBLISHED = sorted(path.parent.name for path in RESULTS.glob("*/records.csv"))


#: What loaders say of texts that would have to be downloaded; of all else that would, `sizes.json` does.
DOWNLOADED = {
    "sentences_domain": Source("sentences_domain", InputSpec("text", (48,), ViewPolicy(sentences=True)), 18_959, 4),
    "newsgroups": Source("newsgroups", InputSpec("text", (128,)), 11_293, 20),
    "brown": Source("brown", InputSpec("text", (64,), ViewPolicy(sentences=True)), 21_931, 15),
    "glosses": Source("glosses", InputSpec("text", (32,)), 105_026, 45),
}


def source(name: str, folder: Path) -> Source:
    """What the loader says."""
    if name in DOWNLOADED:
        return replace(DOWNLOADED[name], version=version_of(name))
    return known_source(name, folder) or Source.of(name, load(name, folder))


def current(row: Mapping[str, str]) -> bool:
    """Whether the plug-ins that computed a row are the versions they are now: else it is another cell, and stale."""
    return all(
        row[kind] not in plugins or int(row.get(f"{kind}_version", 1)) == plugins.version(row[kind])
        for kind, plugins in VERSIONED.items()
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_cell_is_still_planned(name: str, tmp_path: Path) -> None:
    suite = suites.load(name)
    plan = make_plan(suite, {name: source(name, tmp_path) for name in suite.all_datasets})
    planned = {cell.cell_id for cell in [*plan.pretrain, *plan.evaluations]}
    with (RESULTS / name / "records.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    # Whoever scored a training on the way is part of what it is.
    scored = all(current(row) for row in rows if row["metric"].startswith("accuracy_after_"))
    published = [row for row in rows if current(row) and (scored or row["pretrain_samples"] == "0")]
    strangers = {(name, row["encoder"], row["pretext"]) for row in published if row["cell_id"] not in planned}
    assert not strangers, f"published cells of {strangers} are no longer planned"
    assert len(published) > 10
