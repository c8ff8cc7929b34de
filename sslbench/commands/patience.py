"""Signs of life while nothing else is said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

#: Seconds until the first sign, for who waits at a pipe, and from one to the next.
FIRST, EVERY = 2.0, 30.0


@contextmanager
def signs_of_life(console: Console, doing: str) -> Iterator[None]:
    """Say what goes on as soon as it takes longer than `FIRST` seconds, and every `EVERY` seconds from then on."""
    from rich.text import Text

    ended, sign = Event(), Text(f"{doing} …")  # made now: while much is imported, a thread waits long for its turn

    def tell() -> None:
        wait = FIRST
        while not ended.wait(wait):
            console.print(sign, soft_wrap=True)
            wait = EVERY

    thread = Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
