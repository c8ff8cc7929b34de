"""A front door: whatever a person gets wrong is one line naming the culprit, before any work starts.

The wrong values are drawn from the schema itself, so a new field, setting or column is tested by being declared.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from sslbench.commands.app import app
from sslbench.contract import schema
from sslbench.contract.record import Record
from sslbench.contract.settings import Budget, TunedArm, Tuning, configure, declared, read_tuning, write_tuning
from sslbench.contract.spec import InputError, OptimizerConfig, Suite
from sslbench.datasets import DATASETS
from sslbench.pretexts import PRETEXTS
from sslbench.protocols import PROTOCOLS
from sslbench.report.records import read_records
from sslbench.sweep import suites
from sslbench.sweep.plan import check
from tests.conftest import GOLDEN, SUITE_FILE

SUITE = Suite("s", ("digits",), ("conv",), ("simclr",), (8,), (0,), 1.0)
BUDGET = Budget("digits", "digits", "conv", 8, "budget_cv", 0.1, 100, 3, 1.0, None, 0, 100, 1000)
ARM = TunedArm({"temperature": 0.2}, 0.5, None, 0, 3, 2, 1.0, 1.0, 10, 1e6)
TUNING = Tuning("s", "0.1.0", "abc", BUDGET, {"simclr": ARM})
CONFIGS = {name: registry.get(name).Config() for registry in (PRETEXTS, PROTOCOLS) for name in registry}
WRITTEN = [SUITE, BUDGET, ARM, TUNING, OptimizerConfig(), *CONFIGS.values()]

#: Text that would mean something in a path, a terminal or a table.
TROUBLE = (
    "",
    ".",
    "..",
    "../../x",
    "/etc",
    "a/b",
    "[/x]",
    "[bold]x",
    "a b",
    "x" * 300,
    "\x1b[2J",
    "a\nb",
    "\udcff",
    "²",
)

few = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Odd:
    """A stranger's object that says more than a line of itself."""

    def __repr__(self) -> str:
        return "one\nand " + 100 * "another "


def other_types(*fine: type) -> st.SearchStrategy[Any]:
    """Values of all types but these (True is no number, a whole number is a float)."""
    every = [None, True, 3, 0.5, "hot", b"x", [1], {"a": 1}, {1}, (1,), 1j, Odd(), object, print, math]
    callables = (type, type(print))
    return st.sampled_from([value for value in every if type(value) not in (*fine, *(callables * (Callable in fine)))])


