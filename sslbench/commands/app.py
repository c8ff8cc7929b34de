"""The command line. Nothing heavy is imported before a command needs it: `--help` and `list` answer at once."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sslbench import __version__
from sslbench.commands.compare import compare
from sslbench.commands.evaluate import evaluate
from sslbench.commands.leaderboard import leaderboard
from sslbench.commands.listing import KINDS, show
from sslbench.commands.options import Plugin, plain_errors, terminal
from sslbench.commands.publish import publish
from sslbench.commands.register import register
from sslbench.commands.report import report
from sslbench.commands.reproduce import reproduce
from sslbench.commands.run import run
from sslbench.commands.serve import serve
from sslbench.commands.tune import tune
from sslbench.commands.ui import ui
from sslbench.commands.watch import watch
from sslbench.commands.worker import worker
from sslbench.contract.environment import hush
from sslbench.contract.outside import load_plugins


class _Group(TyperGroup):
    """Commands whose wrong arguments are told in one line, like all else that a person got wrong."""

    def invoke(self, ctx: Any) -> Any:
        hush()
        with plain_errors():
            return super().invoke(ctx)


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # typer's coloured help imports a Markdown renderer: half of all the time it takes
    help="How many labels does self-supervision save? Sweep, compare, report.",
    epilog="Start with: sslbench list, then sslbench run quick --dry-run",
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        terminal().print(f"sslbench {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """How many labels does self-supervision save?"""


@app.command("list")
def list_(
    kind: Annotated[str | None, typer.Argument(help=f"One of: {', '.join(KINDS)}; all if left out.")] = None,
    plugin: Plugin = None,
) -> None:
    """Show what there is to choose from.

    Examples: sslbench list | sslbench list pretexts | sslbench list pretexts --plugin my_task.py
    """
    with plain_errors():
        load_plugins(plugin or ())
        show(kind, terminal())


for command in (
    run,
    worker,
    watch,
    serve,
    tune,
    evaluate,
    report,
    publish,
    leaderboard,
    compare,
    reproduce,
    register,
    ui,
):
    app.command()(command)
