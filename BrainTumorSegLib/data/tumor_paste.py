"""Tumors of other patients put anywhere into a brain, so that a network does not learn by heart where the few tumors of its training set lie.

After CarveMix (Zhang et al. 2023, doi:10.1016/j.neuroimage.2023.120041), which leaves a tumor with some of what is around it in its place; here it
is mirrored and turned by right angles and may come to lie wherever brain of even brightness is, as objects do in Ghiasi et al. 2021 (arXiv:2012.07177).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

_TISSUE = 0.25
"""Tissue of the head is brighter than this share of its mean; what is darker is air, bone or fluid."""
_SCALP_PIXELS = 12  # of 1.07 mm: skin, fat and bone lie nearer to the outside
_LEAST_BRAIN, _LEAST_TUMOR, _LEAST_AROUND = 1800, 20, 20  # pixels
_LARGEST_SHARE = 0.3  # of the brain's pixels
_MARGIN = 0.4
"""What is around a tumor comes along up to this share of its half width."""
_LEAST_KEPT = 0.85  # of the tumor's pixels: what would reach beyond the brain is cut off
_CONTRAST = (1.12, 2.5)
"""How bright a tumor must come out, as a multiple of what lies around it: one that nobody can see teaches nothing."""


@dataclass(frozen=True)
class Place:
    """Where a tumor may come to lie: pixels of even `brain`, and the whole `area` they span, sulci included."""

    brain: np.ndarray
    area: np.ndarray


def find_place(image: np.ndarray) -> Place | None:
    """The largest area of even brightness below the scalp of a slice [n, n] in tissue units, None where it shows too little brain."""
    head = ndimage.binary_fill_holes(image > _TISSUE)
    depth = ndimage.distance_transform_edt(head)
    mean = ndimage.uniform_filter(image.astype(np.float32), 7)
    spread = np.sqrt(np.maximum(ndimage.uniform_filter(image.astype(np.float32) ** 2, 7) - mean**2, 0))
    even = (depth > _SCALP_PIXELS) & (mean > 0.4) & (spread < 0.2 * mean)
    parts, count = ndimage.label(ndimage.binary_opening(even, iterations=3))
    sizes = np.bincount(parts.ravel(), minlength=2)[1:]
    if not count or sizes.max() < _LEAST_BRAIN:
        return None
    brain = parts == 1 + int(sizes.argmax())
    return Place(brain, ndimage.binary_closing(np.pad(brain, 20), iterations=12)[20:-20, 20:-20])


def paste_tumor(
    image: np.ndarray, place: Place | None, donor: np.ndarray, mask: np.ndarray, numbers: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """A slice with the tumor of another slice somewhere in its brain, as bright beside its new surroundings as it was beside the old ones.

    Args:
        image: [n, n], tissue units (1 is the mean of tissue). place: of `find_place`, where a tumor may come to lie in it.
        donor: [n, n], in tissue units, with the tumor `mask`, bool [n, n].
        numbers: where and how it is put is drawn from these.

    Returns:
        The new slice, which of its pixels were replaced, and which of those are tumor; or None where the draw did not fit.
    """
    if mask.sum() < _LEAST_TUMOR:
        return None
    donor, mask = _turned(donor, mask, numbers)
    if place is None:
        return None
    distance = ndimage.distance_transform_edt(~mask)
    head = ndimage.binary_fill_holes(donor > _TISSUE)
    ring = (distance > 1) & (distance < 9) & head & (donor > _TISSUE)
    if ring.sum() < 50:
        return None
    before = np.median(donor[ring])
    shift = _drawn_pixel(image, place, numbers) - np.round(np.argwhere(mask).mean(0)).astype(int)
    margin = numbers.uniform(0.0, _MARGIN) * ndimage.distance_transform_edt(mask).max()
    carved, donor, tumor = (_moved(pixels, shift) for pixels in ((distance <= margin) & head, donor, mask))
    whole = carved.sum()
    carved &= place.area & (image > 0.2)
    around = ndimage.binary_dilation(carved, iterations=6) & ~carved & place.area & (image > _TISSUE)
    size = carved.sum()
    if size < max(_LEAST_TUMOR, _LEAST_KEPT * whole) or size > _LARGEST_SHARE * place.brain.sum() or around.sum() < _LEAST_AROUND:
        return None
    beside = np.median(image[around])
    donor = donor * (beside / before)
    bright = np.median(donor[carved & tumor]) / beside
    if not 0.5 < beside / before < 2 or not _CONTRAST[0] < bright < _CONTRAST[1]:
        return None
    share = ndimage.gaussian_filter(carved.astype(np.float32), 0.8) * carved  # a soft edge
    return (share * donor + (1 - share) * image).astype(image.dtype), carved, tumor & carved


def _turned(donor: np.ndarray, mask: np.ndarray, numbers: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    for axis in (1, 0):
        if numbers.random() < 0.5:
            donor, mask = np.flip(donor, axis), np.flip(mask, axis)
    turns = int(numbers.integers(4))
    return np.rot90(donor, turns), np.rot90(mask, turns)


def _drawn_pixel(image: np.ndarray, place: Place, numbers: np.random.Generator) -> np.ndarray:
    """(row, column) of the brain that is neither darkest nor brightest: no ventricle, no lesion."""
    low, high = np.percentile(image[place.brain], (10, 90))
    pixels = np.argwhere(place.brain & (image >= low) & (image <= high))
    return pixels[int(numbers.integers(len(pixels)))]


def _moved(pixels: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Moved by (rows, columns); what leaves the slice is lost, and 0 comes in."""
    moved = np.zeros_like(pixels)
    (height, width), (down, right) = pixels.shape, shift
    moved[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = pixels[
        max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)
    ]
    return moved
