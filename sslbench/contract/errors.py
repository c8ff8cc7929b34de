"""The one error that is a person's to mend."""

from __future__ import annotations


class InputError(ValueError):
    """Something the user gave is wrong. The message is one line naming the culprit and the choices."""


def one_line(text: str) -> str:
    """The text on one line; what a terminal would obey instead of showing it is spelt out."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in " ".join(text.split()))