def wrong(kind: Any) -> st.SearchStrategy[Any]:
    """Values that a declared type must refuse, by reading the type."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        base, limits = inner[0], [limit for item in inner[1:] for limit in getattr(item, "metadata", ())]
        found = [wrong(base), *(_beyond(base, limit) for limit in limits)]
        rules = [getattr(item, "func", None) for item in inner[1:]]
        if schema.check_name in rules:
            found.append(st.sampled_from(TROUBLE))
        if schema._check_line in rules:
            found.append(st.sampled_from(("\x1b[2J", "a\nb", "\udcff", "\x00")))
        if schema._check_some in rules:
            found.append(st.just(()))
        if schema._check_distinct in rules and base is not tuple[schema.Line, ...]:
            found.append(st.sampled_from([(1, 1), (0.5, 0.5), (8, 8)]))
        return st.one_of(found)
    if origin is Literal:
        return st.one_of(other_types(*map(type, inner)), st.sampled_from([*TROUBLE, 0, -1, 10**30]))
    if origin is tuple:
        item = wrong(inner[0])
        return st.one_of(other_types(tuple), item.map(lambda value: (value,)))
    if type(None) in inner:  # X | None
        return wrong(inner[0]).filter(lambda value: value is not None)
    if origin is not None and issubclass(origin, Mapping):
        value = wrong(inner[1]) if inner[1] is not Any else st.nothing()
        return st.one_of(other_types(dict), value.map(lambda value: {"a": value}), st.just({3: {}}))
    if kind is float:
        return st.one_of(other_types(float, int), st.sampled_from([math.nan, math.inf, -math.inf, 10**400]))
    if kind is int:
        return st.one_of(other_types(int), st.sampled_from([math.nan, 4.5, 1.0]))
    return other_types(
        kind if isinstance(kind, type) else origin or float, *((int, float) if inner == (float, int) else ())
    )


def _beyond(base: type, limit: Any) -> st.SearchStrategy[Any]:
    """Numbers on the wrong side of a `Gt`, `Ge`, `Lt` or `Le`."""
    (bound,) = vars(limit).values() if hasattr(limit, "__dict__") else (getattr(limit, limit.__slots__[0]),)
    name = type(limit).__name__
    exclusive = name in ("Gt", "Lt")
    sign = -1 if name in ("Gt", "Ge") else 1
    steps = [0] * exclusive + [1, 2, 10**30]
    return st.sampled_from([base(bound + sign * step) for step in steps])


def refused(act: Callable[[], object], culprit: str) -> str:
    """The one line that doing this ends in, which names the culprit."""
    with pytest.raises(InputError) as caught:
        act()
    line = str(caught.value)
    assert "\n" not in line
    assert culprit in line, line
    assert len(line) < 600 + len(culprit)
    return line


@st.composite
def wrong_fields(draw: st.DrawFn) -> tuple[Any, str, Any]:
    """Something right, one of its fields, and a value that field must refuse."""
    right = draw(st.sampled_from(WRITTEN))
    kinds = {name: kind for name, kind in schema.hints(type(right)).items() if kind is not Any}
    name = draw(st.sampled_from(sorted(kinds))) if kinds else ""
    return right, name, draw(wrong(kinds[name])) if kinds else None


@few
@given(wrong_fields())
def test_every_field_refuses_what_its_type_does_not_say(case: tuple[Any, str, Any]) -> None:
    right, name, value = case
    if name:
        refused(lambda: dataclasses.replace(right, **{name: value}), name)


@st.composite
def wrong_settings(draw: st.DrawFn) -> tuple[str, str, Any]:
    """A pretext or protocol, a dotted setting of it, and a value it must refuse."""
    owner = draw(st.sampled_from(sorted(name for name in CONFIGS if dataclasses.fields(CONFIGS[name]))))
    kinds = dict(schema.hints(type(CONFIGS[owner])))
    if "optimizer" in kinds:
        kinds |= {f"optimizer.{name}": kind for name, kind in schema.hints(OptimizerConfig).items()}
    name = draw(st.sampled_from(sorted(kinds)))
    return owner, name, draw(wrong(kinds[name]))


@few
@given(wrong_settings())
def test_a_setting_is_refused_whether_or_not_the_suite_runs_its_owner(case: tuple[str, str, Any]) -> None:
    owner, name, value = case
    suite = dataclasses.replace(SUITE, pretexts=("rotation",), settings={owner: {name: value}})
    assert repr(owner) in refused(lambda: check(suite), name.rpartition(".")[2])


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_what_optuna_may_try_is_what_a_setting_may_be(name: str) -> None:
    for path, item in declared(CONFIGS[name]).items():
        for value in (item.range.low, item.range.high):
            configure(CONFIGS[name], {path: type(item.value)(value)}, name)


@few
@given(st.data())
def test_a_record_is_refused_with_its_line(tmp_path: Path, data: st.DataObject) -> None:
    lines = (GOLDEN / "records.csv").read_text().splitlines()
    column = data.draw(st.sampled_from(lines[0].split(",")))
    kind = schema.hints(Record)[column]
    numbers = ("hot", "inf", "-inf", "nan", "5.0e", "1e400", "²", "[/x]", *(["-1"] if column != "value" else []))
    wrong_cells = {
        schema.Name: ("", "..", "../../x", "a/b", "[/x]"),
        schema.Identity: ("..", "../../x", "a/b", "[/x]"),
        schema.Cell: ("\x1b[2J", "\x00", "=1+1"),
    }
    cell = data.draw(st.sampled_from(wrong_cells.get(kind, numbers)))
    row = data.draw(st.integers(1, len(lines) - 1))
    place = lines[0].split(",").index(column)
    cells = lines[row].split(",")
    lines[row] = ",".join([*cells[:place], cell, *cells[place + 1 :]])
    path = tmp_path / "records.csv"
    path.write_text("\n".join(lines) + "\n")
    assert f"line {row + 1}" in refused(lambda: read_records(path), column)


@pytest.mark.parametrize(
    ("metric", "value", "message"),
    [
        ("accuracy", "5.0", "less than or equal to 1"),
        ("accuracy", "-0.3", "greater than or equal to 0"),
        ("x", "inf", "finite"),
    ],
)
def test_numbers_that_cannot_be_measured_are_refused(tmp_path: Path, metric: str, value: str, message: str) -> None:
    header, first, *rest = (GOLDEN / "records.csv").read_text().splitlines()
    cells = dict(zip(header.split(","), first.split(","), strict=True)) | {"metric": metric, "value": value}
    path = tmp_path / "records.csv"
    path.write_text("\n".join([header, ",".join(cells.values()), *rest]))
    assert message in refused(lambda: read_records(path), "line 2: value")


@pytest.mark.parametrize("column", ["cell_id", "run_id"])
def test_identities_of_which_files_are_named_lead_nowhere_else(tmp_path: Path, column: str) -> None:
    header, first = (GOLDEN / "records.csv").read_text().splitlines()[:2]
    cells = dict(zip(header.split(","), first.split(","), strict=True)) | {column: "../../away"}
    path = tmp_path / "records.csv"
    path.write_text("\n".join([header, ",".join(cells.values())]))
    assert "letters, digits, dots, - or _" in refused(lambda: read_records(path), f"line 2: {column}")


def test_a_number_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    lines = (GOLDEN / "records.csv").read_text().splitlines()
    path = tmp_path / "records.csv"
    path.write_text("\n".join([*lines, lines[3]]))
    refused(lambda: read_records(path), f"line {len(lines) + 1}: the same cell_id, metric, split as line 4")


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value of a JSON document."""
    inner = content.items() if isinstance(content, dict) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


