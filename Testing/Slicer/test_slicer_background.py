"""The worker thread: progress, errors, cancellation, and the time that polls give it."""

import threading
import time

import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

from BrainTumorSegGUI.background import BackgroundTask

from BrainTumorSegLib.api import Cancelled, InputError


def finish(task, seconds=60.0):
    end = time.monotonic() + seconds
    while not task.poll(0.02).finished:
        assert time.monotonic() < end, "the task did not end"
    return task.poll()


def started(work):
    task = BackgroundTask(work)
    task.start()
    return task


def test_the_result_comes_back():
    task = started(lambda progress, cancel: 42)
    assert finish(task).finished
    assert task.result() == 42


def test_the_work_runs_in_another_thread():
    task = started(lambda progress, cancel: threading.current_thread())
    finish(task)
    assert task.result() is not threading.current_thread()


def test_an_error_is_raised_where_the_result_is_asked_for():
    def work(progress, cancel):
        raise InputError("the volume is upside down")

    task = started(work)
    finish(task)
    with pytest.raises(InputError, match="upside down"):
        task.result()


def wait_for_message(task):
    for _ in range(1000):
        state = task.poll(0.01)
        if state.message:
            return state
    raise AssertionError("no progress was told")


def test_progress_is_seen_while_the_work_goes_on():
    go_on = threading.Event()

    def work(progress, cancel):
        progress(0.25, "slice 5 of 20")
        go_on.wait(10)

    task = started(work)
    state = wait_for_message(task)
    assert (state.fraction, state.message, state.finished) == (0.25, "slice 5 of 20", False)
    go_on.set()
    assert finish(task).finished


def test_the_time_left_is_told_once_it_is_known(monkeypatch):
    go_on = threading.Event()

    def work(progress, cancel):
        progress(0.2, "working")
        go_on.wait(10)

    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    task = started(work)
    clock[0] = 100.9
    assert wait_for_message(task).secondsLeft is None  # too early to say
    clock[0] = 110.0
    assert task.poll().secondsLeft == pytest.approx(40.0)  # a fifth is done after 10 s: 4/5 are left
    monkeypatch.undo()
    go_on.set()
    finish(task)


def test_a_cancelled_task_stops_at_its_next_look():
    begun, go_on, looks = threading.Event(), threading.Event(), []

    def work(progress, cancel):
        for look in range(3):
            looks.append(look)
            begun.set()
            go_on.wait(60)
            cancel.raise_if_cancelled()

    task = started(work)
    assert begun.wait(60)
    task.cancel()
    go_on.set()
    finish(task)
    with pytest.raises(Cancelled):
        task.result()
    assert looks == [0]


def test_cancel_interrupts_what_runs_before_it_returns():
    begun, interrupted, threads = threading.Event(), threading.Event(), []

    def interrupt():
        threads.append(threading.current_thread())
        interrupted.set()

    def work(progress, cancel):
        cancel.on_cancel(interrupt)  # as a network's run does
        begun.set()
        interrupted.wait(60)

    task = started(work)
    assert begun.wait(60)
    task.cancel()
    assert threads == [threading.current_thread()]
    finish(task)


def test_a_task_that_ends_before_it_notices_is_cancelled_all_the_same():
    go_on = threading.Event()

    def work(progress, cancel):
        go_on.wait(10)
        return 42

    task = started(work)
    task.cancel()
    go_on.set()
    finish(task)
    with pytest.raises(Cancelled):
        task.result()


def test_a_poll_gives_the_work_the_time_it_was_told_and_no_more_than_it_needs():
    # Slicer's idle event loop keeps Python's lock: the worker has only what polls wait.
    go_on = threading.Event()
    task = started(lambda progress, cancel: go_on.wait(600))
    begun = time.monotonic()
    assert not task.poll(0.05).finished
    assert time.monotonic() - begun > 0.04
    states = []
    polling = threading.Thread(target=lambda: states.append(task.poll(3600)), daemon=True)
    polling.start()
    go_on.set()
    polling.join(60)
    assert not polling.is_alive(), "the poll outlasts the work"
    assert states[0].finished
