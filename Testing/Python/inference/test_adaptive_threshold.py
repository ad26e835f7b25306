"""The threshold that promises the largest Dice, and what grows by it: rows of voxels worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.inference.adaptive_threshold import best_threshold, grow

SURE, DOUBTFUL, HEALTHY = 0.9, 0.3, 0.01
"""After the temperature of 1.3 the first two are 9^(1/1.3) / (1 + 9^(1/1.3)) = 0.844 and 0.343."""


FAR = (100.0, 100.0, 100.0)
"""Voxels too large for a smoothing of 1 mm to reach the next."""


def row(**voxels: int) -> np.ndarray:
    """[1, 1, X] of so many voxels of each kind."""
    levels = {"sure": SURE, "doubtful": DOUBTFUL, "healthy": HEALTHY}
    return np.concatenate([np.full(n, levels[name], np.float32) for name, n in voxels.items()])[None, None]


def test_what_is_mostly_doubt_is_taken_in() -> None:
    # 1 * 0.844 + 10 * 0.343 = 4.27 voxels expected: all 11 promise 2 * 4.27 / 15.27 = 0.56, the sure one 2 * 0.844 / 5.27 = 0.32
    assert 0.29 < best_threshold(row(sure=1, doubtful=10), 0.2, 0.4) <= DOUBTFUL


def test_a_little_doubt_about_what_is_sure_is_left_out() -> None:
    # 10 * 0.844 + 10 * 0.343 = 11.87 expected: the sure ones promise 2 * 8.44 / 21.87 = 0.77, all 20 only 2 * 11.87 / 31.87 = 0.74
    assert best_threshold(row(sure=10, doubtful=10), 0.2, 0.4) == 0.4


def test_healthy_tissue_does_not_count_however_much_there_is() -> None:
    assert best_threshold(row(sure=10, doubtful=10, healthy=100_000), 0.2, 0.4) == 0.4
    assert best_threshold(row(healthy=1000), 0.2, 0.4) == 0.4


@pytest.mark.parametrize(("lowest", "highest", "expected"), [(0.35, 0.4, 0.4), (0.2, 0.25, 0.25)])
def test_the_threshold_stays_within_its_bounds(lowest: float, highest: float, expected: float) -> None:
    assert best_threshold(row(sure=1, doubtful=10), lowest, highest) == expected  # of equal ones the highest


def test_it_is_the_best_of_all_thresholds() -> None:
    maps = np.random.default_rng(0).beta(0.5, 1.5, (10, 10, 10)).astype(np.float32)
    maps[maps < 0.02] = 0.0
    chosen = best_threshold(maps, 0.1, 0.9)
    odds = np.where(maps > 0, maps / (1 - np.minimum(maps, 0.9999)), 0.0) ** (1 / 1.3)
    true = odds / (1 + odds)

    def promised(threshold: float) -> float:
        return float(2 * true[maps >= threshold].sum() / (np.count_nonzero(maps >= threshold) + true.sum()))

    assert promised(chosen) == pytest.approx(max(promised(t) for t in np.arange(0.1, 0.9, 0.004)), abs=1e-3)
    assert promised(chosen) > promised(chosen + 0.1) + 1e-3 and promised(chosen) > promised(chosen - 0.1) + 1e-3


def regions() -> np.ndarray:
    """Maps [3, 1, 1, 40] of a doubtful tumor with a sure voxel, core and enhancement; apart from it doubt alone."""
    maps = np.full((3, 1, 1, 40), HEALTHY, np.float32)
    maps[0, ..., 2:14] = DOUBTFUL
    maps[1, ..., 4:18] = DOUBTFUL  # farther than the tumor
    maps[2, ..., 6:10] = DOUBTFUL
    maps[:, ..., 7] = SURE
    maps[0, ..., 30:35] = DOUBTFUL
    return maps


def where(mask: np.ndarray) -> list[int]:
    return np.flatnonzero(mask).tolist()


def test_tumor_and_core_grow_but_enhancement_does_not() -> None:
    maps = regions()
    grown = grow(maps >= 0.4, maps, 0.4, 0.2, FAR)
    assert where(grown[0]) == list(range(2, 14))  # without the island of doubt at 30
    assert where(grown[1]) == list(range(4, 14))  # a core lies within its tumor
    assert where(grown[2]) == [7]


def test_nothing_grows_where_nothing_was_found() -> None:
    maps = regions()
    nothing = np.zeros(maps.shape, bool)
    assert not grow(nothing, maps, 0.4, 0.2, FAR).any()


def test_what_was_found_is_kept_though_it_is_unlikely() -> None:
    maps = regions()
    found = maps >= 0.4
    found[0, ..., 20] = True  # a hole that was filled
    assert where(grow(found, maps, 0.4, 0.2, FAR)[0]) == [*range(2, 14), 20]
    assert not found[0, ..., 2]  # and the masks that were given stay as they were


def test_what_a_single_slice_says_is_smoothed_away() -> None:
    maps = np.full((2, 20, 20, 20), HEALTHY, np.float32)
    maps[0, 4:16, 4:16, 4:16] = 0.35
    maps[0, 8:12, 8:12, 8:12] = SURE
    maps[0, 10, 10, :] = maps[0, 10, 16:, 4:16] = 0.35  # a line to either side, and a plate of a voxel
    found = maps >= 0.4
    smooth = grow(found, maps, 0.4, 0.2, (1.0, 1.0, 1.0))[0]
    assert not smooth[:, 17:].any() and not smooth[10, 10, [0, 1, 18, 19]].any()
    assert smooth[8:12, 8:12, 8:12].all() and smooth[[6, 13], 8:12, 8:12].all()
    assert grow(found, maps, 0.4, 0.2, FAR)[0, 10, 17:, 10].all()
