"""The one error that is a person's to mend."""

from __future__ import annotations


class InputError(ValueError):
    """Something the user gave is wrong. The message is one line naming the culprit and the choices."""
