"""The page of waits: what is judged, and what a busy machine is told apart from."""

from __future__ import annotations

from typing import Any

import pytest

from Testing.Benchmarks.waits_page import Spent, Wait, page, waits_table

MACHINE: dict[str, Any] = {"cpu": "a CPU", "cores": 4, "system": "Linux x86_64", "python": "3.12.1", "onnxruntime": "1.20", "nice": 0, "load": None}


def wait(*spent: tuple[float, float | None], promise_s: float = 0.2) -> Wait:
    return Wait("waiting", promise_s, tuple(Spent(*times) for times in spent))


@pytest.mark.parametrize(
    ("spent", "verdict"),
    [
        ([(0.1, None), (0.2, None)], "met"),  # the promise is "at most"
        ([(0.1, None), (0.3, None)], "missed"),  # one repeat is enough
        ([(0.3, 0.2), (0.1, 0.1)], "missed by the clock, met by processor time"),
        ([(0.3, 0.1), (0.3, 0.25)], "missed"),
    ],
)
def test_the_longest_repeat_is_judged(spent: list[tuple[float, float | None]], verdict: str) -> None:
    assert wait(*spent).verdict == verdict


def test_a_row_has_the_median_and_the_longest_in_milliseconds() -> None:
    rows = waits_table([wait((0.1, 0.02), (0.04, 0.03), (0.05, 0.01)), wait((1.5, None), promise_s=1.0)]).splitlines()
    assert rows[2] == "| waiting | 200 ms | 3 | 50 ms | 100 ms | 30 ms | met |"
    assert rows[3] == "| waiting | 1000 ms | 1 | 1500 ms | 1500 ms | - | missed |"


def test_the_page_counts_what_was_kept() -> None:
    text = page([wait((0.1, None)), wait((0.1, None)), wait((0.3, 0.1)), wait((0.3, None))], MACHINE)
    assert "2 of 4 promises were met by the clock, 1 by processor time alone, 1 missed." in text


@pytest.mark.parametrize(("before", "busy"), [(2.0, False), (2.1, True)])
def test_a_machine_that_others_used_is_called_busy(before: float, busy: bool) -> None:
    text = page([wait((0.1, None))], {**MACHINE, "load": (before, 9.0)})
    assert f"load average {before:.1f} before and 9.0 after" in text
    assert ("The machine was busy" in text) is busy


def test_a_lowered_priority_is_told() -> None:
    assert "nice" not in page([wait((0.1, None))], MACHINE)
    assert "at the lowered priority nice 12" in page([wait((0.1, None))], {**MACHINE, "nice": 12})
