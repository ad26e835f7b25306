"""What each published system sees, worked out by hand, and the way back to the slices' own pixels."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.preprocess.views import View, see


def ramp(shape: tuple[int, int, int]) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_gray_pictures_are_divided_by_255() -> None:
    picture = np.array([[[0, 51], [102, 255]]], np.uint8)
    seen = see([picture], None, View("gray", 2))
    assert seen.slices.shape == (1, 1, 2, 2)
    assert seen.slices[0, 0].ravel().tolist() == pytest.approx([0, 0.2, 0.4, 1])


def test_the_tissue_of_gray_volumes_is_as_bright_as_that_of_pictures() -> None:
    volume = np.full((4, 10, 10), -1000)
    volume[:, 2:8, 2:8], volume[:, 5:8, 2:8] = -600, -400  # 400 and 600 above air: the mean of tissue is 500
    seen = see([volume], (1, 1, 1), View("gray", 10)).slices[0, 0]
    assert seen[[0, 3, 6], 4].tolist() == pytest.approx([0, 0.8 * 74 / 255, 1.2 * 74 / 255])
    volume[:, 2:8, 2:8], volume[:, 2:4, 2:5] = -850, 0  # 150 in five sixths and 1000 in the others: the mean is 291.7, and 1000 is 3.43 times that
    seen = see([volume * 2], (1, 1, 1), View("gray", 10)).slices[0, 0]
    assert seen[[6, 2], [6, 2]].tolist() == pytest.approx([150 / (1750 / 6) * 74 / 255, 1000 / (1750 / 6) * 74 / 255])
    volume[:, 3, 2:5], volume[:, 2, 4] = -850, -850  # 1000 in two of 36: 5.07 times the mean of 197.2, which is cut
    assert see([volume], (1, 1, 1), View("gray", 10)).slices.max() == 1
    assert not see([np.full((2, 8, 8), 7)], (1, 1, 1), View("gray", 8)).slices.any()


def test_the_shorter_side_is_padded_in_millimeters() -> None:
    slices = np.full((1, 8, 4), 255, np.uint8)
    # 8 x 4 pixels of 1 x 2 mm are 8 x 8 mm: the square is filled
    assert see([slices], (1, 1, 2), View("slice-zscore", 8)).frame.step == (1.0, 0.5)
    gray = see([slices], None, View("gray", 8)).slices[0, 0]
    assert gray[:, 2:6] == pytest.approx(1)
    assert not gray[:, :2].any()
    assert not gray[:, 6:].any()


def test_a_crop_zscore_view_crops_all_channels_to_one_box_and_stretches_it() -> None:
    first, second = np.zeros((6, 20, 30)), np.zeros((6, 20, 30))
    first[1:4, 4:12, 10:18] = 5
    second[2:5, 6:14, 12:26] = 5
    seen = see([first, second], (2.0, 1.0, 1.0), View("crop-zscore", 16))
    assert seen.box == (slice(1, 5), slice(4, 14), slice(10, 26))
    assert seen.slices.shape == (4, 2, 16, 16)
    assert seen.spacing_mm == (2.0, 10 / 16, 1.0)


def test_percentiles_and_zscore_are_of_non_zero_voxels_of_the_whole_volume() -> None:
    volume = np.zeros((3, 16, 16))
    volume[:, 2:, :] = 10 + ramp((3, 14, 16)) % 90
    volume[0, 2, 0] = 1e6  # one bright voxel is clipped
    volume[:, 0, 0] = volume[:, 0, 15] = 1  # the box is everything
    canvas = see([volume], (1, 1, 1), View("crop-zscore", 16)).slices[:, 0]
    tissue = volume != 0
    values = np.clip(volume[tissue], *np.percentile(volume[tissue], (0.5, 99.5)))
    assert canvas[tissue] == pytest.approx((values - values.mean()) / values.std(), abs=1e-4)
    assert not canvas[~tissue].any()


def test_clahe_keeps_mean_deviation_and_background() -> None:
    volume = np.zeros((2, 32, 32))
    volume[:, 4:28, 4:28] = np.random.default_rng(0).gamma(2, 50, (2, 24, 24)) + 1
    volume[:, 0, 0] = volume[:, 31, 31] = 1
    plain, changed = (see([volume], (1, 1, 1), View("crop-zscore", 32, clahe)).slices[:, 0] for clahe in (False, True))
    tissue = volume != 0
    assert (changed[tissue].mean(), changed[tissue].std()) == (pytest.approx(0, abs=1e-3), pytest.approx(1, abs=1e-3))
    assert not changed[~tissue].any()
    assert np.abs(changed - plain).max() > 0.3
    assert np.corrcoef(changed[tissue], plain[tissue])[0, 1] > 0.7


def test_slice_zscore_is_of_each_channel_of_each_slice() -> None:
    volume = ramp((2, 4, 4))
    volume[1] = 3  # a slice without anything
    seen = see([volume, None, -volume], (1, 1, 1), View("slice-zscore", 4))
    first = np.arange(16) - 7.5
    assert seen.slices[0, 0].ravel() == pytest.approx(first / first.std(), abs=1e-5)
    assert seen.slices[0, 2] == pytest.approx(-seen.slices[0, 0], abs=1e-5)
    assert not seen.slices[1].any()
    assert not seen.slices[:, 1].any()  # missing


def test_labels_take_the_nearest_pixel_and_no_new_values() -> None:
    labels = np.zeros((1, 4, 4), np.uint8)
    labels[0, :2, :2], labels[0, 2:, 2:] = 3, 1
    seen = see([np.ones((1, 4, 4), np.uint8)], None, View("gray", 8))
    assert np.array_equal(seen.labels(labels)[0], np.kron(labels[0], np.ones((2, 2))))
    padded = see([np.ones((1, 4, 2), np.uint8)], None, View("gray", 4)).labels(np.full((1, 4, 2), 2))
    assert padded[0].tolist() == [[0, 2, 2, 0]] * 4


@pytest.mark.parametrize("kind", ["gray", "crop-zscore", "slice-zscore"])
def test_maps_come_back_to_where_they_were_seen(kind: str) -> None:
    volume = np.zeros((5, 40, 30))
    volume[1:4, 6:34, 4:26] = 50 + ramp((3, 28, 22)) % 7
    mask = np.zeros((5, 40, 30), np.uint8)
    mask[2, 12:24, 8:20] = 1
    seen = see([volume], (1, 1, 1), View(kind, 96))
    maps = np.stack([seen.labels(mask), 1 - seen.labels(mask)], 1).astype(np.float32)
    back = seen.restore(maps)
    assert back.shape == (2, 5, 40, 30)
    assert np.array_equal(back[0] > 0.5, mask > 0)
    if kind == "crop-zscore":
        assert not back[1, 0].any()  # outside of the box nothing is said


def test_no_channel_and_an_unknown_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="channels are all None, but at least one sequence is needed"):
        see([None], None, View("gray", 4))
    with pytest.raises(ValueError, match="kind is 'grey', but a view is one of gray, crop-zscore, slice-zscore; choose one of them"):
        see([np.ones((1, 4, 4))], None, View("grey", 4))
