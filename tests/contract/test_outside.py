"""Plug-ins of other packages are found without being imported, and what is wrong with one names its distribution."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path
from typing import Any

import pytest

from sslbench.contract import outside
from sslbench.contract.outside import load_plugins, source_of
from sslbench.contract.registry import Registry
from sslbench.contract.spec import InputError
from tests.forked import command

GROUP = "sslbench.pretexts"
TASK = '"""A file."""\nclass Task:\n    """Does a thing."""\n'


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(outside, "_entries", importlib.metadata.entry_points)
    return tmp_path


def install(site: Path, name: str, *entries: str, code: str = TASK) -> None:
    """What pip leaves of a package of one module, its name with `_` for `-`."""
    (site / f"{name.replace('-', '_')}.py").write_text(code)
    info = site / f"{name.replace('-', '_')}-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *entries, ""]))


def registry() -> Registry[Any]:
    return Registry("pretext", {"ours": "sslbench.pretexts.simclr:SimCLR"}, GROUP)


def test_what_is_installed_is_known_by_name_version_and_sentence_and_not_imported(site: Path) -> None:
    install(site, "far-off", "there = far_off:Task", "changed.v3 = far_off:Task")
    known = registry()
    assert list(known) == ["ours", "there", "changed"]
    assert [known.version(name) for name in known] == [1, 1, 3]
    assert known.summary("there") == "Does a thing."
    assert known.owner("there") == "distribution far-off 0.1"
    assert known.module("there") == "far_off"
    assert "far_off" not in sys.modules
    assert known.get("there").__name__ == "Task"
    del sys.modules["far_off"]


@pytest.mark.parametrize(
    ("entry", "code", "message"),
    [
        ("ours = far_off:Task", TASK, "distribution far-off 0.1: pretext 'ours' has the name of one of sslbench's own"),
        ("a/b = far_off:Task", TASK, "distribution far-off 0.1: pretext 'a/b' is not spelt with letters"),
        ("a.v0 = far_off:Task", TASK, "distribution far-off 0.1: pretext 'a.v0' is not spelt with letters"),
        ("a = far_off", TASK, "distribution far-off 0.1: pretext 'a' lies at 'far_off', which is not module:object"),
    ],
)
def test_a_wrong_entry_is_told_when_its_name_is_asked_for_or_listed(
    site: Path, entry: str, code: str, message: str
) -> None:
    install(site, "far-off", entry, code=code)
    known, name = registry(), entry.partition(" =")[0]
    with pytest.raises(InputError) as caught:
        known.check(name)
    assert str(caught.value).startswith(message)
    assert known.summary(name) == f"(cannot be used: {caught.value})"
    assert "ours" in known


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("raise SystemExit", "SystemExit"),
        ("class Other: ...", "KeyError: 'Task'"),
        ("def", "SyntaxError"),
    ],
)
def test_a_plug_in_that_does_not_load_names_its_distribution(site: Path, code: str, message: str) -> None:
    install(site, "far-off", "there = far_off:Task", code=code)
    with pytest.raises(InputError) as caught:
        registry().get("there")
    assert str(caught.value).startswith("pretext 'there' of distribution far-off 0.1 cannot be loaded: " + message)
    sys.modules.pop("far_off", None)


def test_a_list_says_what_cannot_be_read(site: Path) -> None:
    install(site, "far-off", "gone = far_off.gone:Task", "there = far_off:Task", code="def")
    known = registry()
    assert known.summary("gone") == "(cannot be used: distribution far-off 0.1 has no module far_off.gone)"
    assert known.summary("there") == "(cannot be read: distribution far-off 0.1: SyntaxError)"


def test_a_name_that_two_distributions_offer_is_neither_s(site: Path) -> None:
    install(site, "far-off", "there = far_off:Task")
    install(site, "near-by", "there = near_by:Task")
    with pytest.raises(InputError, match=r"'there' is offered twice, by distribution \S+ 0.1 and distribution \S+ 0.1"):
        registry().get("there")


def test_a_name_that_is_taken_is_not_registered_again(site: Path) -> None:
    install(site, "far-off", "there = far_off:Task")
    known = registry()
    with pytest.raises(InputError, match="'ours' is one of sslbench's own"):
        known.register("ours")(Registry)
    with pytest.raises(InputError, match=r"'there' is offered by distribution far-off 0\.1"):
        known.register("there")(Registry)
    known.register("mine")(Registry)
    known.register("mine")(Registry)  # the file of a suite runs more than once
    with pytest.raises(InputError, match=r"registered twice, by sslbench.contract.registry and pathlib"):
        known.register("mine")(Path)


def test_a_plug_in_may_register_itself_too_with_the_version_of_its_entry(site: Path) -> None:
    install(site, "far-off", "there.v2 = far_off:Task")
    known = registry()
    task = type("Task", (), {"__module__": "far_off"})
    with pytest.raises(InputError, match="its file says another version than its entry"):
        known.register("there")(task)
    known.register("there", version=2)(task)
    assert known.get("there") is task


def test_the_file_of_a_module_is_found_without_importing_what_is_around_it(site: Path) -> None:
    (site / "around" / "deep").mkdir(parents=True)
    (site / "around" / "__init__.py").write_text("raise ImportError")
    (site / "around" / "deep" / "inside.py").write_text("")
    assert source_of("around.deep.inside") == site / "around" / "deep" / "inside.py"
    assert source_of("around") == site / "around" / "__init__.py"
    assert source_of("around.nothing") is None
    assert source_of("nowhere_at_all.inside") is None


MINE = '''from sslbench.pretexts import PRETEXTS
from sslbench.pretexts.baselines import RandomInit
@PRETEXTS.register("mine")
class Mine(RandomInit):
    """Mine is like nothing at all."""
'''


def test_a_file_of_plug_ins_is_run_once(tmp_path: Path) -> None:
    path = tmp_path / "counted.py"
    path.write_text("import sys\nsys.counted = getattr(sys, 'counted', 0) + 1\n")
    load_plugins([str(path), str(path)])
    assert vars(sys).pop("counted") == 1
    (tmp_path / "other").mkdir()
    path.rename(tmp_path / "other" / path.name)
    with pytest.raises(InputError, match="have one name; rename one"):
        load_plugins([str(tmp_path / "other" / path.name)])
    del sys.modules["sslbench_plugin_counted"]


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("gone.py", None, "plug-in file 'gone.py' does not exist"),
        ("nowhere_at_all", None, "'nowhere_at_all' is no .py file, nor a module that can be imported: ModuleNotFound"),
        ("..", None, "plug-in '..' is no .py file, nor a module"),
        ("broken.py", "1 / 0", "broken.py does not run: ZeroDivisionError: division by zero"),
        ("own.py", MINE.replace("mine", "simclr"), "own.py: pretext 'simclr' is one of sslbench's own"),
    ],
)
def test_what_cannot_be_loaded_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: str | None, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if code is not None:
        Path(name).write_text(code)
    with pytest.raises(InputError) as caught:
        load_plugins([name])
    assert message in str(caught.value)
    assert "sslbench_plugin_broken" not in sys.modules


@pytest.mark.parametrize("name", ["mine.py", "mine"])
def test_a_file_and_a_module_are_listed(tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    told = command("list", "pretexts", "--plugin", name, place=tmp_path).ends()
    assert "mine" in told
    assert "Mine is like nothing at all." in told
