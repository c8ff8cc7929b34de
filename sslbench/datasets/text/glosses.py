"""WordNet's definitions: what a word means, and of what kind it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from sslbench.datasets._acquire import Unavailable, content_digest, first_of, from_debian, installed
from sslbench.datasets._base import Dataset
from sslbench.datasets._files import write_file
from sslbench.datasets._split import hold_out
from sslbench.datasets.text._texts import Collection, Described, Texts, text_dataset

NAME = "glosses"
PACKAGE, FOLDER = "wordnet-base", "/usr/share/wordnet"
FILES = ("data.adj", "data.adv", "data.noun", "data.verb")

#: SHA-256 of the names and bytes of those files.
DIGEST = "3c3926e7275e9029aeca2556114e9d667aeae58c3dbae79f3893359881badc0c"

#: The lexicographers' files, by number.
CLASSES = (
    "adj.all",
    "adj.pert",
    "adv.all",
    "noun.Tops",
    "noun.act",
    "noun.animal",
    "noun.artifact",
    "noun.attribute",
    "noun.body",
    "noun.cognition",
    "noun.communication",
    "noun.event",
    "noun.feeling",
    "noun.food",
    "noun.group",
    "noun.location",
    "noun.motive",
    "noun.object",
    "noun.person",
    "noun.phenomenon",
    "noun.plant",
    "noun.possession",
    "noun.process",
    "noun.quantity",
    "noun.relation",
    "noun.shape",
    "noun.state",
    "noun.substance",
    "noun.time",
    "verb.body",
    "verb.change",
    "verb.cognition",
    "verb.communication",
    "verb.competition",
    "verb.consumption",
    "verb.contact",
    "verb.creation",
    "verb.emotion",
    "verb.motion",
    "verb.perception",
    "verb.possession",
    "verb.social",
    "verb.stative",
    "verb.weather",
    "adj.ppl",
)

TEST_SHARE, LENGTH = 0.1, 32


def load_glosses(root: Path) -> Dataset:
    """WordNet's glosses: 105,026 + 11,671 short definitions in 45 classes of what they define.

    Miller 1995, doi:10.1145/219717.219748; WordNet 3.0 under its own free licence. The class is the lexicographer's
    file of the synset; examples of usage are left out, and so are definitions that stood there before, so that none is
    on both sides of the split, in which a tenth of every class is tested. Read from the installed Debian package, else
    fetched by apt-get; the files are kept in the data folder.

    Raises:
        InputError: the package is not to be had or other than known, or the data folder cannot be written.
    """
    home = root / NAME

    def use(folder: Path) -> None:
        for name, content in _checked(folder).items():
            write_file(home / name, content)

    if not all((home / name).is_file() for name in FILES):
        first_of(NAME, (installed(PACKAGE, FOLDER), from_debian(PACKAGE, inside=FOLDER)), root, use)
    source = "https://wordnet.princeton.edu"
    return text_dataset(Described(NAME, CLASSES, LENGTH, source), DIGEST, root, lambda: _read(home))


def _checked(folder: Path) -> dict[str, bytes]:
    """The files.

    Raises:
        Unavailable: they are not those that are known.
    """
    try:
        found = {name: (folder / name).read_bytes() for name in FILES}
    except OSError as error:
        raise Unavailable(f"cannot read {error.filename}") from error
    if content_digest(found) != DIGEST:
        raise Unavailable("the SHA-256 of its files differs")
    return found


def _read(folder: Path) -> Collection:
    pairs = definitions({name: (folder / name).read_bytes() for name in FILES})
    labels = torch.tensor(list(pairs.values()))
    texts = list(pairs)
    parts = []
    for chosen in hold_out(labels, TEST_SHARE, NAME):
        parts.append(Texts([(texts[place],) for place in chosen.tolist()], labels[chosen].tolist()))
    return Collection(parts[0], parts[1])


def definitions(files: Mapping[str, bytes]) -> dict[str, int]:
    """Every definition and the number of its class; of those that are written alike the first."""
    found: dict[str, int] = {}
    for name in sorted(files):
        for line in files[name].decode("latin-1").splitlines():
            entry, bar, gloss = line.partition(" | ")
            if bar and not line.startswith("  "):
                definition = gloss.partition('; "')[0].strip().strip(";").strip()
                if definition:
                    found.setdefault(definition, int(entry.split()[1]))
    return found
