"""Slices of several sequences with label maps in memory, as the published systems train on them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.labels import REGIONS, SCHEMES

NO_TUMOR = "none"
"""Kind of a slice without a label."""


@dataclass
class ExampleSet:
    """n slices as a `View` sees them; those of one case are neighbors, in the order of the volume.

    Attributes:
        images: [n, C, size, size]; uint8 stands for 0 to 1 in 255 steps, float16 is taken as it is.
        labels: uint8 [n, size, size], values of the label scheme, 0 for background.
        case: name of the picture or volume, [n].
        patient: name of the patient, [n]; "" where it is unknown and folds are by patient on the word of their author.
        fold: int [n].
        kind: tumor type, or "none" in a slice without a label, [n].
        source: name of the data set, [n].
        spacing_mm: float32 [n, 3], from slice to slice, vertical and horizontal; NaN where it is unknown.
    """

    images: np.ndarray
    labels: np.ndarray
    case: np.ndarray
    patient: np.ndarray
    fold: np.ndarray
    kind: np.ndarray
    source: np.ndarray
    spacing_mm: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def select(self, chosen: np.ndarray) -> ExampleSet:
        """The slices at `chosen`, a boolean mask or indices."""
        return ExampleSet(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})

    def intensities(self, chosen: np.ndarray) -> np.ndarray:
        """Slices as their view made them, float32 [len(chosen), C, size, size]."""
        images = self.images[chosen]
        return images.astype(np.float32) / 255.0 if images.dtype == np.uint8 else images.astype(np.float32)

    def save(self, path: Path, made_for: str) -> None:
        """Write all arrays to one uncompressed .npz file, and what they were made for."""
        with path.open("wb") as file:
            np.savez(file, made_for=np.array(made_for), **{f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def load(cls, path: Path, made_for: str) -> ExampleSet | None:
        """What `save` wrote; None where it was made for something else."""
        with np.load(path, allow_pickle=False) as arrays:
            if str(arrays["made_for"]) != made_for:
                return None
            return cls(**{f.name: arrays[f.name] for f in fields(cls)})


class ExampleSetBuilder:
    """Collects examples case by case; `as_bytes` stores images of 0 to 1 as uint8, else they become float16."""

    def __init__(self, as_bytes: bool) -> None:
        self._as_bytes = as_bytes
        self._rows: dict[str, list[np.ndarray]] = defaultdict(list)

    def add(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        case: str,
        patient: str,
        fold: int,
        kind: str,
        source: str,
        spacing_mm: tuple[float, float, float] | None = None,
    ) -> None:
        """Add one case: images float32 [k, C, size, size], labels uint8 [k, size, size], `kind` of its tumor."""
        stored = np.round(np.clip(images, 0, 1) * 255).astype(np.uint8) if self._as_bytes else images.astype(np.float16)
        k = len(stored)
        kinds = np.where(labels.any((1, 2)), kind, NO_TUMOR)
        millimeters = np.full((k, 3), np.nan if spacing_mm is None else spacing_mm, np.float32)
        values = (stored, labels, np.full(k, case), np.full(k, patient), np.full(k, fold), kinds, np.full(k, source), millimeters)
        for f, value in zip(fields(ExampleSet), values):
            self._rows[f.name].append(value)

    def build(self) -> ExampleSet:
        """All examples added so far."""
        return ExampleSet(**{name: np.concatenate(self._rows.pop(name)) for name in [f.name for f in fields(ExampleSet)]})


def concatenate(sets: list[ExampleSet]) -> ExampleSet:
    """All examples of several sets, in order."""
    return sets[0] if len(sets) == 1 else ExampleSet(**{f.name: np.concatenate([getattr(s, f.name) for s in sets]) for f in fields(ExampleSet)})


def class_keys(scheme: str) -> tuple[str, ...]:
    """Keys of the labels 1, 2, ... of a scheme: ("tumor",) or ("NCR", "ED", "ET")."""
    return tuple(label.key for label in SCHEMES[scheme])


def region_values(scheme: str) -> dict[str, tuple[int, ...]]:
    """Nested region -> the labels that it joins, the outermost first."""
    return {region.key: region.values for region in REGIONS[scheme]}


def check_labels(labels: np.ndarray, scheme: str, name: str) -> None:
    """Refuse a mask with values that its scheme does not have.

    Raises:
        InputError: naming the mask, the values and the cure.
    """
    known = [0, *(label.value for label in SCHEMES[scheme])]
    strange = sorted(set(np.unique(labels).tolist()) - set(known))
    if strange:
        shown = ", ".join(map(str, strange))
        raise InputError(f"{name} has the label {shown}, but the scheme {scheme} has {', '.join(map(str, known))} only; correct the mask")


def check_patients(examples: ExampleSet) -> None:
    """Refuse folds that share a patient: scores of patients that were trained on are worth nothing.

    Raises:
        InputError: naming the first such patient and its folds.
    """
    folds: dict[tuple[str, str], int] = {}
    for source, patient, fold in zip(examples.source.tolist(), examples.patient.tolist(), examples.fold.tolist()):
        if patient and folds.setdefault((source, patient), fold) != fold:
            raise InputError(
                f"the patient {patient} of {source} is in the folds {folds[source, patient]} and {fold}, but scores of patients that were trained on "
                "are worth nothing; give all cases of a patient one fold"
            )
