"""The files of a page: templates, filled by Jinja2 with autoescaping on, and styles and scripts of our own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from sslbench.report.scores.rows import Run

ASSETS = Path(__file__).parent / "assets"


@cache
def template(name: str) -> Template:
    """A template; names it is not given are errors."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(code=_with_code, runs=_runs)
    return environment.from_string(_text(name))


@cache
def asset(name: str) -> Markup:
    """A style or script of our own, put into the page as it is."""
    return Markup(_text(name))


def _text(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _with_code(text: str) -> Markup:
    """Text with `code` between backticks, everything else escaped."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def _runs(runs: Sequence[Run]) -> str:
    """The runs behind a number, as the attribute that the page's script reads."""
    return json.dumps([[str(run.replicate), round(run.value, 6), run.run_id] for run in runs], separators=(",", ":"))
