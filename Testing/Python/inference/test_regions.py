"""Nested regions become labels: by hand on a row of voxels, and on boxes with islands and holes."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.inference.regions import clean_regions, label_probabilities, nest, nested_masks, region_entropy, region_labels, unseen_labels

KEEP_ALL = {"min_island_mm3": 0.0, "max_hole_mm3": 0.0}


def row(*regions: list[float]) -> np.ndarray:
    """[K, 1, 1, X]"""
    return np.array(regions, np.float32)[:, None, None, :]


def test_an_inner_region_is_never_likelier_than_the_outer() -> None:
    nested = nest(row([0.9, 0.2, 0.6], [0.8, 0.7, 0.9], [0.1, 0.9, 0.7]))
    np.testing.assert_array_equal(nested, row([0.9, 0.2, 0.6], [0.8, 0.2, 0.6], [0.1, 0.2, 0.6]))


def test_masks_of_nested_regions_are_nested() -> None:
    masks = nested_masks(row([0.9, 0.2, 0.6, 0.5], [0.8, 0.7, 0.4, 0.5], [0.1, 0.9, 0.7, 0.5]), 0.5)
    assert masks[:, 0, 0].tolist() == [[True, False, True, True], [True, False, False, True], [False, False, False, True]]


def test_rings_get_their_labels() -> None:
    masks = row([1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 0]) > 0  # WT, TC, ET
    assert region_labels(masks, "glioma").ravel().tolist() == [2, 1, 3, 0]
    assert region_labels(masks, "glioma", ("ET",)).ravel().tolist() == [2, 1, 1, 0]


def test_probabilities_of_labels_are_differences() -> None:
    maps = row([0.9, 0.6], [0.5, 0.6], [0.2, 0.25])
    np.testing.assert_allclose(label_probabilities(maps, "glioma")[:, 0, 0], [[0.3, 0.35], [0.4, 0.0], [0.2, 0.25]], atol=1e-6)  # NCR, ED, ET
    np.testing.assert_allclose(label_probabilities(maps, "glioma", ("ET",))[:, 0, 0], [[0.5, 0.6], [0.4, 0.0], [0.0, 0.0]], atol=1e-6)
    np.testing.assert_array_equal(maps, row([0.9, 0.6], [0.5, 0.6], [0.2, 0.25]))


@pytest.mark.parametrize(("scheme", "roles", "unseen"), [("glioma", ("t1", "flair"), ("ET",)), ("glioma", ("t1ce",), ()), ("tumor", ("flair",), ())])
def test_enhancement_is_unseen_without_contrast(scheme: str, roles: tuple[str, ...], unseen: tuple[str, ...]) -> None:
    assert unseen_labels(scheme, roles) == unseen


def boxes() -> np.ndarray:
    """WT of 10, TC of 6, ET of 4 voxels a side."""
    masks = np.zeros((3, 14, 14, 14), bool)
    masks[0, 2:12, 2:12, 2:12] = True
    masks[1, 4:10, 4:10, 4:10] = True
    masks[2, 5:9, 5:9, 5:9] = True
    return masks


def test_islands_leave_every_region_and_what_is_inside_of_them() -> None:
    masks = boxes()
    masks[:, 0, 0, 0] = True  # 1 voxel of tumor, core and enhancement
    masks[1:, 2, 2, 2] = True  # 1 voxel of core, enhancing, apart from the core but inside the tumor
    cleaned = clean_regions(masks, 2.0, {"min_island_mm3": 4.0, "max_hole_mm3": 0.0})
    np.testing.assert_array_equal(cleaned, boxes())
    np.testing.assert_array_equal(clean_regions(masks, 2.0, {"min_island_mm3": 2.0, "max_hole_mm3": 0.0}), masks)


def test_a_satellite_of_the_tumor_goes_unless_it_holds_core_that_stays() -> None:
    masks = boxes()
    masks[0, 0, 0, 0:3] = masks[0, 13, 13, 10:13] = True  # two satellites of 3 voxels
    masks[1, 13, 13, 10:12] = True  # with 2 voxels of core in one
    limits = {**KEEP_ALL, "min_satellite_mm3": 8.0}
    wanted = masks.copy()
    wanted[0, 0, 0, 0:3] = False
    np.testing.assert_array_equal(clean_regions(masks, 2.0, limits), wanted)
    np.testing.assert_array_equal(clean_regions(masks, 2.0, {**limits, "min_island_mm3": 5.0}), boxes())  # core of 4 mm3 goes, and its satellite with it
    np.testing.assert_array_equal(clean_regions(masks, 2.0, KEEP_ALL), masks)


@pytest.mark.parametrize(("core", "least", "kept"), [(False, 2000.0, 1000), (False, 2001.0, 0), (True, 2001.0, 1000)])
def test_too_little_tumor_without_any_core_is_none(core: bool, least: float, kept: int) -> None:
    masks = boxes()
    masks[1:] &= core
    assert clean_regions(masks, 2.0, {**KEEP_ALL, "min_lone_mm3": least})[0].sum() == kept  # 10 x 10 x 10 x 2 mm3 = 2000


def test_holes_are_filled_but_not_in_what_enhances() -> None:
    masks = boxes()
    masks[:, 6, 6, 6:8] = False  # 2 voxels
    cleaned = clean_regions(masks, 2.0, {"min_island_mm3": 0.0, "max_hole_mm3": 4.0})
    np.testing.assert_array_equal(cleaned[:2], boxes()[:2])
    np.testing.assert_array_equal(cleaned[2], masks[2])
    np.testing.assert_array_equal(clean_regions(masks, 2.0, {"min_island_mm3": 0.0, "max_hole_mm3": 3.0}), masks)


@pytest.mark.parametrize(("least", "kept"), [(128.0, 64), (129.0, 0)])
def test_too_little_enhancement_in_all_is_none(least: float, kept: int) -> None:
    cleaned = clean_regions(boxes(), 2.0, {**KEEP_ALL, "min_innermost_mm3": least})  # 4 x 4 x 4 x 2 mm3 = 128
    assert np.count_nonzero(cleaned, axis=(1, 2, 3)).tolist() == [1000, 216, kept]


def test_doubt_is_that_of_the_most_doubtful_region() -> None:
    np.testing.assert_allclose(region_entropy(row([1.0, 1.0], [0.5, 1.0], [0.0, 0.0])).ravel(), [1.0, 0.0], atol=1e-5)
