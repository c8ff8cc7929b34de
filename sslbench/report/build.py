"""Records in, a folder of results out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from sslbench.contract.errors import InputError
from sslbench.contract.files import replace_file
from sslbench.report.attachments.attachments import Attachments
from sslbench.report.attachments.files import write_or_remove
from sslbench.report.attachments.predictions import RIGHT_FILE, check_answers
from sslbench.report.figures.curves import curves_png
from sslbench.report.figures.savings import savings_png
from sslbench.report.page.render import report_html
from sslbench.report.records import conform, read_records, write_records
from sslbench.report.scores import lay_out
from sslbench.report.statistics import Analysis
from sslbench.report.tables import tables_of
from sslbench.report.tables.community import community_sheets
from sslbench.report.tables.latex import table_tex
from sslbench.report.tables.markdown import table_csv, table_markdown
from sslbench.report.words.wording import drawn_note, outside_notes, taken_note

PAGE_FILE, SAVED_FILE = "report.html", "saved.png"


def build(
    records: pd.DataFrame,
    destination: Path,
    title: str,
    notes: Sequence[str] = (),
    attached: Attachments | None = None,
) -> list[Path]:
    """Write records, tables, curves and the page; everything is computed before the first file is replaced.

    Args:
        records: rows of `records.csv`, in any order.
        destination: folder, made if need be.
        title: heading of the tables, the figure and the page.
        notes: the suite's lines under the tables; where tuned settings serve other label budgets, one more says so.
        attached: what records do not hold; what it leaves out, or all if None, stays as the folder has it.

    Returns:
        The files written.

    Raises:
        InputError: nothing to show, two records claim the same cell, a record contradicts the stored answers, or the
            folder cannot be written.
    """
    frame = conform(records, "the records")
    given = attached or Attachments()
    completed = given.completed(destination)
    check_answers(completed.answers or {}, frame, str(destination / RIGHT_FILE))
    layout = lay_out(frame, completed.gaps, completed.primary or "", completed.versions, completed.answers)
    if not layout.blocks:
        raise InputError(f"nothing to report for {title!r}: no test accuracy of any encoder among {len(frame)} records")
    tables = replace(tables_of(layout), others=community_sheets(layout, completed.community))
    analysis = Analysis(layout, completed.tuned or ())
    own = *taken_note(completed.environment or {}), *outside_notes(layout.blocks, completed.tuned or ())
    notes = *notes, *drawn_note(frame), *own
    contents: dict[str, bytes | str] = {
        "table.md": table_markdown(tables, title, notes),
        "table.csv": table_csv(tables),
        "table.tex": table_tex(tables, title),
        "curves.png": curves_png(layout, title),
        PAGE_FILE: report_html(tables, analysis, title, notes, completed),
    }
    saved = savings_png(analysis, title)
    written = [write_records(frame, destination / "records.csv")]
    written += [replace_file(destination / name, content) for name, content in contents.items()]
    written += write_or_remove(destination / SAVED_FILE, saved or b"")  # a picture of before does not stay
    return written + given.write(destination)


def rebuild(
    destination: Path, title: str | None = None, notes: Sequence[str] = (), attached: Attachments | None = None
) -> list[Path]:
    """Write everything again from `destination/records.csv` and what else the folder holds.

    Args:
        title: heading; the folder's name if None. All others are as for `build`.

    Raises:
        InputError: as `build` and `read_records`.
    """
    records = read_records(destination / "records.csv")
    return build(records, destination, title or destination.resolve().name, notes, attached)
