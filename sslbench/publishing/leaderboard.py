"""The leaderboard, from everything that is published."""

from __future__ import annotations

import os
from pathlib import Path

from sslbench.contract.errors import InputError
from sslbench.publishing.community import read_community
from sslbench.publishing.folders import RECORDS_FILE
from sslbench.publishing.versions import current_versions
from sslbench.report.page.leaderboard import leaderboard_html
from sslbench.report.scores.layout import lay_out_folder


def leaderboard(results: Path, folder: Path | None = None) -> str:
    """The page over all tables and scores of others in a folder of published results.

    Args:
        folder: the page shall lie in, from which its links lead; None for that of the results.

    Raises:
        InputError: there are none, or one of them cannot be read or breaks a rule.
    """
    versions = current_versions()
    suites = {
        path.parent.name: lay_out_folder(path.parent, versions) for path in sorted(results.glob(f"*/{RECORDS_FILE}"))
    }
    community = read_community(results)
    if not suites and not community:
        raise InputError(f"no tables in {results}; name the folder of published results with --results")
    away = "" if folder is None else f"{Path(os.path.relpath(results, folder)).as_posix()}/".removeprefix("./")
    return leaderboard_html(suites, community, away)
