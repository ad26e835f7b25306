"""Work in a thread, watched from the thread that owns the scene. No Qt here: whoever owns a timer calls `poll`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from slicer.i18n import tr as _

from BrainTumorSegLib.api import Cancelled, CancelToken

Work = Callable[[Callable[[float, str], None], CancelToken], Any]
"""Called in the thread as `work(progress, cancel)`; may touch neither MRML nor Qt."""

_ELAPSED_BEFORE_ESTIMATE_S = 1.0
_FRACTION_BEFORE_ESTIMATE = 0.05


@dataclass(frozen=True)
class TaskState:
    """What a progress bar shows.

    Attributes:
        fraction: work done, 0 to 1.
        message: what is being done, one short phrase.
        secondsLeft: estimate of the time left, None while too little is done to say.
        finished: the thread has ended, by a result, an error or a cancellation.
    """

    fraction: float
    message: str
    secondsLeft: float | None
    finished: bool


class BackgroundTask:
    """One piece of work in one thread, started once."""

    def __init__(self, work: Work) -> None:
        self._work: Work | None = work
        self._token = CancelToken()
        self._ended = threading.Event()
        self._progress = (0.0, "")
        self._result: Any = None
        self._error: Exception | None = None
        self._startTime = 0.0
        self._thread = threading.Thread(target=self._runInThread, name="BrainTumorSeg", daemon=True)

    def start(self) -> None:
        self._startTime = time.monotonic()
        self._thread.start()

    def cancel(self) -> None:
        """Ask the work to stop; `poll` tells when it has."""
        self._token.cancel()

    @property
    def cancelled(self) -> bool:
        return self._token.cancelled

    def poll(self, wait_s: float = 0.0) -> TaskState:
        """The state now, after waiting at most `wait_s` seconds for the end.

        Slicer's event loop keeps Python's global lock while it idles (PythonQt is used without thread support), so the
        worker's Python code advances only while this waits. A network's run holds no lock and is not slowed.
        """
        finished = self._ended.wait(wait_s)
        fraction, message = self._progress
        return TaskState(fraction, message, self._secondsLeft(fraction), finished)

    def result(self) -> Any:
        """What the work returned, once finished.

        Raises:
            Cancelled: it was cancelled, even if it came to its end before it noticed.
            Exception: whatever the work raised.
        """
        if self._token.cancelled:
            raise Cancelled(_("the segmentation was cancelled"))
        if self._error is not None:
            raise self._error
        return self._result

    def _runInThread(self) -> None:
        work, self._work = self._work, None  # whoever drops the task drops the inputs with it
        try:
            # A numpy warning would be written to Slicer's Python console, which is a Qt widget, from this thread.
            with np.errstate(all="ignore"):
                self._result = work(self._onProgress, self._token)
        except Exception as error:  # raised again on the main thread by `result`
            self._error = error
        finally:
            self._ended.set()

    def _onProgress(self, fraction: float, message: str) -> None:
        self._progress = (fraction, message)  # one assignment: the main thread never sees half of it

    def _secondsLeft(self, fraction: float) -> float | None:
        elapsed = time.monotonic() - self._startTime
        if elapsed < _ELAPSED_BEFORE_ESTIMATE_S or fraction < _FRACTION_BEFORE_ESTIMATE:
            return None
        return elapsed * (1.0 - fraction) / fraction
