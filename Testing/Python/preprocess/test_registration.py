"""A head that moved between two sequences is brought back, by a phantom whose every point is known."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.preprocess.registration import align, motion
from BrainTumorSegLib.progress import Cancelled, CancelToken
from BrainTumorSegLib.volume import Volume
from Testing.Python.tiny import positions, rotation

TURN, SHIFT = rotation(5.0, -4.0, 9.0), np.array([7.0, -9.0, 12.0])
RADII = np.array([65.0, 85.0, 70.0])


def volume(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> Volume:
    """A grid about the origin."""
    origin = [-(n - 1) / 2 * step for n, step in zip(shape[::-1], spacing_mm)]
    return Volume(np.zeros(shape, np.float32), spacing_mm, (origin[0], origin[1], origin[2]), name="head")


def tissue(points: np.ndarray) -> np.ndarray:
    """0 air, 1 scalp, 2 gray matter, 3 white matter, 4 fluid, 5 a lesion; nowhere symmetric from front to back, from left to right only nearly."""
    away = np.sqrt((points**2 / RADII**2).sum(-1))
    kinds = np.where(away < 1.25, 1, 0)
    kinds[away < 1.0] = 2
    folds = 0.07 * np.sin(points[..., 0] / 6) * np.sin(points[..., 1] / 7 + 1) * np.sin(points[..., 2] / 6)
    kinds[away + folds < 0.8] = 3
    for center, radii, kind in (((14, 5, 10), (6, 25, 10), 4), ((-14, 5, 10), (6, 25, 10), 4), ((30, -35, 20), (14, 12, 10), 5)):
        kinds[(((points - center) / np.array(radii)) ** 2).sum(-1) < 1] = kind
    return kinds


def moved(points: np.ndarray) -> np.ndarray:
    """Where in the head a point of the moved sequence lies."""
    return points @ TURN.T + SHIFT


@pytest.mark.parametrize("gray", [[0, 90, 100, 120, 40, 70], [0, 60, 110, 80, 200, 180]], ids=["like T1", "like T2"])
def test_a_turned_and_shifted_head_is_brought_back(gray: list[int]) -> None:
    """17 mm and 11 degrees away, on another grid with thick slices; afterwards every point of the brain lies within a voxel of its place."""
    fixed, moving = volume((50, 56, 52), (3.5, 3.5, 3.5)), volume((34, 72, 64), (2.8, 2.8, 6.0))
    fixed.array[:] = np.array([0, 250, 100, 130, 30, 80])[tissue(positions(fixed))]
    kinds = tissue(moved(positions(moving)))
    moving.array[:] = np.array(gray)[kinds]
    brain, elsewhere = (tissue(points) >= 2 for points in (positions(fixed), moved(positions(fixed))))
    assert 2 * np.count_nonzero(brain & elsewhere) / (np.count_nonzero(brain) + np.count_nonzero(elsewhere)) < 0.9
    aligned = align(moving, fixed, brain, elsewhere)
    assert aligned.array is moving.array and aligned.name == "head"
    off = np.linalg.norm(positions(aligned) - moved(positions(moving)), axis=-1)
    assert off[kinds >= 2].max() < 3.5
    again = align(moving, fixed, brain, elsewhere)
    assert (again.origin, again.direction) == (aligned.origin, aligned.direction)


def test_it_can_be_cancelled() -> None:
    fixed = volume((20, 24, 22), (8.0, 8.0, 8.0))
    kinds = tissue(positions(fixed))
    fixed.array[:] = 50 * kinds
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        align(fixed, fixed, kinds >= 2, kinds >= 2, cancel)


def test_how_far_it_was_moved() -> None:
    """A quarter of a turn about z, and 3, 4 and 12 mm along the axes."""
    before = volume((4, 5, 6), (1.0, 2.0, 3.0))
    turn = rotation(0.0, 0.0, 90.0)
    origin = turn @ np.array(before.origin) + np.array([3.0, 4.0, 12.0])
    after = Volume(before.array, before.spacing_mm, tuple(origin.tolist()), tuple(turn.ravel().tolist()))
    assert motion(before, after) == pytest.approx((90.0, 13.0))
    assert motion(before, before) == pytest.approx((0.0, 0.0), abs=1e-5)
