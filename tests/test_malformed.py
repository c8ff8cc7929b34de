"""Whatever a person hands over ends in one line that names it, or is read: never in a traceback, and nothing is left.

The inputs are generated, the same ones every time: what is right, with bytes lost, changed and moved, or with words in
it that mean something elsewhere. What schema and settings refuse value by value is `contract/test_bad_input.py`.
"""

from __future__ import annotations

import dataclasses
import io
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save
from typer.testing import CliRunner

from sslbench.api.loading import load_encoder
from sslbench.api.opening import open_encoder
from sslbench.commands.app import app
from sslbench.contract.settings import read_tuning, write_tuning
from sslbench.contract.spec import InputError
from sslbench.datasets import load
from sslbench.datasets.images._idx import parse_idx
from sslbench.encoders import ENCODERS
from sslbench.engine.checkpoint import Checkpoint, CheckpointRefused
from sslbench.modalities import modality_of
from sslbench.publishing.community import read_submission
from sslbench.report.attachments import Attachments
from sslbench.report.attachments.exhibits import Exhibit
from sslbench.report.attachments.files import TAKEN
from sslbench.report.attachments.gaps import Failure, Gaps
from sslbench.report.build import build, rebuild
from sslbench.report.records import from_records, read_records, write_records
from sslbench.report.scores import lay_out
from sslbench.stores.answers import answers_npz, read_right, right_npz
from sslbench.sweep import suites
from sslbench.sweep.plan import check
from tests.conftest import GOLDEN, SUITE_FILE
from tests.contract.test_bad_input import TROUBLE, TUNING
from tests.made_up import answered, probes, supervised, tuned_arm

#: Words that mean something to a parser, a spreadsheet, a terminal or a table.
WORDS = (
    *TROUBLE[:-1],  # the last is no text that UTF-8 can hold
    *("nan", "NaN", "inf", "-inf", "1e400", "-1", "0", "1.5", "9" * 30, "9" * 5000, "None", "true", "{}", "[]", "null"),
    *("?", ":", ",", "\t", '"', "\\", "\x00", "=1+1", "@data", "@classLabel", "é", "\u2028", "<script>", "%s", "1_0"),
)


def repeated(examples: int) -> settings:
    """So many inputs, the same ones every time."""
    allowed = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=allowed)


@st.composite
def damaged(draw: st.DrawFn, right: bytes) -> bytes:
    """Something right with up to three pieces of it lost, overwritten, repeated or replaced; or bytes of no format."""
    content = bytearray(right)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        stop = min(len(content), start + draw(st.sampled_from([0, 1, 2, 4, 20, len(content)])))
        piece = draw(
            st.one_of(
                st.just(b""),
                st.binary(max_size=4),
                st.sampled_from(WORDS).map(lambda word: word.encode("utf-8", "surrogatepass")),
                st.just(bytes(content[start:stop]) * 2),
            )
        )
        content[start:stop] = piece
    return bytes(content)


def reworded(right: str, separators: str) -> st.SearchStrategy[bytes]:
    """Something right with one field, as separators bound it, replaced by a word."""

    @st.composite
    def drawn(draw: st.DrawFn) -> bytes:
        bounds = [place for place, letter in enumerate(right) if letter in separators]
        at = draw(st.integers(0, len(bounds) - 2))
        word = draw(st.sampled_from(WORDS))
        return f"{right[: bounds[at] + 1]}{word}{right[bounds[at + 1] :]}".encode("utf-8", "surrogatepass")

    return drawn()


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def told(act: Callable[[], Any]) -> Any:
    """What doing this returns; None if it ends in the one line that names what is wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow says what it makes of an odd tag
        warnings.simplefilter("error", RuntimeWarning)  # numpy, that what it computed is no number
        try:
            return act()
        except InputError as error:
            line = str(error)
            assert line
            assert "\n" not in line, line
            return None


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The temporary folder is as it was, and the current folder of nobody's."""
    temporary, here = tmp_path / "temporary", tmp_path / "here"
    temporary.mkdir()
    here.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.chdir(here)
    yield
    assert [path.name for path in temporary.iterdir() if not path.name.startswith("torchinductor")] == []  # torch's own
    assert list(here.iterdir()) == []


