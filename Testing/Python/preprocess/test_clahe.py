"""CLAHE against histograms worked out by hand."""

from __future__ import annotations

import numpy as np

from BrainTumorSegLib.preprocess.clahe import equalize


def test_one_tile_without_limit_is_plain_histogram_equalization() -> None:
    image = np.array([[10, 10], [20, 200]], np.uint8)
    # of 4 pixels 2 are up to 10, 3 up to 20, 4 up to 200: 255 x 2/4, 3/4, 4/4
    assert equalize(image, clip_limit=256, tiles=1).tolist() == [[128, 128], [191, 255]]


def test_the_limit_cuts_peaks_and_shares_what_is_cut() -> None:
    image = np.zeros((32, 32), np.uint8)
    image[0, 0] = 255
    # 1024 pixels, limit 2 x 1024 / 256 = 8: of 1023 at value 0, 1015 are shared out: 3 to each value and 247 more, one to each
    # of the values 0 to 246. Value 0 then has 8 + 3 + 1 = 12 of 1024: 255 x 12 / 1024 = 2.99
    result = equalize(image, clip_limit=2.0, tiles=1)
    assert result[5, 5] == 3
    assert result[0, 0] == 255
    assert equalize(image, clip_limit=256.0, tiles=1)[5, 5] == 255


def test_between_two_tiles_values_go_over_gradually() -> None:
    image = np.full((16, 32), 50, np.uint8)
    image[:, :16] = np.arange(16, dtype=np.uint8)[:, None] * 10  # the left tile spreads its grays, 50 stands at 6 of 16
    line = equalize(image, clip_limit=256, tiles=1)
    assert len(set(line[:, 20].tolist())) == 1
    wide = np.tile(image, (2, 1))
    row = equalize(wide, clip_limit=256, tiles=2)[5]
    assert row[15] < row[17] < row[20] < row[24]
    assert (np.diff(row[16:24].astype(int)) >= 0).all()
    # tables of 50: left 255 x 6 x 16 / 256 = 96 (95.6), right 255. Column 12 is (12.5 / 16 - 0.5) = 0.28125 of the way: 140.7
    assert row[12] == 141
    assert row[31] == 255  # past the middle of the right tile it alone decides: all of it is 50, and 50 is its brightest


def test_sides_that_tiles_do_not_divide_are_kept() -> None:
    image = np.random.default_rng(0).integers(0, 256, (30, 21)).astype(np.uint8)
    assert equalize(image).shape == (30, 21)
    assert equalize(image).dtype == np.uint8
