"""What workers tell reaches their parent once and whole."""

from __future__ import annotations

from errno import ENOSPC
from pathlib import Path

import pytest

from sslbench.sweep.news import Failure, Finished, NewsReader, NewsWriter, Progress, Status


def test_everything_told_is_read_once_and_what_goes_on_every_time(tmp_path: Path) -> None:
    reader = NewsReader(tmp_path / "suite")
    assert reader.look() == Progress((), (), ())
    first, second = (NewsWriter(tmp_path / "suite", number) for number in range(2))
    encoder = Finished("simclr d=8 s=0", "simclr", verdict="COLLAPSED, rank 1")
    score = Finished("1% knn of simclr d=8 s=0", "simclr", 0.75, 0.01, "knn")
    first.finished(encoder)
    second.finished(score)
    second.failed(Failure("byol d=8 s=0", "TrainingError: the loss became nan"))
    first.tell(Status("byol d=8 s=1", 0.5, 1000.0))
    first.tell(Status("byol d=8 s=1", 0.75, 1000.0))
    current = (Status("byol d=8 s=1", 0.75, 1000.0),)
    failed = (Failure("byol d=8 s=0", "TrainingError: the loss became nan"),)
    assert reader.look() == Progress((encoder, score), failed, current)
    assert reader.look() == Progress((), (), current)


def test_a_line_half_written_waits_for_its_other_half(tmp_path: Path) -> None:
    reader, writer = NewsReader(tmp_path), NewsWriter(tmp_path, 0)
    failures = [Failure("Bücher", "größer"), Failure("later", "as well")]
    for failure in failures:
        writer.failed(failure)
    path = tmp_path / "0.failures"
    whole = path.read_bytes()
    found: list[Failure] = []
    for end in range(len(whole) + 1):
        path.write_bytes(whole[:end])
        found += reader.look().failed
    assert found == failures


def test_a_full_disk_stops_nobody_and_what_was_half_written_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = NewsReader(tmp_path), NewsWriter(tmp_path, 0)
    failures = [Failure("first", "a"), Failure("second", "b"), Failure("third", "c")]
    writer.failed(failures[0])
    with (tmp_path / "0.failures").open("a") as file:
        file.write('{"title": "ha')
    with monkeypatch.context() as full:
        full.setattr(Path, "open", lambda *_, **__: (_ for _ in ()).throw(OSError(ENOSPC, "No space left on device")))
        writer.tell(Status("something"))
        writer.failed(failures[1])
    writer.failed(failures[2])
    assert reader.look().failed == (failures[0], failures[2])
