"""What happens around torchvision's downloads, none of which takes place here."""

from __future__ import annotations

import errno
import socket
import sys
import threading
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pytest

from sslbench.contract.spec import InputError
from sslbench.datasets.images import _torchvision


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_torchvision, "unreachable", lambda urls: "there is no network")


def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_torchvision, "unreachable", lambda urls: None)


def message(load: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- downloads


def absent(download: bool) -> None:
    if not download:
        raise RuntimeError("Dataset not found or corrupted.")


def test_files_that_are_there_are_used_without_asking_for_a_download(tmp_path: Path) -> None:
    asked: list[bool] = []
    _torchvision.fetch("x", tmp_path / "root", ("http://example.org/x.tar",), asked.append)
    assert asked == [False]
    assert not (tmp_path / "root").exists()


def test_an_archive_put_there_by_hand_is_unpacked_without_a_network(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"")
    _torchvision.fetch("x", tmp_path, ("http://example.org/x.tar",), absent)


def test_progress_bars_of_a_download_stay_out_of_the_display(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    online(monkeypatch)

    def noisy(download: bool) -> None:
        absent(download)
        print("Downloading")
        print("100%", file=sys.stderr)

    _torchvision.fetch("x", tmp_path, ("http://example.org/x.tar",), noisy)
    assert capsys.readouterr() == ("", "")


def test_the_patience_with_servers_ends_with_the_download(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    online(monkeypatch)
    seen: list[float | None] = []

    def build(download: bool) -> None:
        absent(download)
        seen.append(socket.getdefaulttimeout())

    _torchvision.fetch("x", tmp_path, ("http://example.org/x.tar",), build)
    assert seen == [_torchvision.PATIENCE]
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("File not found\nor corrupted."),
        urllib.error.URLError("no route"),
        TimeoutError("timed out"),
        EOFError("Compressed file ended"),
    ],
)
def test_a_download_that_fails_names_the_archive_and_where_to_put_it(
    error: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    online(monkeypatch)

    def build(download: bool) -> None:
        absent(download)
        raise error

    text = message(lambda: _torchvision.fetch("x", tmp_path, ("http://example.org/x.tar",), build))
    assert "'x'" in text
    assert f"put x.tar into {tmp_path}" in text


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_or_read_only_disk_is_named_with_the_way_out(
    code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    online(monkeypatch)

    def build(download: bool) -> None:
        absent(download)
        raise OSError(code, "the disk says no")

    text = message(lambda: _torchvision.fetch("x", tmp_path, ("http://example.org/x.tar",), build))
    assert f"{tmp_path} cannot be written: the disk says no" in text
    assert "--data-root or $SSLBENCH_DATA" in text


# --- whether a server answers


def ask_servers(monkeypatch: pytest.MonkeyPatch, ask: Callable[..., None], count: int) -> str | None:
    monkeypatch.undo()
    monkeypatch.setattr(_torchvision, "_ask", ask)
    monkeypatch.setattr(_torchvision, "PATIENCE", 0.2)
    return _torchvision.unreachable([str(index) for index in range(count)])


def test_one_mirror_that_answers_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask_servers(monkeypatch, lambda url, answers: answers.put(None if url == "1" else "refused"), 2) is None


def test_servers_that_refuse_give_their_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask_servers(monkeypatch, lambda url, answers: answers.put("refused"), 2) == "refused"


def test_servers_that_stay_silent_are_given_up_after_a_bounded_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def stay_silent(url: str, answers: object) -> None:
        release.wait(10)

    why = ask_servers(monkeypatch, stay_silent, 3)
    release.set()
    assert why == "no answer within 0.2 seconds"
