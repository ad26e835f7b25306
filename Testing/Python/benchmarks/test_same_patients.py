"""A brain is found again in its own head, at another size and place, and in no other."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from Testing.Benchmarks.same_patients import brain_slice, head_slices, likeness


def head(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """FLAIR [3, 140, 120] with a bright scalp, a dark skull, the mask of its brain, and labels on slice 1."""
    z, y, x = np.indices((3, 140, 120))
    radius = np.hypot((y - 70) / 60, (x - 60) / 48)
    texture = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=radius.shape), (0, 4, 4)) * 600
    brain = radius < 0.8
    flair = np.where(brain, 120 + texture, np.where(radius > 1, 0, np.where(radius > 0.9, 250, 20))).clip(0, 255)
    return flair.astype(np.uint8), brain, (brain & (z == 1) & (abs(y - 60) < 9) & (abs(x - 40) < 7)).astype(np.uint8)


def test_the_slice_with_most_tumor_is_cut_to_the_brain() -> None:
    flair, brain, labels = head(1)
    assert brain_slice(np.where(brain, flair, 0), labels).shape == (95, 77)  # rows 23 to 117, columns 22 to 98


def test_slices_with_tumor_come_with_their_neighbors() -> None:
    flair, _, labels = head(1)
    assert len(head_slices(flair, labels)) == 3
    labels[2] = labels[1]
    labels[1] = 0
    assert len(head_slices(flair, labels)) == 2


def test_a_patient_is_most_like_himself() -> None:
    flair, brain, labels = head(1)
    stripped = brain_slice(ndimage.zoom(np.where(brain, flair, 0), (1, 1.3, 1.3), order=1), ndimage.zoom(labels, (1, 1.3, 1.3), order=0))
    own, other = (likeness(stripped, head_slices(*(head(seed)[i] for i in (0, 2)))) for seed in (1, 2))
    assert own > 0.9
    assert other < 0.5
