"""`sslbench`, and `python -m sslbench`: the same."""

from __future__ import annotations

import sys

from sslbench.commands.listing import KINDS, show


def start() -> None:
    """Run the command line. A plain `list` is answered without its parser, whose start takes longer than the answer."""
    arguments = sys.argv[1:]
    if arguments == ["list"] or (len(arguments) == 2 and arguments[0] == "list" and arguments[1] in KINDS):
        import rich

        show(arguments[1] if len(arguments) == 2 else None, rich.get_console())
    else:
        from sslbench.commands.app import app

        app(prog_name="sslbench")


if __name__ == "__main__":
    start()
