"""Which sequence a volume looks like, from its gray values alone: a last resort, and a check of what names say.

A linear discriminant on seven numbers of the middle of the head, where the ventricles are: fluid is bright on T2, dark on T1 and nulled on
FLAIR, and contrast agent lengthens the bright end. Fitted to 178 volumes (39 patients of BraTS, 5 of open MS data, 3 single heads; with and
without skull). Leave-one-patient-out, and on 90 volumes of another set (TCGA-LGG): all sequences of a case told apart at once are right in
212 of 262; one volume is wrongly said to look like another group (T1 with or without contrast, T2, FLAIR) in 7 of 268.
"""

from __future__ import annotations

import numpy as np

ROLES = ("t1", "t1ce", "t2", "flair")
GROUPS = (("t1", "t1ce"), ("t2",), ("flair",))
"""Contrast agent may enhance nothing, so T1 with and without it are not told apart by a warning."""
SURE = 0.98
"""Probability from which a volume is said to look like another group."""

_SAMPLES = 80
"""Voxels along an axis that are enough."""
_MIDDLE = 0.4
_AIR = 0.02
_PERCENTILES = (1, 5, 10, 50, 90, 95, 99)
# One row for each role, one column for each feature; see `features`.
_WEIGHTS = np.array(
    [
        [0.33, 8.93, -8.25, 13.93, 34.73, 11.63, -42.65],
        [0.30, 2.08, 2.78, 15.52, 12.15, 33.04, -37.73],
        [-2.03, 7.19, -2.06, 35.62, 15.75, 28.59, -21.22],
        [-3.61, -2.06, 6.32, 20.50, 11.72, 22.18, -25.31],
    ]
)
_OFFSETS = np.array([-13.99, -15.05, -24.77, -15.38])


def role_probabilities(image: np.ndarray) -> dict[str, float] | None:
    """Probability of each role, summing to 1, or None where nothing can be said.

    Args:
        image: [z, y, x], any scale of intensity and any orientation of the axes.
    """
    found = features(image)
    if found is None:
        return None
    scores = _WEIGHTS @ found + _OFFSETS
    weights = np.exp(scores - scores.max())
    return dict(zip(ROLES, (weights / weights.sum()).tolist()))


def other_group(image: np.ndarray, role: str) -> tuple[str, ...] | None:
    """The group of roles that this image surely looks like and `role` is not of; None where there is no such."""
    probabilities = role_probabilities(image)
    if probabilities is None or role not in ROLES:
        return None
    for group in GROUPS:
        if role not in group and sum(probabilities[member] for member in group) > SURE:
            return group
    return None


def features(image: np.ndarray) -> np.ndarray | None:
    """Shape [7]: logarithms of the 1st, 5th, 10th, 90th, 95th and 99th percentile of the middle of the head against its median, and its skewness.

    None for an image with next to no middle.
    """
    sample = image[tuple(slice(None, None, max(1, length // _SAMPLES)) for length in image.shape)].astype(np.float32)
    found = middle_of_head(sample, _MIDDLE)
    if found is None:
        return None
    middle, air = found
    tissue = middle[middle > air]
    if tissue.size < 2:
        return None
    p1, p5, p10, median, p90, p95, p99 = (float(value) for value in np.percentile(tissue, _PERCENTILES))
    if p95 <= p5:
        return None
    ratios = np.maximum(np.array([p1, p5, p10, p90, p95, p99]) / median, 0.02)
    return np.append(np.log(ratios), (p95 + p5 - 2 * median) / (p95 - p5))


def middle_of_head(sample: np.ndarray, part: float) -> tuple[np.ndarray, float] | None:
    """The middle of the box around the head, `part` of it along each axis, with air at 0; and the value up to which a voxel is air. None without a head."""
    low, high = (float(value) for value in np.percentile(sample, (0.5, 99.8)))
    foreground = sample > low + 0.1 * (high - low)
    if high <= low or not foreground.any():
        return None
    return sample[_middle_box(foreground, part)] - low, _AIR * (high - low)


def _middle_box(foreground: np.ndarray, part: float) -> tuple[slice, ...]:
    box = []
    for axis in range(foreground.ndim):
        others = tuple(other for other in range(foreground.ndim) if other != axis)
        inside = np.flatnonzero(foreground.any(axis=others))
        first, length = int(inside[0]), int(inside[-1]) + 1 - int(inside[0])
        start, stop = int(first + length * (1 - part) / 2), int(first + length * (1 + part) / 2)
        box.append(slice(start, max(start + 1, stop)))
    return tuple(box)
