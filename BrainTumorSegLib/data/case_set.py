"""Volumes of several sequences with label maps in memory, from which a slice of any plane is cut when a batch needs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from BrainTumorSegLib.labels import REGIONS, ROLES
from BrainTumorSegLib.preprocess.frame import Frame, frame_for_volume
from BrainTumorSegLib.preprocess.planes import AXIS_OF_PLANE, plane_view, volume_view

UNITS_PER_STEP = 0.02
"""Tissue units of one step of a stored gray level: 255 of them reach 5.1 times mean tissue, above any vessel."""
REGION_KEYS = tuple(region.key for region in REGIONS["glioma"])
"""The nested regions, the outermost first, in the order of the networks' outputs."""
ENHANCING = REGION_KEYS.index("ET")
CHANNELS = ROLES
"""The sequences in the order of the channels."""
CONTRAST_CHANNEL = CHANNELS.index("t1ce")
"""The channel without which the region `ENHANCING` cannot be seen."""
_LEAST_TISSUE_PIXELS = 400
_COLUMNS = ("name", "source", "fold", "spacing_mm", "whole", "told", "axial_only")


@dataclass(frozen=True)
class Case:
    """One patient's volume, or a part of it.

    Attributes:
        name: identifier of the patient.
        source: name of the data set.
        fold: int.
        tissue: uint8 [C, Z, Y, X], tissue units in steps of `UNITS_PER_STEP`, channels as `labels.ROLES`, canonical axes.
        labels: uint8 [Z, Y, X], values of the scheme "glioma".
        spacing_mm: (z, y, x).
        whole: whether all around it is air; else nothing is known there.
        told: how many of the regions, the outermost first, its labels tell; of the others nothing is known.
        axial_only: whether its slices are no volume, so that none of another plane is cut from it.
    """

    name: str
    source: str
    fold: int
    tissue: np.ndarray
    labels: np.ndarray
    spacing_mm: tuple[float, float, float]
    whole: bool
    told: int = len(REGION_KEYS)
    axial_only: bool = False

    def regions(self) -> np.ndarray:
        """The nested regions as masks, bool [3, Z, Y, X]."""
        return region_masks(self.labels)

    def frame(self, plane: str) -> Frame:
        """The frame that inference lays this plane's slices into."""
        size = [n for axis, n in enumerate(self.labels.shape) if axis != AXIS_OF_PLANE[plane]]
        vertical, horizontal = (mm for axis, mm in enumerate(self.spacing_mm) if axis != AXIS_OF_PLANE[plane])
        return frame_for_volume((size[0], size[1]), (vertical, horizontal))

    def slices_by_kind(self, plane: str) -> dict[str, np.ndarray]:
        """Indices of the slices with tumor ("glioma") and of those with tissue alone ("none"), which are none in a plane that it is not cut in."""
        if self.axial_only and plane != "axial":
            return {"glioma": np.empty(0, int), "none": np.empty(0, int)}
        tumor = (plane_view(self.labels, plane) > 0).any((1, 2))
        tissue = np.count_nonzero(plane_view(self.tissue.max(axis=0), plane), axis=(1, 2)) >= _LEAST_TISSUE_PIXELS
        return {"glioma": np.flatnonzero(tumor), "none": np.flatnonzero(tissue & ~tumor)}

    def channels(self) -> np.ndarray:
        """Which sequences it has, bool [C]."""
        return np.array([channel.any() for channel in self.tissue])

    def tissue_slices(self, plane: str) -> np.ndarray:
        """All slices of a plane in tissue units, float32 [N, C, height, width]."""
        return np.stack([plane_view(channel, plane) for channel in self.tissue], 1) * np.float32(UNITS_PER_STEP)

    def cut(self, plane: str, index: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One slice on a canvas of `size` x `size` pixels, centered, as inference would see it.

        Returns:
            float32 tissue [C, size, size], regions [3, size, size] and known pixels [1, size, size], the last two 0 or 1.
        """
        frame = replace(self.frame(plane), canvas=(size, size))
        channels = np.stack([plane_view(channel, plane)[index] for channel in self.tissue])
        regions = region_masks(plane_view(self.labels, plane)[index])
        masks = np.concatenate([regions, np.ones((1, *regions.shape[1:]), bool)])
        regions_and_known = (frame.to_canvas(masks) >= 0.5).astype(np.float32)
        known = np.ones((1, size, size), np.float32) if self.whole else regions_and_known[-1:]
        return frame.to_canvas(channels) * np.float32(UNITS_PER_STEP), regions_and_known[:-1], known


def as_volume(maps: np.ndarray, plane: str) -> np.ndarray:
    """Maps of all slices of a plane [N, K, height, width] -> [K, Z, Y, X]."""
    return np.stack([volume_view(maps[:, k], plane) for k in range(maps.shape[1])])


def region_masks(labels: np.ndarray) -> np.ndarray:
    """The nested regions of a label map or a slice of one, bool [3, ...]."""
    return np.stack([np.isin(labels, region.values) for region in REGIONS["glioma"]])


def stored(tissue: np.ndarray) -> np.ndarray:
    """Tissue units as the gray levels of `Case.tissue`."""
    return np.round(np.clip(tissue / UNITS_PER_STEP, 0, 255)).astype(np.uint8)


class CaseSet:
    """Cases in order, read from and written to one file."""

    def __init__(self, cases: Iterable[Case]) -> None:
        self.cases = tuple(cases)

    def __len__(self) -> int:
        return len(self.cases)

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)

    def save(self, path: Path) -> None:
        """Write all cases to one uncompressed .npz file."""
        table: dict[str, Any] = {name: np.array([getattr(case, name) for case in self.cases]) for name in _COLUMNS}
        voxels: dict[str, Any] = {f"tissue{i}": case.tissue for i, case in enumerate(self.cases)}
        voxels |= {f"labels{i}": case.labels for i, case in enumerate(self.cases)}
        with path.open("wb") as file:
            np.savez(file, **table, **voxels)

    @classmethod
    def load(cls, path: Path) -> CaseSet:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            columns = [name for name in _COLUMNS if name in arrays]  # files of earlier versions have fewer
            rows = [dict(zip(columns, values)) for values in zip(*(arrays[name].tolist() for name in columns))]
            return cls(
                Case(**{**row, "spacing_mm": tuple(row["spacing_mm"])}, tissue=arrays[f"tissue{i}"], labels=arrays[f"labels{i}"]) for i, row in enumerate(rows)
            )
