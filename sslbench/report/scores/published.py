"""A folder of published results, laid out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sslbench.report.attachments.files import read_primary
from sslbench.report.attachments.predictions import read_answers
from sslbench.report.records import read_records
from sslbench.report.scores.layout import Layout, lay_out


def lay_out_folder(folder: Path, versions: Mapping[tuple[str, str], int]) -> Layout:
    """The records of `folder/records.csv` and what else of it tables need.

    Args:
        versions: of the plug-ins as they are now, by kind and name.

    Raises:
        InputError: a file cannot be read.
    """
    records, primary = read_records(folder / "records.csv"), read_primary(folder)
    return lay_out(records, primary=primary, versions=versions, answers=read_answers(folder))
