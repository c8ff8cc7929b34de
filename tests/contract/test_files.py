"""Files appear whole, and folders are removed nowhere but where they belong."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslbench.contract.files import remove_inside
from sslbench.contract.spec import InputError


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder `status` with a suite's folder in it, a stranger's folder beside it and a link to that inside."""
    for folder in ("home/status/quick/deep", "stranger"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").write_text("kept")
    (tmp_path / "home/status/link").symlink_to(tmp_path / "stranger")
    return tmp_path


def test_a_folder_inside_is_removed_with_all_it_holds_and_one_that_is_not_there_is_no_error(place: Path) -> None:
    status = place / "home" / "status"
    remove_inside(status, status / "quick")
    remove_inside(status, status / "quick")
    assert [path.name for path in status.iterdir()] == ["link"]


@pytest.mark.parametrize("name", ["", ".", "..", "../..", "../../stranger", "quick/../..", "link", "/", "{}/stranger"])
def test_nothing_outside_is_removed_whatever_the_name(place: Path, name: str) -> None:
    status = place / "home" / "status"
    with pytest.raises(InputError, match=r"is not inside .*status, and nothing else is removed"):
        remove_inside(status, status / name.format(place))
    assert (place / "stranger" / "file").read_text() == "kept"
    assert (status / "quick" / "deep" / "file").read_text() == "kept"
