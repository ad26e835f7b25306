"""Warnings are counted by set, fold and sequence: false ones of what is given rightly, right ones of what is not."""

from __future__ import annotations

import numpy as np

from BrainTumorSegLib import api
from Testing.Benchmarks.measure_scope import Scan, measured, table, warnings_of


def mask(spacing_mm: float) -> api.Volume:
    array = np.zeros((20, 30, 30), np.uint8)
    array[5:15, 5:25, 5:25] = 1
    return api.Volume(array, (spacing_mm,) * 3)


def test_each_warning_is_named_by_what_it_is_about() -> None:
    assert warnings_of(mask(5.0), "t1") == ["mask"]
    assert warnings_of(mask(1.0), "t1") == ["size", "mask"]  # 20 x 30 x 30 mm


def test_what_is_given_rightly_and_what_is_not_are_counted_apart() -> None:
    scans = [Scan("set", "a", 1, "t1", mask(5.0)), Scan("set", "b", 4, "t1ce", mask(1.0)), Scan("set", "c", 0, "ct", mask(5.0))]
    rows = list(measured(scans))
    assert [(row["case"], row["given"]) for row in rows] == [("a", "t1"), ("a", "t1ce"), ("b", "t1ce"), ("c", "t1ce")]
    assert table(rows, True).splitlines()[2:] == ["| set | 1-3 | t1 | 1 | 1 | 0 | 0 | 1 | 0 | 0 | 0 |", "| set | 4-5 | t1ce | 1 | 1 | 1 | 0 | 1 | 0 | 0 | 0 |"]
    assert table(rows, False).splitlines()[2:] == ["| set | - | ct | 1 | 1 | 0 | 0 | 1 | 0 | 0 | 0 |", "| set | 1-3 | t1 | 1 | 1 | 0 | 0 | 1 | 0 | 0 | 0 |"]
