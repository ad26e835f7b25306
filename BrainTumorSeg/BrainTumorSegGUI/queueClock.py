"""Time that somebody really worked: from one sign of work to the next, pauses cut short."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST_GAP_S = 60.0
"""Looking at a slice takes up to this long; a longer silence is a pause, of which this much counts."""


class WorkClock:
    """Told of every sign of work by `touch`; gives the seconds since the last `take`."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._last: float | None = None
        self._seconds = 0.0

    def touch(self) -> None:
        """Something was done."""
        now = self._now()
        if self._last is not None:
            self._seconds += min(now - self._last, LONGEST_GAP_S)
        self._last = now

    def take(self) -> int:
        """Whole seconds of work that nobody has taken yet; a part of a second is kept for the next time."""
        self.touch()
        whole = int(self._seconds)
        self._seconds -= whole
        return whole
