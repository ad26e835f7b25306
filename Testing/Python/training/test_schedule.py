"""Learning rates, the best epoch and the early stop, worked out by hand."""

from __future__ import annotations

import pytest

from BrainTumorSegLib.training.schedule import Schedule, best_epoch, is_over, rate_at

PLATEAU = Schedule("plateau", factor=0.2, patience=4, floor=1e-6)


def test_constant_stays() -> None:
    assert [rate_at(Schedule(), 0.5, epoch, [0.1] * epoch) for epoch in (0, 9)] == [0.5, 0.5]


def test_warm_up_rises_in_a_line_and_then_decays() -> None:
    schedule = Schedule("warm-up", warm_up=5, decay=0.95)
    rates = [rate_at(schedule, 1e-4, epoch, []) for epoch in range(7)]
    assert rates == pytest.approx([2e-5, 4e-5, 6e-5, 8e-5, 1e-4, 0.95e-4, 0.9025e-4])


def test_the_plateau_divides_by_five_after_four_epochs_without_gain() -> None:
    history = [0.5, 0.6, 0.6, 0.59, 0.60005, 0.6]  # gains below 1e-4 are none
    assert rate_at(PLATEAU, 1e-3, 5, history[:5]) == 1e-3
    assert rate_at(PLATEAU, 1e-3, 6, history) == pytest.approx(2e-4)
    assert rate_at(PLATEAU, 1e-3, 9, [*history, 0.6, 0.6, 0.6]) == pytest.approx(2e-4)
    assert rate_at(PLATEAU, 1e-3, 10, [*history, 0.6, 0.6, 0.6, 0.6]) == pytest.approx(4e-5)
    assert rate_at(PLATEAU, 1e-3, 10, [*history, 0.6, 0.7, 0.6, 0.6]) == pytest.approx(2e-4)  # a gain starts the count again


def test_the_rate_does_not_fall_below_the_floor() -> None:
    assert rate_at(PLATEAU, 1e-3, 99, [0.5] * 99) == 1e-6


def test_the_first_of_the_best_values_counts() -> None:
    assert best_epoch([0.1, 0.3, 0.3, 0.2]) == 1
    assert best_epoch([-2.0, -1.0]) == 1
    assert best_epoch([]) == -1


def test_a_run_is_over_when_patience_is_used_up() -> None:
    history = [0.5, 0.6] + [0.6] * 7
    assert is_over(history, 7)
    assert not is_over(history[:-1], 7)
    assert not is_over(history, 0)
    assert not is_over([], 7)
