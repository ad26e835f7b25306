"""Many 2-D slices with masks in memory, ready for batches."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from BrainTumorSegLib.preprocess.intensity import TissueScale

SIZE = 224
TUMOR_BIT, WHOLE_BIT = 1, 2
"""Bits of a target pixel: tumor as seen with contrast agent, and whole tumor with its edema."""


@dataclass
class SliceSet:
    """n slices on the network's canvas.

    Attributes:
        images: uint8 [n, 224, 224].
        targets: uint8 [n, 224, 224], bits TUMOR_BIT and WHOLE_BIT.
        low, high, mean: float32 [n], the `TissueScale` of the picture or volume that a slice comes from.
        source: name of the data set, [n].
        kind: tumor type ("glioma", "meningioma", "pituitary") or "none", [n].
        fold: int [n].
        case: identifier of the picture or patient, [n].
    """

    images: np.ndarray
    targets: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    source: np.ndarray
    kind: np.ndarray
    fold: np.ndarray
    case: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def select(self, chosen: np.ndarray) -> SliceSet:
        """The slices at `chosen`, a boolean mask or indices."""
        return SliceSet(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})

    def tissue(self, chosen: np.ndarray) -> np.ndarray:
        """Slices in tissue units (see `TissueScale`), float32 [len(chosen), 224, 224]."""
        low, high, mean = (v[chosen, None, None] for v in (self.low, self.high, self.mean))
        return ((np.clip(self.images[chosen], low, high) - low) / (mean - low)).astype(np.float32)

    def save(self, path: Path) -> None:
        """Write all arrays to one uncompressed .npz file."""
        with path.open("wb") as file:
            np.savez(file, **{f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def load(cls, path: Path) -> SliceSet:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{f.name: arrays[f.name] for f in fields(cls)})


class SliceSetBuilder:
    """Collects slices one by one."""

    def __init__(self) -> None:
        self._rows: dict[str, list] = {f.name: [] for f in fields(SliceSet)}

    def add(self, image: np.ndarray, target: np.ndarray, scale: TissueScale, *, source: str, kind: str, fold: int, case: str) -> None:
        """Add one slice: `image` and `target` [224, 224] on the canvas; `scale` is that of its picture or its whole volume."""
        values = (np.round(np.clip(image, 0, 255)).astype(np.uint8), target.astype(np.uint8), scale.low, scale.high, scale.mean, source, kind, fold, case)
        for rows, value in zip(self._rows.values(), values):
            rows.append(value)

    def build(self) -> SliceSet:
        """All slices added so far."""
        types = {"low": np.float32, "high": np.float32, "mean": np.float32, "fold": np.int64}
        return SliceSet(**{name: np.asarray(rows, dtype=types.get(name)) for name, rows in self._rows.items()})


def concatenate(sets: list[SliceSet]) -> SliceSet:
    """All slices of several sets, in order."""
    return SliceSet(**{f.name: np.concatenate([getattr(s, f.name) for s in sets]) for f in fields(SliceSet)})
