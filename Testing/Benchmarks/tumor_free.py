"""Heads without tumor, and the halves of `brats` heads that have none: what a model marks there is false."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from BrainTumorSegLib import api
from Testing.Benchmarks.brats_volumes import brats_volumes

MIDLINE_MM = 10.0
"""A half begins this far from the middle of the grid, since a tumor pushes the midline aside."""


@dataclass(frozen=True)
class TumorFree:
    """A case to segment.

    Attributes:
        given: what it is, for the table. where: bool [z, y, x], the part that is known to be free of tumor; None is all of it.
    """

    name: str
    given: str
    volumes: dict[str, api.Volume]
    where: np.ndarray | None = None


def tumor_free(data: Path, inputs: tuple[str, ...], stripped: bool, fold: int) -> Iterator[TumorFree]:
    """All that the public sets have for a model that reads `inputs`.

    A model of T1ce alone gets T1, the nearest there is; `stripped` says that it wants brains without skull, which MS heads
    have masks for.
    """
    for path in sorted((data / "healthy").glob("*.nii.gz")):
        role = "t1" if "t1" in inputs else inputs[0]
        yield TumorFree(path.name.removesuffix(".nii.gz"), f"T1 with skull, as {role}", {role: api.read_volume(path)})
    for folder in sorted((data / "ms_heads").iterdir()):
        if folder.is_dir():
            yield ms_head(folder, inputs, stripped)
    for name, volumes, labels in brats_volumes(data, fold):
        for side, half in halves(labels).items():
            if not labels.array[half].any():
                yield TumorFree(f"{name}, {side} half", "brats", {role: volumes[role] for role in inputs}, half)


def ms_head(folder: Path, inputs: tuple[str, ...], stripped: bool) -> TumorFree:
    """FLAIR, T1 and T2 as far as the model reads them, or T1 in the place of T1ce; without skull where that is wanted and there are masks."""
    there = [role for role in ("flair", "t1", "t2") if role in inputs and (folder / f"{role}.nii.gz").is_file()]
    files = {role: role for role in there} or {inputs[0]: "t1"}
    volumes = {role: api.read_volume(folder / f"{file}.nii.gz") for role, file in files.items()}
    masks = {role: folder / f"{file}_brainmask.nii.gz" for role, file in files.items()}
    bare = stripped and all(mask.is_file() for mask in masks.values())
    if bare:
        for role, volume in volumes.items():
            brain = api.resample_labels_to(api.read_label_volume(masks[role]), volume).array > 0
            volumes[role] = volume.like(np.where(brain, volume.array, 0))
    given = ", ".join(f"{file.upper()} as {role}" if file != role else role for role, file in files.items())
    return TumorFree(f"MS {folder.name}", f"{given}, {'skull removed' if bare else 'with skull'}", volumes)


def halves(labels: api.Volume) -> dict[str, np.ndarray]:
    """Both halves of the grid along its last array axis, `MIDLINE_MM` from its middle; in brats that axis runs from right to left or back."""
    n = labels.array.shape[2]
    mm = (np.arange(n) - (n - 1) / 2) * labels.spacing_mm[0] * np.sign(labels.matrix[0, 0])  # LPS: positive is the patient's left
    return {side: np.broadcast_to(part, labels.array.shape) for side, part in (("right", mm < -MIDLINE_MM), ("left", mm > MIDLINE_MM))}


def false_ml(result: api.Segmentation, where: np.ndarray | None) -> dict[str, Any]:
    """mL marked where no tumor is, in all and by label, and whether the user was warned of this input."""
    labels = result.labels.array if where is None else np.where(where, result.labels.array, 0)
    by_value = {int(value): round(int(np.count_nonzero(labels == value)) * result.labels.voxel_ml, 3) for value in np.unique(labels[labels > 0])}
    return {"ml": round(sum(by_value.values()), 3), "by_label": by_value, "warnings": list(result.warnings)}
