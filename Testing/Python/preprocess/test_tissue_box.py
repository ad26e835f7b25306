"""The box of all that is tissue in any sequence."""

from __future__ import annotations

import numpy as np

from BrainTumorSegLib.preprocess.tissue_box import AIR, tissue_box


def test_the_box_holds_the_tissue_of_every_channel() -> None:
    tissue = np.zeros((2, 6, 7, 8), np.float32)
    tissue[0, 2, 3, 4] = 1
    tissue[1, 4, 1, 4] = 0.2
    assert tissue_box(tissue) == (slice(2, 5), slice(1, 4), slice(4, 5))


def test_air_is_no_tissue() -> None:
    assert tissue_box(np.full((1, 3, 4, 5), AIR, np.float32)) == (slice(0, 3), slice(0, 4), slice(0, 5))


def test_every_channel_has_air_of_its_own() -> None:
    low, high = np.zeros((2, 6, 7, 8), np.int16)
    low[2, 3, 4], low[0, 0, 0] = 31, 30
    high[4, 1, 4], high[5, 6, 7] = 301, 300
    assert tissue_box([low, high], [30.0, 300.0]) == (slice(2, 5), slice(1, 4), slice(4, 5))