@few
@given(st.data())
def test_a_settings_file_is_refused_by_name(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "settings.json"
    write_tuning(TUNING, path)
    content = {"": json.loads(path.read_text())}
    *way, last = data.draw(st.sampled_from(places(content)[1:]))
    inside: Any = content
    for key in way:
        inside = inside[key]
    # No field takes any of these, except that a trial may have no score and a budget all inputs.
    inside[last] = data.draw(st.sampled_from([math.nan, math.inf, -1e300, [], True, {"a": []}, ["x"], "\x00"]))
    path.write_text(json.dumps(content[""]))
    if (last, inside[last]) not in (("score", -1e300), ("default_score", -1e300), ("temperature", -1e300)):
        refused(lambda: read_tuning(path), str(path))


NAMED = [
    *((f'name="{name}"', "name") for name in ("/abs/dir", "..", ".", "../../x", "", "[/x]", "a b", "x" * 200)),
    *((f"latent_dims=({value},)", "latent_dims") for value in ("4.5", "True", "float('nan')", "10**12", "0", "'8'")),
    *((f"seeds=({value},)", "seeds") for value in ("0.5", "True", "float('nan')", "10**30", "-1", "10**5000", "0, 0")),
    *((f"label_seeds=({value},)", "label_seeds") for value in ("0.5", "None", "-3", "1, 1", "10**30", "'x'")),
    *((f"label_fractions=({value},)", "label_fractions") for value in ("1, 1.0", "0", "2", "float('nan')", "'1%'")),
    *((f"epochs={value}", "epochs") for value in ("1e300", "float('inf')", "0", "-1", "'1'", "None", "10**400")),
    *((f"{axis}=3", axis) for axis in ("datasets", "encoders", "pretexts", "latent_dims", "seeds", "protocols")),
    *((f"{axis}=()", axis) for axis in ("datasets", "encoders", "pretexts", "latent_dims", "seeds", "protocols")),
    *((f"{axis}=(1,)", axis) for axis in ("datasets", "encoders", "pretexts", "protocols", "notes")),
    *((f'{axis}=("[/x]",)', "[/x]") for axis in ("datasets", "encoders", "pretexts", "protocols")),
    *((f"num_unlabelled={value}", "num_unlabelled") for value in ("-5", "0", "1.5", "True", "'all'")),
    *((f"checkpoint_fraction={value}", "checkpoint_fraction") for value in ("0", "-1", "2", "float('nan')")),
    *((f"checkpoints=({value},)", "checkpoint") for value in ("0", "-1", "2", "float('nan')", "0.5, 0.5", "1e300")),
    *((f"settings={value}", "settings") for value in ("3", "None", "{'knn': 3}", "{'nobody': {}}", "{3: {}}", "[]")),
    *((f"notes={value}", "notes") for value in ("None", "'text'", "('a\\nb',)", "(None,)")),
    *(
        (f"include={value}", "include")
        for value in ("3", "None", "lambda: True", "lambda *a: 1 / 0", "lambda *a: None")
    ),
    ("include=lambda *a: {}[a]", "include"),
    ("include=lambda pretext, latent_dim: True", "include(Combination(dataset='digits', pretext='majority_class', "),
    *((f"steps={value}", "steps") for value in ("0", "-1", "1.5", "True", "'1'", "10**30")),
    *((f"flops={value}", "flops") for value in ("0", "-1", "float('nan')", "float('inf')", "1e300", "'1'", "True")),
    *((f"epochs=None, {length}", "not steps and flops") for length in ("steps=1, flops=1.0", "flops=1, steps=1")),
    *((f"epochs=None, {length}, checkpoints=(1,)", "checkpoints") for length in ("steps=1", "flops=1e9")),
    ("epochs=1, steps=1", "not epochs and steps"),
    *((f"labels_per_class=({value},)", "labels_per_class") for value in ("0", "-1", "1.5", "True", "'1'", "2, 2")),
    ("labels_per_class=6", "labels_per_class"),
    ("label_fractions=()", "label_fractions and labels_per_class are both empty"),
    *((f"readings={value}", "readings") for value in ("3", "()", "(1,)", "'map'", "('map', 'map')", "None")),
    *((f"readings=({value!r},)", "reading") for value in ("mpa", "", "[/x]", "latent, map")),
    *(
        (f"primary={value!r}", "primary")
        for value in ("mpa", "linear_probe, map", "linear_probe,map", "raw_pixels", "[/x]")
    ),
    *((f"primary={value}", "primary") for value in ("3", "None", "('knn',)")),
    ('readings=("latent", "map"), primary="finetune, map"', "primary 'finetune, map'"),
    *((f"compute_of={value}", "compute_of") for value in ("3", "None", "'random_init'", "('simclr',)")),
    *((f"compute_of={value!r}", value) for value in ("simclrr", "[/x]", "knn")),
    ('pretexts=("supervised_compute",)', "compute_of"),
    ('settings_file="nowhere.json"', "nowhere.json"),
    ("settings_file=3", "settings_file"),
    ("epoch=1", "epoch"),
    ('datasets=("folder:~nosuchuser/x",)', "~nosuchuser"),
    ('datasets=("folder:/no/such/[/place]",)', "[/place]"),
    ('datasets=("folder:" + "y" * 5000,)', "folder:"),
    *(
        (f"settings={{'{owner}': {{'{name}': {value}}}}}", name.rpartition(".")[2])
        for owner, name, value in [
            ("knn", "neighbours", "0"),
            ("simclr", "temperature", "0"),
            ("simclr", "temperature", "float('nan')"),
            ("simclr", "temperature", "-1"),
            ("simclr", "temprature", "0.1"),
            ("finetune", "min_steps", "-5"),
            ("finetune", "max_steps", "-5"),
            ("linear_probe", "folds", "0"),
            ("linear_probe", "strengths", "[]"),
            ("byol", "optimizer.learning_rate", "float('nan')"),
            ("byol", "optimizer.batch_size", "1"),
            ("byol", "optimizer.name", "'adamm'"),
            ("jigsaw", "permutations", "25"),
            ("jigsaw", "grid", "4"),
            ("vicreg", "[/x]", "1"),
        ]
    ),
]


def told(*arguments: str) -> str:
    """What `sslbench ARGUMENTS` says: one line, and exit code 2."""
    result = CliRunner().invoke(app, list(arguments))
    assert isinstance(result.exception, SystemExit), (arguments, result.exception)
    assert result.exit_code == 2, (arguments, result.output)
    lines = result.output.strip().splitlines()
    assert len(lines) == 1, result.output
    assert lines[0].startswith("error: ")
    return lines[0]


def entered(folder: Path, *arguments: str) -> str:
    """The same, and nothing was made in its home."""
    line = told(*arguments)
    assert not (folder / "home").exists(), arguments
    return line


def run(folder: Path, *arguments: str) -> str:
    """The same of `sslbench run ARGUMENTS --dry-run`."""
    stores = ("--home", str(folder / "home"), "--data-root", str(folder / "data"))
    return entered(folder, "run", *arguments, "--dry-run", *stores)


@pytest.mark.parametrize(("change", "culprit"), NAMED)
def test_a_suites_file_is_refused_before_work(tmp_path: Path, change: str, culprit: str) -> None:
    path = tmp_path / "mine.py"
    lines = [line for line in SUITE_FILE.splitlines() if not line.strip().startswith(change.split("=")[0] + "=")]
    path.write_text("\n".join([*lines[:-1], f"    {change},", ")"]))
    assert culprit in run(tmp_path, str(path))


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        ("labels_per_class=(200,)", "200 labels per class are more than the 1,297 labels"),
        ("latent_dims=(8, 129)", "encoder 'conv' is 128 wide: latent size 129 would still have rank 128"),
        (
            'pretexts=("supervised_compute",), compute_of="colorization"',
            "compute_of 'colorization' needs colour images",
        ),
    ],
)
def test_what_only_the_data_can_tell_is_refused_before_training(tmp_path: Path, change: str, culprit: str) -> None:
    path = tmp_path / "mine.py"
    lines = [line for line in SUITE_FILE.splitlines() if not line.strip().startswith(change.split("=")[0] + "=")]
    path.write_text("\n".join([*lines[:-1], f"    {change},", ")"]))
    stores = ("--home", str(tmp_path / "home"), "--data-root", str(tmp_path / "data"))
    assert culprit in told("run", str(path), *stores)


