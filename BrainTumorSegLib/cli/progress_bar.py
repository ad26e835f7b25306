"""Progress on standard error: a bar with the time left on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

_BAR_EVERY_S = 0.1
_FIRST_LINE_S, _LINE_EVERY_S = 3.0, 15.0
_ESTIMATE_AFTER_S = 1.0
_RECENT_S = 60.0
"""What the time left is judged by: work that is taken up again, or gets slower, goes on as it does now and not as it has on average."""
_CELLS = 24


class ProgressBar:
    """A `ProgressCallback` that draws; use it as a context manager, so that the bar is wiped whatever happens.

    Args:
        stream: where to, default standard error.
        clock: seconds that only rise.
    """

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._terminal = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._marks = deque([(clock(), 0.0)])  # (when, fraction), the first one from before the last minute
        self._next = self._marks[0][0] + (0.0 if self._terminal else _FIRST_LINE_S)
        self._drawn = False

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.wipe()

    def __call__(self, fraction: float, message: str) -> None:
        now = self._clock()
        if now < self._next:
            return
        self._next = now + (_BAR_EVERY_S if self._terminal else _LINE_EVERY_S)
        self._marks.append((now, fraction))
        while self._marks[1][0] <= now - _RECENT_S:
            self._marks.popleft()
        then, before = self._marks[0]
        text = f"{100 * fraction:3.0f} %  {message}{_left(fraction, fraction - before, now - then)}"
        if self._terminal:
            self._draw(fraction, text)
        else:
            self._stream.write(f"{text}\n")
            self._stream.flush()

    def wipe(self) -> None:
        """Take the bar away, so that the next line starts on an empty one."""
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False

    def _draw(self, fraction: float, text: str) -> None:
        full, empty = ("━", "─") if (self._stream.encoding or "").lower().startswith("utf") else ("#", "-")
        done = round(_CELLS * min(max(fraction, 0.0), 1.0))
        line = f"{full * done}{empty * (_CELLS - done)} {text}"
        self._stream.write(f"\r{line[: shutil.get_terminal_size().columns - 1]}\x1b[K")
        self._stream.flush()
        self._drawn = True


def _left(fraction: float, done: float, elapsed_s: float) -> str:
    """How long it may still take, from how long the part `done` has taken."""
    if elapsed_s < _ESTIMATE_AFTER_S or done <= 0 or fraction >= 1:
        return ""
    seconds = elapsed_s / done * (1 - fraction)
    if seconds < 90:
        return f", {seconds:.0f} s left"
    return f", {seconds / 60:.0f} min left" if seconds < 5400 else f", {seconds / 3600:.1f} h left"
