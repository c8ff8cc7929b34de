"""How workers with nothing to take leave the store and the processors to those at work."""

from __future__ import annotations

import random
import time

#: Seconds between two looks at a queue with nothing to take: the first of them and the longest.
FIRST, LONGEST = 0.5, 5.0

#: The same where a look takes long: so many times as long, up to so many seconds.
LOOKS, LONGEST_REST = 5, 15.0


class Idle:
    """The rests of one worker, longer and longer until it finds something."""

    def __init__(self) -> None:
        self._pause = FIRST

    def over(self) -> None:
        """Something was found."""
        self._pause = FIRST

    def rest(self, began: float) -> None:
        """Sleep.

        Args:
            began: when the look that found nothing was begun, by `time.monotonic`.
        """
        looked = time.monotonic() - began
        time.sleep(random.uniform(0.5, 1) * max(self._pause, min(LOOKS * looked, LONGEST_REST)))
        self._pause = min(1.5 * self._pause, LONGEST)
