"""Probabilities of classes become labels: by hand on a row of voxels."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.inference.classes import likeliest, region_masks, with_background
from BrainTumorSegLib.inference.regions import clean_regions, region_labels

KEEP_ALL = {"min_island_mm3": 0.0, "max_hole_mm3": 0.0}


def row(*classes: list[float]) -> np.ndarray:
    """[1 + K, 1, 1, X], background first"""
    return np.array(classes, np.float32)[:, None, None, :]


def test_what_no_class_claims_is_background() -> None:
    # a voxel that nothing was run for, one at a faded border, one that is whole
    maps = row([0, 0.25, 0.5], [0, 0.25, 0.25], [0, 0, 0.25], [0, 0, 0])
    filled = with_background(maps)
    np.testing.assert_array_equal(filled, row([1, 0.75, 0.5], [0, 0.25, 0.25], [0, 0, 0.25], [0, 0, 0]))
    np.testing.assert_array_equal(filled.sum(axis=0), 1)
    assert maps[0, 0, 0, 0] == 0  # its own copy


def test_the_likeliest_class_is_the_label_and_of_equals_the_first() -> None:
    maps = row([0.4, 0.1, 0.2, 0.1, 0.35, 0.25], [0.3, 0.6, 0.2, 0.1, 0.35, 0.25], [0.2, 0.2, 0.4, 0.1, 0.3, 0.25], [0.1, 0.1, 0.2, 0.7, 0, 0.25])
    labels = likeliest(maps, "glioma")
    assert labels.ravel().tolist() == [0, 1, 2, 3, 0, 0]  # NCR, ED and ET are 1, 2 and 3
    assert labels.dtype == np.uint8
    assert likeliest(row([0.1], [0.3], [0.3], [0.3]), "glioma").ravel().tolist() == [1]


def test_no_threshold_decides() -> None:
    assert likeliest(row([0.3], [0.1], [0.4], [0.2]), "glioma").ravel().tolist() == [2]  # 0.4 is enough
    assert likeliest(row([0.4], [0.2], [0.2], [0.2]), "glioma").ravel().tolist() == [0]  # though a tumor of some kind is likelier than none


def test_a_label_map_and_its_nested_regions_are_the_same_thing() -> None:
    labels = np.array([0, 1, 2, 3, 3, 0], np.uint8)[None, None]
    masks = region_masks(labels, "glioma")
    assert masks.astype(int)[:, 0, 0].tolist() == [[0, 1, 1, 1, 1, 0], [0, 1, 0, 1, 1, 0], [0, 0, 0, 1, 1, 0]]  # WT, TC, ET
    np.testing.assert_array_equal(region_labels(clean_regions(masks, 1.0, KEEP_ALL), "glioma"), labels)


@pytest.mark.parametrize("seed", range(3))
def test_without_limits_cleaning_changes_no_label(seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 4, (6, 7, 8)).astype(np.uint8)
    np.testing.assert_array_equal(region_labels(clean_regions(region_masks(labels, "glioma"), 1.0, KEEP_ALL), "glioma"), labels)
