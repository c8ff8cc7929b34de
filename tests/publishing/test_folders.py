"""A folder is replaced whole, whenever the process that does it is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslbench.contract.spec import InputError
from sslbench.publishing.folders import replaced


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "results" / "quick"
    place.mkdir(parents=True)
    (place / "table.md").write_text("old")
    (place / "picture.png").write_text("old")
    return place


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix != ".lock"}  # which stays, for the next to wait at


def test_new_files_come_and_old_ones_go_at_once(folder: Path) -> None:
    with replaced(folder) as unfinished:
        (unfinished / "table.md").write_text("new")
        assert (folder / "table.md").read_text() == "old"
    assert names(folder) == {"table.md"}
    assert (folder / "table.md").read_text() == "new"
    assert names(folder.parent) == {"quick"}


def test_a_failure_leaves_the_old_files_and_nothing_else(folder: Path) -> None:
    def fail() -> None:
        with replaced(folder) as unfinished:
            (unfinished / "table.md").write_text("half")
            raise InputError("no more")

    with pytest.raises(InputError, match="no more"):
        fail()
    assert names(folder) == {"table.md", "picture.png"}
    assert names(folder.parent) == {"quick"}


def test_what_a_killed_process_left_is_put_in_order(folder: Path) -> None:
    folder.rename(folder.with_name(".quick.old"))  # killed between the two renames
    (folder.parent / ".quick.unfinished").mkdir()
    (folder.parent / ".quick.unfinished" / "table.md").write_text("half")

    def fail() -> None:
        with replaced(folder):
            assert names(folder) == {"table.md", "picture.png"}
            raise InputError("no more")

    with pytest.raises(InputError, match="no more"):
        fail()
    assert names(folder) == {"table.md", "picture.png"}
    with replaced(folder) as unfinished:
        (unfinished / "table.md").write_text("new")
    assert names(folder) == {"table.md"}
    assert names(folder.parent) == {"quick"}


def test_a_linked_folder_is_replaced_where_it_is(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    with replaced(tmp_path / "link") as unfinished:
        (unfinished / "table.md").write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert names(folder) == {"table.md"}


def test_a_file_in_its_place_is_named_and_kept(tmp_path: Path) -> None:
    (tmp_path / "quick").write_text("mine")

    def write() -> None:
        with replaced(tmp_path / "quick"):
            pass

    with pytest.raises(InputError, match=r"cannot write .*quick.* is a file"):
        write()
    assert (tmp_path / "quick").read_text() == "mine"
    assert names(tmp_path) == {"quick"}
