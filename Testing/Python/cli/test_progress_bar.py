"""Progress: a bar on a terminal, lines elsewhere, and an estimate of the time left."""

from __future__ import annotations

import io

import pytest

from BrainTumorSegLib.cli.progress_bar import ProgressBar


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_elsewhere_there_is_a_line_after_3_seconds_and_then_every_15() -> None:
    stream, clock = io.StringIO(), Clock()
    with ProgressBar(stream, clock) as bar:
        for second in range(40):
            clock.now = 100.0 + second
            bar(second / 40, "working")
    # 3 of 40 done after 3 s: 37 s left; 18 of 40 after 18 s: 22 s left; 33 of 40: 7 s left
    assert stream.getvalue() == "  8 %  working, 37 s left\n 45 %  working, 22 s left\n 82 %  working, 7 s left\n"


def test_work_that_is_taken_up_again_is_judged_by_the_last_minute() -> None:
    stream, clock = io.StringIO(), Clock()
    bar = ProgressBar(stream, clock)
    bar(0.0, "reading")
    for second in range(10, 131):
        clock.now = 100.0 + second
        bar(0.5 + second / 1000, "working")  # half was done before; 1 s for each thousandth
    # the line at 115 s: 0.615 are done, and 0.385 are left at 0.001 a second
    assert "62 %  working, 6 min left" in stream.getvalue()


def test_quick_work_says_nothing_elsewhere() -> None:
    stream = io.StringIO()
    with ProgressBar(stream, Clock()) as bar:
        bar(0.0, "a")
        bar(1.0, "b")
    assert stream.getvalue() == ""


def test_on_a_terminal_the_bar_is_redrawn_in_place_and_wiped() -> None:
    stream, clock = Terminal(), Clock()
    with ProgressBar(stream, clock) as bar:
        bar(0.0, "reading")
        clock.now += 0.05
        bar(0.2, "too soon to draw again")
        clock.now += 2.0
        bar(0.5, "working")
    drawn = stream.getvalue()
    assert "reading" in drawn and "too soon" not in drawn
    assert "############------------  50 %  working, 2 s left" in drawn
    assert "\n" not in drawn
    assert drawn.endswith("\r\x1b[K")


def test_the_bar_is_wiped_when_the_work_fails() -> None:
    stream = Terminal()
    with pytest.raises(KeyboardInterrupt), ProgressBar(stream, Clock()) as bar:
        bar(0.1, "working")
        raise KeyboardInterrupt
    assert stream.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(
    ("elapsed", "fraction", "left"), [(10, 0.5, ", 10 s left"), (60, 0.25, ", 3 min left"), (3600, 0.2, ", 4.0 h left"), (0.5, 0.5, ""), (10, 1.0, "")]
)
def test_the_time_left_has_a_fitting_unit(elapsed: float, fraction: float, left: str) -> None:
    stream, clock = Terminal(), Clock()
    bar = ProgressBar(stream, clock)
    clock.now += elapsed
    bar(fraction, "w")
    assert stream.getvalue().endswith(f"%  w{left}\x1b[K")
