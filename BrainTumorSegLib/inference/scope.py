"""Whether an input's gray values look like what the models were trained on. What does not is told to the user and never refused.

A T1 is told from a T1ce by vessels, choroid plexus and sinuses, which contrast agent makes bright nearly everywhere: in the middle of the head,
cut into 27 cells, each cell's brightest voxel is compared with its own 90th percentile. One bright mass (fat of an orbit, marrow of the clivus)
fills few cells, so it cannot pass for contrast agent. The limit was chosen on folds 1-3 of BraTS and TCGA-LGG; how often each check is right
and wrong on other patients is in docs/scope.md.
"""

from __future__ import annotations

import itertools

import numpy as np

from BrainTumorSegLib.preprocess.appearance import middle_of_head, other_group
from BrainTumorSegLib.preprocess.roles import TITLES

_SAMPLES = 80
"""Voxels along an axis that are enough; `preprocess.appearance` takes as many, so a volume thinned so gets the same answer."""
_AIR_HU, _BRAIN_HU = (-1100, -900), (0, 100)
_LEAST_AIR, _LEAST_BRAIN = 0.05, 0.03
_MOST_LABELS, _LARGEST_LABEL = 16, 64
_CORNER = 10
"""A corner is this part of each axis."""
_MIDDLE, _CELLS = 0.55, 3
_CELL_VOXELS = 30
_LEAST_SLICES, _LEAST_FOR_SEQUENCE, _LEAST_PIXELS = 10, 32, 64
"""With fewer slices, or fewer pixels along a side, nothing is said of the sequence, or of contrast agent: `other_group` is fitted to volumes
and took 162 of 948 slices of cheng (T1ce) for another sequence, and few voxels show no vessels."""
NO_CONTRAST = 1.127
"""Below this brightness of the brightest of a cell, in the cell at 40 % of the ranking, no contrast agent is seen."""


def gray_doubt(image: np.ndarray, role: str, name: str) -> str | None:
    """One sentence on why these gray values are none that a model was trained on, or None; the most basic reason only. About 0.1 s.

    Args:
        image: [z, y, x], finite and not constant.
        role: the sequence that it was given as, a key of `labels.ROLES`.
        name: what the sentence calls it.
    """
    sample = image[tuple(slice(None, None, max(1, length // _SAMPLES)) for length in image.shape)].astype(np.float32)
    if _looks_like_ct(sample):
        return f"{name} looks like CT (its air is near -1000), but the models were trained on MRI alone; give an MRI sequence"
    if _looks_like_labels(sample):
        return f"{name} holds a few small whole numbers only, like a mask; give the image that the mask was drawn on"
    if _looks_inverted(sample):
        return f"{name} is bright around the head, like a negative; invert its gray values"
    slices, *pixels = sorted(sample.shape)
    if slices < _LEAST_SLICES or pixels[0] < _LEAST_FOR_SEQUENCE:
        return None
    group = other_group(image, role)
    if group is not None:
        return f"{name} looks like {' or '.join(TITLES[member] for member in group)}, but was given as {TITLES[role]}; choose the right sequence"
    brightness = vessel_brightness(sample) if role == "t1ce" else None
    if brightness is not None and brightness < NO_CONTRAST:
        return f"{name} seems to be a T1 without contrast agent, in which healthy tissue may be marked; choose the T1 taken after contrast agent"
    return None


def vessel_brightness(sample: np.ndarray) -> float | None:
    """How much brighter than its cell's 90th percentile the brightest voxel is, in the cell at 40 % of the ranking; None for a picture or a thin slab.

    Args:
        sample: float [z, y, x], about `_SAMPLES` voxels along each axis, or fewer.
    """
    slices, *pixels = sorted(sample.shape)
    if slices < _LEAST_SLICES or pixels[0] < _LEAST_PIXELS:
        return None
    found = middle_of_head(sample, _MIDDLE)
    if found is None:
        return None
    middle, air = found
    ratios = [ratio for cell in _cells(middle) if (ratio := _brightest(cell[cell > air])) is not None]
    return float(np.percentile(ratios, 40)) if len(ratios) > _CELLS else None


def _cells(middle: np.ndarray) -> list[np.ndarray]:
    edges = [[length * k // _CELLS for k in range(_CELLS + 1)] for length in middle.shape]
    ranges = [[slice(*pair) for pair in itertools.pairwise(axis)] for axis in edges]
    return [middle[part] for part in itertools.product(*ranges)]


def _brightest(tissue: np.ndarray) -> float | None:
    if tissue.size < _CELL_VOXELS:
        return None
    return float(tissue.max() / np.percentile(tissue, 90))


def _looks_like_ct(sample: np.ndarray) -> bool:
    """Air and brain where Hounsfield's scale has them; CT that was clipped or windowed cannot be told."""
    air, brain = (np.count_nonzero((sample >= low) & (sample <= high)) / sample.size for low, high in (_AIR_HU, _BRAIN_HU))
    return bool(air >= _LEAST_AIR and brain >= _LEAST_BRAIN)


def _looks_like_labels(sample: np.ndarray) -> bool:
    low, high = float(sample.min()), float(sample.max())
    if low < 0 or (high > _LARGEST_LABEL and high != 255):
        return False
    values = np.unique(sample)
    few = len(values) == 2 if high == 255 else len(values) <= _MOST_LABELS  # a mask as a picture is 0 and 255
    return bool(few and (values == np.round(values)).all())


def _looks_inverted(sample: np.ndarray) -> bool:
    """The eight corners are as bright as the brightest twentieth; where the head fills the picture some corner is not."""
    ends = [(slice(0, max(1, n // _CORNER)), slice(n - max(1, n // _CORNER), n)) for n in sample.shape]
    corners = [float(np.median(sample[corner])) for corner in itertools.product(*ends)]
    low, middle, bright = (float(value) for value in np.percentile(sample, (1, 25, 95)))
    return min(corners) >= bright - 0.05 * (bright - low) and middle < bright - 0.2 * (bright - low)
