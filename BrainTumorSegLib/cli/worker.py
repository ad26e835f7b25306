"""Long work in a thread of its own, so that Ctrl-C is heard at once even while a network runs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar, Generic, TypeVar

from BrainTumorSegLib.progress import CancelToken

Result = TypeVar("Result")
_POLL_S = 0.1
_PATIENCE_S = 0.6
"""After Ctrl-C; the process has to end within a second, and work that does not write can be left behind."""


class _Work(Generic[Result]):
    """What the thread runs, and what came of it."""

    unfinished: ClassVar[set[_Work]] = set()

    def __init__(self, function: Callable[[CancelToken], Result]) -> None:
        self.cancel = CancelToken()
        # Not Thread.join: before Python 3.13, a Ctrl-C inside it makes a thread count as ended that still runs.
        self.ended = threading.Event()
        self.result: list[Result] = []
        self.error: BaseException | None = None
        self._function = function

    def start(self) -> None:
        _Work.unfinished.add(self)
        threading.Thread(target=self._run, name="braintumorseg-worker", daemon=True).start()

    def _run(self) -> None:
        try:
            self.result.append(self._function(self.cancel))
        except BaseException as error:  # handed over to the waiting thread, which raises it
            self.error = error
        _Work.unfinished.discard(self)
        self.ended.set()


def run_cancellable(function: Callable[[CancelToken], Result]) -> Result:
    """The result of `function(cancel)`, run in a thread; Ctrl-C cancels it.

    Raises:
        KeyboardInterrupt: after Ctrl-C. Otherwise whatever `function` raises.
    """
    work = _Work(function)
    with _hearing_ctrl_c() as pressed:
        work.start()
        while not (work.ended.wait(_POLL_S) or pressed):
            pass
        if pressed:
            work.cancel.cancel()
            work.ended.wait(_PATIENCE_S)
            raise KeyboardInterrupt
    if work.error is not None:
        raise work.error
    return work.result[0]


def still_running() -> bool:
    """True where cancelled work has not come to its end."""
    return bool(_Work.unfinished)


@contextmanager
def _hearing_ctrl_c() -> Iterator[list[int]]:
    """A list that Ctrl-C makes longer, instead of raising KeyboardInterrupt wherever the main thread is.

    Raised inside the locks of `threading` it leaves them in disorder: RuntimeError, or a wait without end.
    """
    pressed: list[int] = []  # no Event: the handler runs amid whatever the main thread does, the Event's own locks among it
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield pressed  # Python allows handlers in the main thread alone; whoever set another, or none, keeps it
        return
    signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
