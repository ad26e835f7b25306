"""Label values as a file has them: ours, or those of BraTS 2021 (enhancing tumor = 4)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from BrainTumorSegLib.labels import BRATS_ET, ET, SCHEMES, Label

if TYPE_CHECKING:
    from BrainTumorSegLib.api import Volume


def segment_labels(scheme: str, label_scheme: str | None) -> tuple[Label, ...]:
    """The labels of a model's scheme with the values that they have in the file."""
    return tuple(dataclasses.replace(label, value=_value(label, scheme, label_scheme)) for label in SCHEMES[scheme])


def written_labels(labels: Volume, scheme: str, label_scheme: str | None) -> Volume:
    """The label map with these values."""
    if _value(ET, scheme, label_scheme) == ET.value:
        return labels
    array = labels.array.copy()
    array[array == ET.value] = BRATS_ET
    return labels.like(array)


def _value(label: Label, scheme: str, label_scheme: str | None) -> int:
    return BRATS_ET if label_scheme == "brats2021" and scheme == "glioma" and label.key == ET.key else label.value
