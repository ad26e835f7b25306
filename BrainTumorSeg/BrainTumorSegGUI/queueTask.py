"""Reading and writing in a thread, one thing at a time, watched by a timer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt

from BrainTumorSegGUI.background import BackgroundTask
from BrainTumorSegGUI.sentences import errorsShown

TICK_MS = 10
WAIT_S = 0.04
"""How long a tick lets the thread's Python run, see `BackgroundTask.poll`."""


class QueueTask:
    """Does one piece of work at a time."""

    def __init__(self) -> None:
        self._task: BackgroundTask | None = None
        self._done: Callable[[Any], None] = lambda result: None
        self._failed: Callable[[], None] = lambda: None
        self._errorTitle = ""
        self._timer = qt.QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.connect("timeout()", self.onTick)

    @property
    def busy(self) -> bool:
        return self._task is not None

    def start(self, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[], None], errorTitle: str) -> None:
        """Begin; the work touches neither MRML nor Qt.

        Args:
            done: called with the result, on the main thread. failed: called instead, after the error was shown.
            errorTitle: what could not be done.
        """
        self._done, self._failed, self._errorTitle = done, failed, errorTitle
        self._task = BackgroundTask(lambda progress, cancel: work())
        self._task.start()
        self._timer.start()

    def finish(self) -> None:
        """Wait for the end and forget it: neither `done` nor `failed` is called."""
        self._timer.stop()
        if self._task is not None:
            self._task.poll(60.0)
        self._task = None

    def onTick(self) -> None:
        if self._task is None or not self._task.poll(WAIT_S).finished:
            return
        task, self._task = self._task, None
        self._timer.stop()
        try:
            with errorsShown(self._errorTitle):
                result = task.result()
        except Exception:
            self._failed()
            raise
        self._done(result)
