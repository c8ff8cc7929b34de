from pathlib import Path

from sslbench.datasets import load
from sslbench.testing import DatasetContract


class TestFaces(DatasetContract):
    names = ("faces",)


def test_both_classes_are_tested_alike() -> None:
    assert load("faces", Path("unused")).test_labels.bincount().tolist() == [20, 20]