# Records, settings and suites

GOLDEN_TEXT = "\n".join((GOLDEN / "records.csv").read_text().splitlines()[:6]) + "\n"


@repeated(120)
@given(damaged(GOLDEN_TEXT.encode()) | reworded(GOLDEN_TEXT, ",\n"))
def test_records(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "records.csv"
    path.write_bytes(content)
    records = told(lambda: read_records(path))
    if records is not None:
        told(lambda: lay_out(records))
        again = write_records(records, tmp_path / "again.csv")
        assert read_records(again).equals(records)


OURS = [dataclasses.replace(one, suite="ours", seed=0, label_seed=one.seed) for one in probes("ours", 0.8, 0.82)]
TOML = 'title = "Ours"\nauthor = "Ada"\nlicence = "MIT"\nurl = "https://example.org/ours"\n'


@repeated(60)
@given(st.data())
def test_scores_of_others(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "community" / "ours.csv"
    right = write_records(OURS, path).read_text()
    path.with_suffix(".toml").write_text(TOML)
    if data.draw(st.booleans()):
        path.write_bytes(data.draw(damaged(right.encode()) | reworded(right, ",\n")))
    else:
        path.with_suffix(".toml").write_bytes(data.draw(damaged(TOML.encode()) | reworded(TOML, '"\n')))
    told(lambda: read_submission(path))


@repeated(60)
@given(st.data())
def test_settings(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "settings.json"
    write_tuning(TUNING, path)
    right = path.read_text()
    path.write_bytes(data.draw(damaged(right.encode()) | reworded(right, '"\n:,{')))
    told(lambda: read_tuning(path))


@repeated(60)
@given(damaged(SUITE_FILE.encode()) | reworded(SUITE_FILE, '"\n=,('))
def test_suites(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes(content)
    suite = told(lambda: suites.load(str(path)))
    if suite is not None:
        told(lambda: check(suite))


# What stands beside the records


def coded(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


PICTURE = Image.fromarray((np.arange(20 * 24 * 3) % 251).astype(np.uint8).reshape(20, 24, 3))
PICTURES = {kind: coded(PICTURE, kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")}


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, dict[str, bytes]]:
    """A results folder with all files that are read again, and these; its plots are of no use here."""
    monkeypatch.setattr("sslbench.report.build.curves_png", lambda *_: b"drawn")
    monkeypatch.setattr("sslbench.report.build.savings_png", lambda *_: b"drawn")
    rows = [*probes("simclr", 0.8, 0.81), *supervised(0.7, 0.72)]
    place = ("digits", "conv", "rotation", 32, 0)
    attached = Attachments(
        environment={"python": "3.11", "packages": {"torch": "2.14"}, "git_commit": "abc", TAKEN: 2},
        gaps=Gaps(9, 2, (Failure(*place, 0, 0.01, "knn", "OSError: no room", "run"),)),
        tuned=(tuned_arm("simclr", 10, 1.0, 1.0),),
        answers=answered(rows),
        exhibits=(Exhibit(*place, "map", PICTURES["PNG"]),),
        primary="linear_probe",
    )
    build(from_records(rows), tmp_path / "t", "t", attached=attached)
    kept = tree(tmp_path / "t")
    return tmp_path / "t", {name: kept[name] for name in kept if name.endswith((".json", ".npz"))}


@repeated(60)
@given(data=st.data())
def test_files_beside_the_records(beside: tuple[Path, dict[str, bytes]], data: st.DataObject) -> None:
    folder, files = beside
    assert len(files) == 5
    for name, right in files.items():
        (folder / name).write_bytes(right)
    name = data.draw(st.sampled_from(sorted(files)))
    text = reworded(files[name].decode(), '"\n:,{') if name.endswith(".json") else st.nothing()
    (folder / name).write_bytes(data.draw(damaged(files[name]) | text))
    told(lambda: rebuild(folder))


RIGHT = (answers_npz(np.arange(40) % 7, np.arange(40) % 3 == 0, 7), right_npz(40, bytes(5)))


@repeated(60)
@given(st.sampled_from(RIGHT).flatmap(damaged))
def test_answers_of_a_run(content: bytes) -> None:
    told(lambda: read_right(content, "run 1"))


TRAINING = Checkpoint(
    {"cell": "x"}, 3, 1.5, {"loss": 0.5}, {"pretext.weight": torch.ones(3), "batches.left": torch.arange(4)}
)


@repeated(60)
@given(damaged(TRAINING.to_bytes()) | reworded(TRAINING.to_bytes()[8:200].decode("latin-1"), '"\n:,{'))
def test_checkpoints(content: bytes) -> None:
    with suppress(CheckpointRefused):
        assert Checkpoint.from_bytes(content).step == TRAINING.step


# Data

IDX = b"\x00\x00\x08\x03" + b"".join(length.to_bytes(4, "big") for length in (2, 3, 4)) + bytes(24)


@repeated(60)
@given(damaged(IDX))
def test_idx_files(tmp_path: Path, content: bytes) -> None:
    told(lambda: parse_idx(content, tmp_path / "images-idx3-ubyte"))


def test_an_idx_file_whose_declared_lengths_overflow() -> None:
    lengths = b"".join(length.to_bytes(4, "big") for length in (2**31, 2**31, 4))  # 0 in 64 bits
    with pytest.raises(InputError, match="cut short or too long for its shape"):
        parse_idx(b"\x00\x00\x08\x03" + lengths, Path("images"))


def classes(folder: Path, suffix: str, right: bytes, wrong: bytes) -> Path:
    """A folder of two classes with one file that is wrong."""
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(3):
            (folder / name / f"{number}{suffix}").write_bytes(right)
    (folder / "b" / f"2{suffix}").write_bytes(wrong)
    return folder


def loaded(kind: str, folder: Path) -> None:
    """Load a folder of one's own; what is read becomes a finite batch, and the folder stays as it is."""
    before = tree(folder)
    dataset = told(lambda: load(f"{kind}:{folder}", folder / "nowhere"))
    if dataset is not None:
        for inputs in (dataset.train_inputs, dataset.test_inputs):
            batch = modality_of(dataset.input_spec).batch(inputs)
            assert len(batch) == len(inputs)
            assert batch.double().isfinite().all()
        assert int(dataset.train_labels.max()) < len(dataset.classes)
    assert tree(folder) == before


@repeated(100)
@given(st.sampled_from(sorted(PICTURES)).flatmap(lambda kind: st.tuples(st.just(kind), damaged(PICTURES[kind]))))
def test_images(tmp_path: Path, case: tuple[str, bytes]) -> None:
    loaded("folder", classes(tmp_path / "images", ".png", PICTURES["PNG"], case[1]))


TS = "@problemName x\n@timestamps false\n@classLabel true 1 2\n@data\n1,2,3:4,5,6:1\n1,?,3:4,5,7:2\n3,2:1,1:2\n"
TSV = "1\t0.5\t1.5\t2\n2\t1\t\t3\n1\t2\t3\tNaN\n2\t2\t2\t1e3\n"


@pytest.mark.parametrize(
    ("content", "culprit"),
    [
        (b"@classLabel\n@data\n1,2:1\n", "needs @classLabel true and @data"),
        (b"@classLabel true\n@data\n1,inf:1\n1,2:2\n", "training series with a value beyond 1e+30"),
        (b"@classLabel true\n@data\n1,-1e300:1\n1,2:2\n", "training series with a value beyond 1e+30"),
        (b"@classLabel true\n@timestamps TRUE\n@data\n1,2:1\n", "time stamps"),
    ],
)
def test_series_that_cannot_be_used(tmp_path: Path, content: bytes, culprit: str) -> None:
    for split in ("TRAIN", "TEST"):
        (tmp_path / f"X_{split}.ts").write_bytes(content)
    with pytest.raises(InputError, match=re.escape(culprit)):
        load(f"series:{tmp_path}", tmp_path)


@pytest.mark.parametrize("label", ["nan", "inf", "-1e999"])
def test_a_class_may_be_called_like_no_number(tmp_path: Path, label: str) -> None:
    for split in ("TRAIN", "TEST"):
        (tmp_path / f"X_{split}.tsv").write_text(f"{label}\t1\t2\n1.0\t2\t3\n")
    assert load(f"series:{tmp_path}", tmp_path).classes == ("1", label)


@repeated(160)
@given(st.data())
def test_series(tmp_path: Path, data: st.DataObject) -> None:
    right, suffix = data.draw(st.sampled_from([(TS, ".ts"), (TSV, ".tsv")]))
    folder = tmp_path / suffix[1:]
    folder.mkdir(exist_ok=True)
    for split in ("TRAIN", "TEST"):
        (folder / f"X_{split}{suffix}").write_text(right)
    split = data.draw(st.sampled_from(["TRAIN", "TEST"]))
    (folder / f"X_{split}{suffix}").write_bytes(data.draw(damaged(right.encode()) | reworded(right, ",:\t\n ")))
    loaded("series", folder)


def sound(subtype: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.sin(np.arange(2000) / 5), 8000, format="WAV", subtype=subtype)
    return buffer.getvalue()


SOUNDS = {subtype: sound(subtype) for subtype in ("PCM_16", "FLOAT")}


@repeated(100)
@given(st.data())
def test_sounds(tmp_path: Path, data: st.DataObject) -> None:
    right = SOUNDS[data.draw(st.sampled_from(sorted(SOUNDS)))]
    wrong = data.draw(damaged(right[:60]).map(lambda head: head + right[60:]) | damaged(right))
    loaded("sounds", classes(tmp_path / "sounds", ".wav", right, wrong))


@pytest.mark.parametrize("rate", [0, 1, 999, 2**31 - 1, 2**32 - 1])
def test_rates_of_no_recording(tmp_path: Path, rate: int) -> None:
    wrong = SOUNDS["PCM_16"][:24] + rate.to_bytes(4, "little") + SOUNDS["PCM_16"][28:]
    with pytest.raises(InputError, match=r"2\.wav (has .* samples a second|cannot be read)"):
        load(f"sounds:{classes(tmp_path / 'sounds', '.wav', SOUNDS['PCM_16'], wrong)}", tmp_path)


@pytest.mark.parametrize("sample", [np.nan, np.inf, -1e30])
def test_samples_that_are_none(tmp_path: Path, sample: float) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.array([0.0, sample] * 100), 8000, format="WAV", subtype="FLOAT")
    with pytest.raises(InputError, match=r"2\.wav holds samples that are no numbers, or beyond 1e\+06"):
        load(f"sounds:{classes(tmp_path / 'sounds', '.wav', SOUNDS['FLOAT'], buffer.getvalue())}", tmp_path)


@repeated(60)
@given(damaged(b"a few words and more") | st.sampled_from(WORDS).map(str.encode))
def test_texts(tmp_path: Path, content: bytes) -> None:
    loaded("texts", classes(tmp_path / "texts", ".txt", b"some words of a class", content))


TABLE = 'text,label\n"some words, and more",x\nother words,y\nthird,x\nfourth one,y\nfifth,x\n'


@repeated(90)
@given(st.data())
def test_tables_of_texts(tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / "tables"
    folder.mkdir(exist_ok=True)
    for name in ("train", "test", "unlabeled"):
        (folder / f"{name}.csv").write_text(TABLE)
    wrong = data.draw(damaged(TABLE.encode()) | reworded(TABLE, ",\n"))
    (folder / f"{data.draw(st.sampled_from(['train', 'test', 'unlabeled']))}.csv").write_bytes(wrong)
    loaded("texts", folder)


@pytest.mark.parametrize(
    ("name", "content", "culprit"),
    [
        ("train", "text,label\na word,x\nanother\n", "train.csv, row 2: no label"),
        ("test", "text,label\n", "test.csv holds no texts"),
        ("unlabeled", "text,more\nx,y\n,\n", "a text without a word"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path: Path, name: str, content: str, culprit: str) -> None:
    for part in ("train", "test"):
        (tmp_path / f"{part}.csv").write_text(TABLE)
    (tmp_path / f"{name}.csv").write_text(content)
    with pytest.raises(InputError, match=re.escape(culprit)):
        load(f"texts:{tmp_path}", tmp_path)


@pytest.mark.parametrize("name", [b"\xff", b"=1+1", b"[bold]", b"a\nb", b"\x1b[2J"])
def test_strange_names_of_folders(tmp_path: Path, name: bytes) -> None:
    folder = classes(tmp_path / "images", ".png", PICTURES["PNG"], PICTURES["PNG"])
    (folder / "a").rename(folder / name.decode("utf-8", "surrogateescape"))
    loaded("folder", folder)


# Encoders


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, bytes]:
    """A data folder with the digits, a file for weights, and right weights of a small network for them."""
    folder = tmp_path_factory.mktemp("weights")
    spec = load("digits", folder / "data").input_spec
    network = ENCODERS.get("conv")(spec, 8)
    right = save({name: one.contiguous() for name, one in network.state_dict().items()})
    return folder / "data", folder / "mine.safetensors", right


@repeated(50)
@given(data=st.data())
def test_weights(place: tuple[Path, Path, bytes], data: st.DataObject) -> None:
    root, path, right = place
    head = 8 + int.from_bytes(right[:8], "little")
    path.write_bytes(data.draw(damaged(right[:head]).map(lambda start: start + right[head:]) | damaged(right)))
    made = told(lambda: load_encoder(path, architecture="conv", latent_dim=8, dataset="digits", data_root=root))
    assert made is None or made.latent_dim == 8


@pytest.mark.parametrize(
    "architecture", ["conv", "resnet18", "vit", "transformer", "conv1d", "nobody", "", "raw", "[/x]"]
)
@pytest.mark.parametrize("latent_dim", [-1, 0, 7, 100_000, 10**9])
def test_architectures(place: tuple[Path, Path, bytes], architecture: str, latent_dim: int) -> None:
    root, path, right = place
    path.write_bytes(right)
    asked = {"architecture": architecture, "latent_dim": latent_dim, "data_root": root}
    assert told(lambda: load_encoder(path, dataset="digits", **asked)) is None
    assert told(lambda: open_encoder(str(path), "digits", **asked)) is None


# The command line

#: Where no folder can be.
PATHS = ("taken", "taken/below", "x" * 300, "no\x00where")
NUMBERS = (*TROUBLE, "-5", "4.5", "nan", "1" + "0" * 30, "9" * 5000, "²")
STORES = {"--home": PATHS, "--tracking-uri": (*TROUBLE, "x://y", "http://", "sqlite:///"), "--data-root": PATHS}
STORAGE = {"--storage": (*TROUBLE, "x://y", "redis://nowhere", "sqlite:///")}
SELECTION = {
    "--dataset": (*TROUBLE, "folder:", "folder:/no/where", "ucr:", "ucr:../x", "series:taken"),
    **{"--pretext": TROUBLE, "--latent-dim": NUMBERS, "--fraction": NUMBERS, "--seed": NUMBERS},
}
PLUGIN = {"--plugin": (*TROUBLE, "no.where", "taken", "os", "x" * 5000 + ".py")}
COMMANDS: dict[str, tuple[tuple[str, ...], dict[str, tuple[str, ...]]]] = {
    "run": (
        ("SUITE", "--dry-run"),
        {
            **{**SELECTION, **STORES, **STORAGE, **PLUGIN, "--workers": NUMBERS, "--device": TROUBLE},
            **{
                "--results": PATHS,
                "--engine": TROUBLE,
                "--engine-option": (*TROUBLE, "=", "num_cpus=nan", "num_gpus=-1"),
            },
        },
    ),
    "report": (("SUITE",), {**STORES, **PLUGIN, "--readme": PATHS, "--results": PATHS, "--ui-url": TROUBLE}),
    "evaluate": (
        ("digits", "--encoder", "nobody"),
        {
            **{"--architecture": TROUBLE, "--latent-dim": NUMBERS, "--fraction": NUMBERS, "--per-class": NUMBERS},
            **{"--protocol": TROUBLE, "--reading": TROUBLE, "--seeds": NUMBERS, "--name": TROUBLE, "--output": PATHS},
            **{"--pretrain-seconds": NUMBERS, "--pretrain-samples": NUMBERS, "--encoder": (*TROUBLE, "os:getcwd")},
        },
    ),
    "worker": (("SUITE", "--pretext", "nobody"), {**SELECTION, **STORES, **STORAGE, **PLUGIN, "--device": TROUBLE}),
    "watch": (("SUITE", "--once"), {**STORES, **STORAGE, **PLUGIN}),
    "publish": (("SUITE",), {"--home": PATHS, "--readme": PATHS, "--results": PATHS}),
    "compare": (("HEAD:nowhere", "nobody"), {"--results": PATHS, "--nobody": TROUBLE}),
    "tune": (
        ("SUITE", "--dry-run"),
        {
            **{**STORES, "--trials": NUMBERS, "--epochs": NUMBERS, "--fraction": NUMBERS, "--latent-dim": NUMBERS},
            **{"--criterion": TROUBLE, "--encoder": TROUBLE, "--dataset": TROUBLE, "--pretext": TROUBLE},
        },
    ),
    "register": (
        ("small", "clothes", "--pretext", "nobody"),
        {
            **{"--latent-dim": NUMBERS, "--seed": NUMBERS, "--dataset": TROUBLE, "--encoder": TROUBLE},
            **{"--alias": TROUBLE, "--home": PATHS, "--tracking-uri": STORES["--tracking-uri"]},
        },
    ),
    "reproduce": (
        ("nowhere.csv",),
        {"--rows": TROUBLE, "--sample": NUMBERS, "--suite": TROUBLE, "--workers": NUMBERS, "--device": TROUBLE},
    ),
    "serve": (
        ("--artifacts", "nowhere://x"),
        {
            **{"--port": NUMBERS, "--postgres-port": NUMBERS, "--host": TROUBLE, "--home": PATHS},
            "--artifacts": ("s3://", "s3://[x", "no\x00where", "x://y", "gs://bucket"),
            "--postgres": STORAGE["--storage"],
        },
    ),
    "ui": ((), {"--port": NUMBERS, "--host": TROUBLE, "--home": PATHS, "--tracking-uri": STORES["--tracking-uri"]}),
}


def outside_stores(folder: Path) -> dict[str, bytes]:
    """Every file that a command was not told to keep."""
    return {name: content for name, content in tree(folder).items() if not name.startswith(("home/", "data/"))}


@st.composite
def entered(draw: st.DrawFn) -> tuple[str, tuple[str, ...], str, str]:
    """A command, what else it is given, and an option with its value."""
    command = draw(st.sampled_from(sorted(COMMANDS)))
    usual, options = COMMANDS[command]
    option = draw(st.sampled_from(sorted(options)))
    return command, usual, option, draw(st.sampled_from(options[option]))


@repeated(300)
@given(entered())
def test_options(tmp_path: Path, case: tuple[str, tuple[str, ...], str, str]) -> None:
    command, usual, option, value = case
    suite, home = tmp_path / "small.py", tmp_path / "home"
    suite.write_text(SUITE_FILE)
    (tmp_path / "taken").write_text("not a folder")
    before = outside_stores(tmp_path)
    at = {"--home": str(home), "--data-root": str(tmp_path / "data")} if command not in ("compare", "reproduce") else {}
    at = {name: place for name, place in at.items() if name != option and name in (*STORES, *COMMANDS[command][1])}
    if command in ("publish", "ui", "register", "serve"):
        at.pop("--data-root", None)
    value = str(tmp_path / value) if value.startswith("taken") else value
    given_options = [part for pair in at.items() for part in pair]
    arguments = [str(suite) if one == "SUITE" else one for one in usual]
    result = CliRunner().invoke(app, [command, *arguments, *given_options, option, value])
    assert isinstance(result.exception, SystemExit | None), (case, result.exception)
    assert result.exit_code in (0, 2), (case, result.output)
    assert "Traceback" not in result.output
    if result.exit_code == 2:
        lines = [line for line in result.output.strip().splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, result.output
        assert result.output.strip().endswith(lines[0]), result.output
    assert outside_stores(tmp_path) == before


@pytest.mark.parametrize(
    ("option", "place"), [("--home", "x" * 300), ("--data-root", "x" * 300), ("--results", "x" * 300)]
)
@pytest.mark.parametrize("command", ["run", "report"])
def test_no_place_is_too_long_to_be_told(tmp_path: Path, command: str, option: str, place: str) -> None:
    result = CliRunner().invoke(app, [command, "quick", option, place])
    assert result.exit_code == 2
    assert result.output == f"error: {option} '{'x' * 80}' cannot be used: File name too long\n"
