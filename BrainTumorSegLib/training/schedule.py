"""Learning rate and end of a run as functions of what the monitor said so far, so that a resumed run needs no other state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CONSTANT, PLATEAU, WARM_UP = SCHEDULES = ("constant", "plateau", "warm-up")
_LEAST_GAIN = 1e-4
"""By which a value must be better to count as a gain on the plateau; Keras's `ReduceLROnPlateau`."""


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes.

    Attributes:
        kind: "constant"; "plateau": times `factor` after `patience` epochs without gain, not below `floor`, as Keras's
            `ReduceLROnPlateau`; "warm-up": linear over `warm_up` epochs, then times `decay` an epoch.
    """

    kind: str = CONSTANT
    factor: float = 0.2
    patience: int = 4
    floor: float = 1e-6
    warm_up: int = 5
    decay: float = 0.95


def rate_at(schedule: Schedule, learning_rate: float, epoch: int, monitored: Sequence[float]) -> float:
    """The learning rate of an epoch, counted from 0.

    Args:
        monitored: what the monitor said after each epoch before, larger is better.
    """
    if schedule.kind == WARM_UP:
        if epoch < schedule.warm_up:
            return learning_rate * (epoch + 1) / schedule.warm_up
        return learning_rate * schedule.decay ** (epoch + 1 - schedule.warm_up)
    if schedule.kind == PLATEAU:
        return _rate_on_plateau(schedule, learning_rate, monitored)
    return learning_rate


def _rate_on_plateau(schedule: Schedule, rate: float, monitored: Sequence[float]) -> float:
    best, waited = float("-inf"), 0
    for value in monitored:
        if value > best + _LEAST_GAIN:
            best, waited = value, 0
            continue
        waited += 1
        if waited >= schedule.patience:
            rate, waited = max(rate * schedule.factor, schedule.floor), 0
    return rate


def best_epoch(monitored: Sequence[float]) -> int:
    """Index of the first of the best values; -1 where there is none."""
    return max(range(len(monitored)), key=lambda i: (monitored[i], -i), default=-1)


def is_over(monitored: Sequence[float], patience: int) -> bool:
    """Whether `patience` values have come since the best one; never with a patience of 0."""
    return patience > 0 and len(monitored) - 1 - best_epoch(monitored) >= patience