@pytest.mark.parametrize(
    ("content", "culprit"),
    [
        ("raise SystemExit(0)", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("import sys; sys.exit()", "SystemExit"),
        ("raise ValueError('[/x]\\nmore')", "[/x] more"),
        ("SUITE = 3", "SUITE"),
        ("", "SUITE"),
        ("def", "SyntaxError"),
        ("SUITE = [[[", "SyntaxError"),
        ("import nowhere", "nowhere"),
        ("x = '\x00'", "mine.py"),
        ("from sslbench.datasets import DATASETS\nDATASETS.register('../x')(print)", "'../x'"),
        ("from sslbench.pretexts import PRETEXTS\nPRETEXTS.register('[/x]')(print)", "'[/x]'"),
    ],
)
def test_a_file_that_is_no_suite_is_refused(tmp_path: Path, content: str, culprit: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(content)
    line = run(tmp_path, str(path))
    assert "mine.py" in line
    assert culprit in line


OPTIONS = {
    "--dataset": TROUBLE,
    "--pretext": TROUBLE,
    "--latent-dim": (*TROUBLE, "0", "-5", "4.5", "nan", "1" + "0" * 30, "9" * 5000),
    "--fraction": (*TROUBLE, "0", "-1", "2", "nan", "inf", "1e300"),
    "--seed": (*TROUBLE, "-1", "0.5", "nan", "1" + "0" * 30),
    "--device": TROUBLE,
    "--workers": (*TROUBLE, "0", "-1", "1.5", "²", "１", "+1", "99999"),
}


@few
@given(st.data())
def test_arguments_are_refused_before_work(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "small.py"
    path.write_text(SUITE_FILE)
    option = data.draw(st.sampled_from(sorted(OPTIONS)))
    value = data.draw(st.sampled_from(OPTIONS[option]))
    line = run(tmp_path, str(path), option, value)
    names = (option, option.strip("-").replace("-", "_"), option.strip("-"), "label_fractions")
    assert any(name in line for name in names), line


@pytest.mark.parametrize("name", [*TROUBLE[1:], "x" * 5000, "x" * 300 + ".py", "/no/[/x].py", "[bold]x.py", "/etc.py"])
def test_names_of_suites_are_shown_as_written(tmp_path: Path, name: str) -> None:
    for command in ("run", "tune", "report"):
        line = entered(tmp_path, command, name, "--home", str(tmp_path / "home"))
        assert ascii(name).strip("'")[:20] in line or name[:20] in line, line
    entered(tmp_path, "list", name)
    entered(tmp_path, "compare", name, name, "--results", str(tmp_path))
    entered(tmp_path, "reproduce", name)
    entered(tmp_path, name)


def test_a_suite_whose_own_name_is_a_path_reaches_no_folder(tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    path = tmp_path / "mine.py"
    path.write_text(SUITE_FILE.replace('name="small"', f'name="{stranger}"'))
    result = CliRunner().invoke(app, ["run", str(path), "--home", str(tmp_path / "home")])
    assert result.exit_code == 2
    assert stranger.is_dir()


def test_a_dataset_may_not_call_itself_a_path(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name of a dataset must be 1 to 100 letters"):
        DATASETS.check_spelling("../../x")


def test_whole_numbers_become_the_floats_that_were_declared() -> None:
    assert dataclasses.replace(SUITE, label_fractions=(1,), epochs=2) == dataclasses.replace(
        SUITE, label_fractions=(1.0,), epochs=2.0
    )
    assert isinstance(dataclasses.replace(SUITE, epochs=2).epochs, float)


def test_all_shipped_suites_pass() -> None:
    for name in suites.names():
        check(suites.load(name))


def test_a_suite_that_cannot_be_read_is_still_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "broken.py").write_text("def")
    (tmp_path / "benchmarks" / "odd.py").write_text('"""[bold]x and [/x]"""')
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["list", "suites"])
    assert result.exit_code == 0
    assert "(cannot be read: SyntaxError)" in result.output
    assert "[bold]x and [/x]" in result.output
