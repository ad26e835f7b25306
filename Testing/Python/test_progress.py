"""A request to stop reaches the work, whenever it is made."""

from __future__ import annotations

import threading

import pytest

from BrainTumorSegLib.errors import Cancelled
from BrainTumorSegLib.progress import CancelToken


def test_nothing_happens_until_cancel() -> None:
    token = CancelToken()
    assert not token.cancelled
    token.raise_if_cancelled()


def test_after_cancel_the_work_raises() -> None:
    token = CancelToken()
    token.cancel()
    assert token.cancelled
    with pytest.raises(Cancelled, match="the segmentation was cancelled"):
        token.raise_if_cancelled()


def test_what_is_registered_is_called_at_cancel_and_what_is_forgotten_is_not() -> None:
    token, calls = CancelToken(), []
    stay, leave = lambda: calls.append("stay"), lambda: calls.append("leave")
    token.on_cancel(stay)
    token.on_cancel(leave)
    token.forget(leave)
    assert calls == []
    token.cancel()
    assert calls == ["stay"]


def test_what_comes_too_late_is_called_at_once() -> None:
    token, calls = CancelToken(), []
    token.cancel()
    token.on_cancel(lambda: calls.append("late"))
    assert calls == ["late"]


def test_another_thread_can_cancel() -> None:
    token, called = CancelToken(), threading.Event()
    token.on_cancel(called.set)
    thread = threading.Thread(target=token.cancel)
    thread.start()
    thread.join()
    assert called.is_set()
    assert token.cancelled
