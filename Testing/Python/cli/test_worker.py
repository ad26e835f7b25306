"""Work in a thread, and Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time

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
