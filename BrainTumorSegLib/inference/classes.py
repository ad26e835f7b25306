"""Probabilities of classes, of which each voxel has one, become one label map; background is the first class."""

from __future__ import annotations

import numpy as np

from BrainTumorSegLib.labels import BACKGROUND, REGIONS, SCHEMES


def with_background(maps: np.ndarray) -> np.ndarray:
    """Fused probabilities [1 + K, Z, Y, X] that sum to 1 in every voxel: what no class claims is background.

    All maps are 0 where a view sees nothing or a slice was left out, and fade at the border of what is seen.
    """
    filled = maps.copy()
    filled[0] += np.maximum(1.0 - maps.sum(axis=0), 0.0)
    return filled


def likeliest(maps: np.ndarray, scheme: str) -> np.ndarray:
    """Label map, uint8 [Z, Y, X], of the likeliest class of [1 + K, Z, Y, X]; of equally likely ones the first, so that background wins."""
    values = np.array([BACKGROUND, *(label.value for label in SCHEMES[scheme])], np.uint8)
    return values[maps.argmax(axis=0)]


def region_masks(labels: np.ndarray, scheme: str) -> np.ndarray:
    """The nested regions of a label map, bool [K, Z, Y, X], the outermost first, as `regions.clean_regions` takes them."""
    return np.stack([np.isin(labels, region.values) for region in REGIONS[scheme]])
