"""Nested regions, each with a probability map of its own, become one label map; the outermost region comes first."""

from __future__ import annotations

import itertools

import numpy as np

from BrainTumorSegLib.inference.postprocess import fill_holes, remove_islands, remove_satellites
from BrainTumorSegLib.inference.uncertainty import entropy
from BrainTumorSegLib.labels import REGIONS, SCHEMES

Limits = dict[str, float]
"""As `ModelInfo.postprocess`."""


def unseen_labels(scheme: str, roles: tuple[str, ...]) -> tuple[str, ...]:
    """Keys of the labels that no given sequence shows: enhancement needs T1 after contrast agent."""
    return ("ET",) if scheme == "glioma" and "t1ce" not in roles else ()


def nest(maps: np.ndarray) -> np.ndarray:
    """Probabilities [K, Z, Y, X] in which an inner region is never likelier than the one around it."""
    return np.minimum.accumulate(maps, axis=0)


def nested_masks(maps: np.ndarray, threshold: float) -> np.ndarray:
    """`nest(maps) >= threshold`, bool [K, Z, Y, X], in a tenth of its time."""
    masks = maps >= threshold
    for outer, inner in itertools.pairwise(masks):
        inner &= outer
    return masks


def clean_regions(masks: np.ndarray, voxel_mm3: float, limits: Limits) -> np.ndarray:
    """Islands removed from every region and holes filled in all but the innermost, each inside of the cleaned one around it.

    Args:
        masks: bool [K, Z, Y, X], nested.
        limits: "min_island_mm3", "max_hole_mm3", and, by default 0, "min_satellite_mm3" (see `postprocess.remove_satellites`),
            "min_lone_mm3": less than this of the outermost in all, with nothing inside of it, is none, and
            "min_innermost_mm3": less than this of the innermost in all is none.
    """
    parts = [remove_islands(mask, voxel_mm3, limits["min_island_mm3"]) for mask in masks]
    if len(parts) > 1:
        parts[0] = remove_satellites(parts[0], parts[1], voxel_mm3, limits.get("min_satellite_mm3", 0.0))
        if not parts[1].any() and parts[0].sum() * voxel_mm3 < limits.get("min_lone_mm3", 0.0):
            parts[0] = np.zeros_like(parts[0])
    cleaned: list[np.ndarray] = []
    for k, mask in enumerate(parts):
        if k < len(parts) - 1:  # enhancement has holes: they are necrosis
            mask = fill_holes(mask, voxel_mm3, limits["max_hole_mm3"])
            mask = mask & cleaned[-1] if cleaned else mask  # a hole of the core may lie in a larger one of the tumor
        elif mask.sum() * voxel_mm3 < limits.get("min_innermost_mm3", 0.0):
            mask = np.zeros_like(mask)
        cleaned.append(mask)
    return np.stack(cleaned)


def region_labels(masks: np.ndarray, scheme: str, unseen: tuple[str, ...] = ()) -> np.ndarray:
    """Label map, uint8 [Z, Y, X], of nested masks [K, Z, Y, X]; what would be `unseen` gets the value of the region around it."""
    labels = np.zeros(masks.shape[1:], np.uint8)
    for mask, (key, value) in zip(masks, _values(scheme)):
        if key not in unseen:
            labels[mask] = value
    return labels


def label_probabilities(maps: np.ndarray, scheme: str, unseen: tuple[str, ...] = ()) -> np.ndarray:
    """Probability of each label in the scheme's order, float32 [K, Z, Y, X], from nested ones: a ring is its region less the one inside."""
    values = _values(scheme)
    inner = np.concatenate([maps[1:], np.zeros_like(maps[:1])])
    for k, (key, _) in enumerate(values):
        if key in unseen:
            inner[k - 1] = 0.0
    rings = {key: np.zeros_like(outer) if key in unseen else outer - inside for (key, _), outer, inside in zip(values, maps, inner)}
    return np.stack([rings[label.key] for label in SCHEMES[scheme]])


def region_entropy(maps: np.ndarray) -> np.ndarray:
    """The entropy of the most doubtful region, [Z, Y, X] in [0, 1]."""
    return np.asarray(np.max([entropy(maps[k : k + 1]) for k in range(len(maps))], axis=0))


def _values(scheme: str) -> list[tuple[str, int]]:
    """(label key, value) of what is in each region, but in none inside of it."""
    regions = REGIONS[scheme]
    keys = {label.value: label.key for label in SCHEMES[scheme]}
    inner = [*(set(region.values) for region in regions[1:]), set()]
    return [(keys[value], value) for region, inside in zip(regions, inner) for value in set(region.values) - inside]
