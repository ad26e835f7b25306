"""Work in a thread, and Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
import time
from types import FrameType

import pytest

from BrainTumorSegLib.cli.worker import run_cancellable, still_running
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.progress import CancelToken


def test_the_result_of_the_work_is_returned() -> None:
    assert run_cancellable(lambda cancel: threading.current_thread().name) == "braintumorseg-worker"
    assert run_cancellable(lambda cancel: None) is None


def test_an_error_of_the_work_is_raised() -> None:
    def fail(cancel: CancelToken) -> None:
        raise InputError("bad")

    with pytest.raises(InputError, match="bad"):
        run_cancellable(fail)


def test_ctrl_c_cancels_the_work_and_waits_for_it() -> None:
    ended = []

    def work(cancel: CancelToken) -> None:
        threading.Timer(0.1, signal.raise_signal, (signal.SIGINT,)).start()
        while not cancel.cancelled:
            time.sleep(0.01)
        ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        run_cancellable(work)
    assert ended == [True]
    assert not still_running()


def test_ctrl_c_between_the_locks_of_the_waiting_is_heard() -> None:
    def press(frame: FrameType, event: str, argument: object) -> None:
        if frame.f_code.co_name == "_acquire_restore" and frame.f_code.co_filename == threading.__file__:
            sys.settrace(None)
            signal.raise_signal(signal.SIGINT)

    before = sys.gettrace()
    sys.settrace(press)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_cancellable(_until_cancelled)
    finally:
        sys.settrace(before)
    assert not still_running()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_as_the_work_ends_is_heard() -> None:
    with pytest.raises(KeyboardInterrupt):
        run_cancellable(lambda cancel: signal.raise_signal(signal.SIGINT))


def test_a_thread_other_than_the_main_one_may_wait_too() -> None:
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(run_cancellable(lambda cancel: 3)))
    thread.start()
    thread.join(10)
    assert results == [3]


def _until_cancelled(cancel: CancelToken) -> None:
    while not cancel.cancelled:
        time.sleep(0.01)


def test_work_that_does_not_listen_is_left_behind() -> None:
    release, ended = threading.Event(), []

    def work(cancel: CancelToken) -> None:
        threading.Timer(0.05, signal.raise_signal, (signal.SIGINT,)).start()
        release.wait(60)
        ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        run_cancellable(work)
    assert ended == []  # it waits yet
    assert still_running()
    release.set()
