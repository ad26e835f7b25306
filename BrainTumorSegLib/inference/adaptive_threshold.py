"""A threshold of its own for each region of each volume: the one that promises the largest Dice.

Where a network is sure, hardly any voxel lies between two thresholds. Where it is not, half of a tumor may lie below the usual one,
and is then missed. Which threshold is best follows from the probabilities themselves: of voxels that are tumor with probability p,
those from t on have an expected Dice of about 2 sum(p where p >= t) / (count(p >= t) + sum(p)), largest where t is half of it
(Lipton, Elkan & Naryanaswamy 2014, doi:10.1007/978-3-662-44851-9_15). What it gains: docs/models/glioma-regions-trials.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from BrainTumorSegLib.inference.postprocess import islands_touching, padded_box
from BrainTumorSegLib.metrics.calibration import tempered

TEMPERATURE = 1.3
"""Networks are too sure of voxels that they miss: doubt is raised by this before Dice is expected; 1.18 to 1.5 do the same."""
SMOOTHING_MM = 1.0
"""Standard deviation: below 1/3 the opinion of a single plane decides, and shows as lines between slices that are not smoothed."""
_BINS = 256
_NOTHING = 0.02
"""Probabilities below this are those of healthy tissue, which are many, and sum to something."""


def best_threshold(probabilities: np.ndarray, lowest: float, highest: float) -> float:
    """The threshold from `lowest` to `highest` with the largest expected Dice, to 1/256; the highest where nothing is likely at all."""
    likely = probabilities[probabilities >= _NOTHING]
    counts = np.bincount((likely * _BINS).astype(np.int64).clip(0, _BINS - 1), minlength=_BINS)
    middles = (np.arange(_BINS) + 0.5) / _BINS
    expected = counts * tempered(middles, TEMPERATURE)  # what is true in each bin
    true, marked = (np.cumsum(values[::-1])[::-1] for values in (expected, counts))  # from each bin on
    if not true[0]:
        return highest
    dice = 2 * true / (marked + true[0])
    candidates = np.arange(int(np.ceil(lowest * _BINS)), int(highest * _BINS) + 1)
    best = int(candidates[::-1][np.argmax(dice[candidates][::-1])])  # of equal ones the highest
    return highest if best == candidates[-1] else best / _BINS


def grow(masks: np.ndarray, maps: np.ndarray, threshold: float, lowest: float, spacing_mm: Sequence[float]) -> np.ndarray:
    """Every region but the innermost, as far as its own `best_threshold` lets it reach.

    Only what is there grows, so that nothing new is marked in a head without tumor. The innermost stays as it is: lower thresholds
    gained nothing there, and found enhancement in tumors that have none.

    Args:
        masks: bool [K, Z, Y, X], nested: what the model's `threshold` has found, cleaned.
        maps: probabilities [K, Z, Y, X].
        threshold: of the model, which is the highest.
        lowest: how far down it may go.
        spacing_mm: (z, y, x).

    Returns:
        bool [K, Z, Y, X], nested, each region at least as large as it was.
    """
    grown = masks.copy()
    for k in range(len(masks) - 1):
        if not masks[k].any():
            continue
        chosen = best_threshold(maps[k], lowest, threshold)
        if chosen < threshold:
            within = _smooth(maps[k], lowest, spacing_mm) >= chosen
            grown[k] |= islands_touching(within & grown[k - 1] if k else within, masks[k])
    return grown


def _smooth(probabilities: np.ndarray, lowest: float, spacing_mm: Sequence[float]) -> np.ndarray:
    """`probabilities` [Z, Y, X] after a Gaussian of `SMOOTHING_MM` where they reach `lowest`, and 0 far from there."""
    from scipy import ndimage

    box = padded_box(probabilities >= lowest)
    smooth = np.zeros_like(probabilities)
    ndimage.gaussian_filter(probabilities[box], [SMOOTHING_MM / spacing for spacing in spacing_mm], output=smooth[box])
    return smooth
