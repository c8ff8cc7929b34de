"""Errors that are told in one line: what a person is to mend, and what only time mends."""

from __future__ import annotations


class InputError(ValueError):
    """Something the user gave is wrong. The message is one line naming the culprit and the choices."""


class StoreLost(Exception):
    """A store does not answer any more. What is finished is kept; the rest goes on when the same is run again."""


def one_line(text: str) -> str:
    """The text on one line; what a terminal would obey instead of showing it is spelt out."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in " ".join(text.split()))
