"""Telling how far the work has come, and stopping it from another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

from BrainTumorSegLib.errors import Cancelled

ProgressCallback = Callable[[float, str], None]
"""Called as `progress(fraction, message)`: fraction in [0, 1] never falls, message is one short phrase."""


class CancelToken:
    """A request to stop, made by one thread and honored by another.

    The worker calls `raise_if_cancelled` between steps and registers whatever can interrupt a long step
    with `on_cancel` (for instance a running network); the user's thread calls `cancel` once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._callbacks: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        """Ask the work to stop; safe from any thread, and more than once."""
        with self._lock:
            self._cancelled = True
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], None]) -> None:
        """Have `callback` called at `cancel`, or now if that has already happened."""
        with self._lock:
            self._callbacks.append(callback)
            late = self._cancelled
        if late:
            callback()

    def forget(self, callback: Callable[[], None]) -> None:
        """Take a callback back once its step is over."""
        with self._lock:
            self._callbacks.remove(callback)

    def raise_if_cancelled(self) -> None:
        """Raises `Cancelled` after a call of `cancel`."""
        if self._cancelled:
            raise Cancelled("the segmentation was cancelled")
