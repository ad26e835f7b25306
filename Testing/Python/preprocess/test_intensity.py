"""Every image is measured against its own tissue: air is 0, mean tissue is 1."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.preprocess.intensity import TissueScale, _thinned, fit_tissue_scale


def half_air() -> np.ndarray:
    """1000 voxels: 500 of air (0), 300 of gray 100, 200 of gray 200."""
    return np.repeat([0, 100, 200], [500, 300, 200]).reshape(10, 10, 10)


def test_the_scale_of_three_grays_is_worked_out_by_hand() -> None:
    # percentiles 0.5 and 99.8 are 0 and 200; tissue is above 20: mean (300 * 100 + 200 * 200) / 500 = 140
    assert fit_tissue_scale(half_air()) == TissueScale(0.0, 200.0, 140.0)


def test_apply_maps_air_to_0_mean_tissue_to_1_and_clips() -> None:
    tissue = TissueScale(10.0, 200.0, 60.0).apply(np.array([-50, 10, 60, 110, 200, 9999], np.int16))
    assert tissue.dtype == np.float32
    assert tissue.tolist() == pytest.approx([0, 0, 1, 2, 3.8, 3.8])


def test_gray_is_what_apply_maps_to_these_units() -> None:
    assert [TissueScale(10.0, 200.0, 60.0).gray(units) for units in (0.0, 0.15, 1.0)] == pytest.approx([10.0, 17.5, 60.0])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
def test_all_types_of_numbers_get_the_same_scale(dtype: type) -> None:
    assert fit_tissue_scale(half_air().astype(dtype)) == TissueScale(0.0, 200.0, 140.0)


def test_another_unit_gives_the_same_tissue() -> None:
    image = np.random.default_rng(0).gamma(2.0, 50.0, (20, 20, 20))
    other = 7.5 * image - 1000  # MRI has no unit: gain and offset are the scanner's choice
    tissue, same = fit_tissue_scale(image).apply(image), fit_tissue_scale(other).apply(other)
    assert np.allclose(tissue, same, atol=1e-4)


def test_one_bright_vessel_does_not_set_the_scale() -> None:
    bright = half_air()
    bright[9, 9, 9] = 30000  # one voxel of a thousand is above the 99.8 percentile
    assert fit_tissue_scale(bright).high == pytest.approx(200)
    assert fit_tissue_scale(bright).mean == pytest.approx(140)


def test_a_speck_in_air_is_still_tissue() -> None:
    image = np.zeros((20, 20, 20))
    image[10, 10, 10:12] = 50  # both percentiles are 0
    scale = fit_tissue_scale(image)
    assert (scale.low, scale.high) == (0.0, 50.0)
    assert scale.apply(image).max() == 1


def test_a_constant_image_becomes_0_and_nothing_is_divided_by_0() -> None:
    image = np.full((3, 4, 5), 42.0)
    assert np.array_equal(fit_tissue_scale(image).apply(image), np.zeros((3, 4, 5)))


@pytest.mark.parametrize("step", [2, 3, 4])
def test_a_big_volume_is_thinned_evenly_and_about_its_middle(step: int) -> None:
    for n in range(90, 102):
        volume = np.arange(n)[:, None, None] + np.zeros((1, 30, 30))
        seen = _thinned(volume, most=volume.size // (step - 1) ** 3 - 1)[:, 0, 0]  # every (step - 1)-th along each axis would be too many
        assert np.diff(seen).tolist() == [step] * (len(seen) - 1)
        assert 0 <= n - 1 - seen[-1] - seen[0] <= 1  # what is left over lies half before and half behind


def test_thinning_keeps_the_scale() -> None:
    image = np.kron(half_air(), np.ones((3, 3, 3)))  # 27 000 voxels
    scale = fit_tissue_scale(_thinned(image, most=2_000))
    assert scale.high == 200
    assert scale.mean == pytest.approx(140, rel=0.02)


def test_thinning_leaves_small_images_alone() -> None:
    image = half_air()
    assert _thinned(image) is image
