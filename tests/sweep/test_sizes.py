"""A plan needs sizes, which are kept when data are loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

import sslbench as sb
from sslbench.contract.spec import InputError, InputSpec, ViewPolicy
from sslbench.datasets import version_of
from sslbench.datasets._base import Dataset
from sslbench.report.attachments.predictions import read_answers
from sslbench.stores.addresses import locate
from sslbench.sweep import request, sizes
from sslbench.sweep.asked import Request, Selection
from sslbench.sweep.cells import Source
from sslbench.sweep.request import plan_request
from sslbench.sweep.sizes import keep_source, known_source, shipped

RESULTS = Path(__file__).parents[2] / "results"


def test_what_is_kept_of_a_dataset_is_known_again(digits: Dataset, tmp_path: Path) -> None:
    assert known_source("digits", tmp_path) is None
    source = Source.of("digits", digits)
    assert (source.num_labels, source.num_unlabelled, source.num_classes) == (1297, 1297, 10)
    assert keep_source("digits", tmp_path, source) == source
    assert known_source("digits", tmp_path) == source
    heartbeats = Source("ECG5000", InputSpec("series", (1, 140)), 500, 5)
    keep_source("ucr:ECG5000", tmp_path, heartbeats)
    assert known_source("ucr:ECG5000", tmp_path) == heartbeats
    text = Source("glosses", InputSpec("text", (64,), ViewPolicy(sentences=True), '{"ä": 1}'), 10, 2, 3, 20)
    keep_source("glosses", tmp_path, text)
    assert known_source("glosses", tmp_path) == text


@pytest.mark.parametrize(
    ("suite", "count"), [("quick", 1), ("cifar10_jpeg", 1), ("catalogue_series", 5), ("speech", 1)]
)
def test_what_ships_of_a_dataset_is_what_published_runs_found(suite: str, count: int, tmp_path: Path) -> None:
    records = sb.records(RESULTS / suite)
    tested = {one.dataset: one.images for one in read_answers(RESULTS / suite).values()}
    known = [source for source in shipped().values() if source.name in set(records["dataset"])]
    assert len(known) == count
    for source in known:
        (of_all,) = set(records.query("dataset == @source.name")["num_classes"])
        labels = records.query("dataset == @source.name")["num_labels"]
        assert (source.num_classes, source.num_labels) == (of_all, labels.max())
        assert source.num_tested == tested[source.name]
    assert known_source("digits", tmp_path) is None, "loaded in a moment"


def test_a_loader_that_is_another_by_now_is_not_taken_for_the_one_we_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert known_source("prompts", tmp_path) is not None
    monkeypatch.setattr(sizes, "version_of", lambda name: 99)
    assert known_source("prompts", tmp_path) is None


def test_another_version_of_a_loader_or_of_this_package_knows_nothing_of_it(
    digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_source("digits", tmp_path, Source.of("digits", digits))
    with monkeypatch.context() as later:
        later.setattr(sizes, "version_of", lambda name: 2)
        assert known_source("digits", tmp_path) is None
    with monkeypatch.context() as later:
        later.setattr(sizes, "__version__", "9.9")
        assert known_source("digits", tmp_path) is None
    assert known_source("digits", tmp_path) is not None


def test_the_version_of_a_set_of_a_collection_is_known_by_its_identity_too() -> None:
    assert version_of("ECG5000") == version_of("ucr:ECG5000")
    with pytest.raises(InputError, match="ECG5001"):
        version_of("ECG5001")


def test_a_persons_own_files_are_looked_at_every_time(digits: Dataset, tmp_path: Path) -> None:
    keep_source("folder:photos", tmp_path, Source.of("digits", digits))
    assert known_source("folder:photos", tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_and_a_folder_that_cannot_be_written_are_no_reason_to_stop(
    digits: Dataset, tmp_path: Path
) -> None:
    source = Source.of("digits", digits)
    keep_source("digits", tmp_path, source)
    (file,) = (tmp_path / "sizes").iterdir()
    file.write_text("{}")
    assert known_source("digits", tmp_path) is None
    assert keep_source("digits", file, source) == source


def test_a_plan_from_sizes_is_the_plan_from_data(
    suite_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Request(str(suite_file), Selection(), locate(tmp_path / "home"), tmp_path / "data")
    planned = plan_request(asked)
    monkeypatch.setattr(request, "load", lambda *of: pytest.fail(f"loaded {of}"))
    assert plan_request(asked) == planned


def test_a_plan_knows_how_many_inputs_are_tested_with_and_without_the_data(suite_file: Path, tmp_path: Path) -> None:
    asked = Request(str(suite_file), Selection(), locate(tmp_path / "home"), tmp_path / "data", "cpu")
    for _ in range(2):  # loaded, then known
        assert plan_request(asked, stores=False).tested == {"digits": 500}
