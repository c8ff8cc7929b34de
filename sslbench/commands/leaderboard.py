"""`sslbench leaderboard`: every published row and every score of others on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sslbench.commands.options import Results, plain_errors, say, terminal


def leaderboard(
    output: Annotated[Path | None, typer.Option(help="File to write; default RESULTS/leaderboard.html.")] = None,
    results: Results = Path("results"),
) -> None:
    """Write one page over all published tables and scores of others: accuracy, labels saved and cost, line by line.

    Examples: sslbench leaderboard | sslbench leaderboard --results ../paper/results --output board.html
    """
    with plain_errors():
        from sslbench.contract.files import replace_file
        from sslbench.publishing.leaderboard import leaderboard as page

        file = output or results / "leaderboard.html"
        say(terminal(), f"written: {replace_file(file, page(results, file.parent))}")
