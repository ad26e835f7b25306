"""Scoring a segmentation against its reference, and summarizing many; `evaluation_files` does it for files and folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.labels import BACKGROUND, BRATS_ET, REGIONS, SCHEMES
from BrainTumorSegLib.metrics.overlap import Counts
from BrainTumorSegLib.metrics.table import NSD_TOLERANCE_MM, compare, scores
from BrainTumorSegLib.preprocess.resample import resample_labels_to
from BrainTumorSegLib.volume import Volume

CONVENTION = (
    "On the reference's grid, each class of each case by itself. Dice = 2 TP / (2 TP + FP + FN); IoU = TP / (TP + FP + FN); "
    "HD95 = the larger of the two directed 95th percentiles of border-voxel distances, in mm (in pixels for pictures). "
    "Both masks empty: Dice 1, IoU 1, HD95 0. One empty: Dice 0, IoU 0, HD95 undefined (missed or false positive). "
    f"NSD at a tolerance of {NSD_TOLERANCE_MM:g} mm (or pixel). Summary: dice and iou are means over cases; hd95 is the mean "
    "over the cases in which it is defined, and hd95_undefined counts the others; micro_iou pools the voxels of all cases; "
    "mean_iou_with_background is the mean of the pooled IoUs of class and background."
)

_ET = next(label.value for label in SCHEMES["glioma"] if label.key == "ET")


@dataclass(frozen=True)
class Row:
    """The scores of one class in one case; None is undefined (see `metrics.contract`).

    Attributes:
        class_: "tumor", or "NCR", "ED", "ET", "WT" or "TC".
        status: "ok", "both empty", "missed" or "false positive".
        scores: every metric of `metrics.table.METRICS`, with the unit in the key.
        counts: the voxels behind the overlap, to be pooled over cases.
        has_millimeters: False for pictures, whose lengths are in pixels.
    """

    case: str
    class_: str
    status: str
    scores: Mapping[str, float | None]
    counts: Counts
    has_millimeters: bool = True

    @property
    def dice(self) -> float:
        return self.counts.dice

    @property
    def iou(self) -> float:
        return self.counts.iou

    @property
    def precision(self) -> float | None:
        return self.counts.precision

    @property
    def recall(self) -> float | None:
        return self.counts.recall

    @property
    def hd95_mm(self) -> float | None:
        return self.scores["hd95_mm"]

    @property
    def hd95_px(self) -> float | None:
        return self.scores["hd95_px"]

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON and CSV hold it."""
        voxels = {"prediction_voxels": self.counts.prediction, "reference_voxels": self.counts.reference}
        return {"case": self.case, "class": self.class_, "status": self.status, **self.scores, **voxels}


@dataclass(frozen=True)
class Evaluation:
    """The rows of one case, one for each class of the scheme ("tumor" or "glioma"), and what a user should know of it."""

    scheme: str
    rows: list[Row]
    notices: tuple[str, ...] = ()


def evaluate(prediction: Volume, reference: Volume, case: str = "case", scheme: str | None = None) -> Evaluation:
    """Score one label map against its reference.

    A prediction on another grid is resampled to the reference's (nearest neighbor), and a notice says so. An axis of
    length 1 is left out of the surface distances, so a single slice is judged by its outline.

    Args:
        scheme: "tumor" or "glioma"; by default the reference decides, see `label_scheme`.

    Raises:
        InputError: a label value that is not known, or a picture whose size differs from its partner's.
    """
    scheme = scheme or label_scheme([reference])
    true, found = _canonical(reference), _canonical(prediction)
    found, notices = _on_grid_of(true, found)
    if scheme == "tumor" and found.array.max() > 1:
        notices.append(f"{prediction.name} holds several labels, but the references only 0 and 1: all its labels together are compared as tumor")
        found = found.like(np.minimum(found.array, 1))
    rows = [_row(case, key, values, found, true) for key, values in classes_of(scheme).items()]
    return Evaluation(scheme, rows, tuple(notices))


def classes_of(scheme: str) -> dict[str, tuple[int, ...]]:
    """The classes that a scheme is scored by: its labels, then its nested regions, each with the values it joins."""
    classes = {label.key: (label.value,) for label in SCHEMES[scheme]}
    return classes | {region.key: region.values for region in REGIONS[scheme]}


def label_scheme(references: Iterable[Volume]) -> str:
    """ "tumor" when all references together hold only 0 and 1, else "glioma".

    Raises:
        InputError: a value that is no label, with its name.
    """
    return "glioma" if any(_canonical(reference).array.max() > 1 for reference in references) else "tumor"


def summarize(evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """The document of `braintumorseg evaluate --json`: "convention", "cases" (every row) and "summary" (by class).

    A folder with pictures has one key more in its summary, "hd95_px".

    Raises:
        InputError: evaluations of different schemes, whose classes cannot be averaged.
    """
    if len({evaluation.scheme for evaluation in evaluations}) > 1:
        raise InputError("some cases were compared as tumor and some as glioma, but a mean needs the same classes in all; evaluate them with one scheme")
    rows = [row for evaluation in evaluations for row in evaluation.rows]
    keys = dict.fromkeys(row.class_ for row in rows)
    summary = {key: _summary([row for row in rows if row.class_ == key]) for key in keys}
    return {"convention": CONVENTION, "cases": [row.as_dict() for row in rows], "summary": summary}


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    pooled = sum((row.counts for row in rows), Counts())
    hd95_mm, hd95_px = ([row.scores[key] for row in rows] for key in ("hd95_mm", "hd95_px"))
    summary = {
        "n": len(rows),
        "dice": float(np.mean([row.dice for row in rows])),
        "iou": float(np.mean([row.iou for row in rows])),
        "hd95_mm": _mean_of_defined(hd95_mm),
        "hd95_undefined": sum(mm is None and px is None for mm, px in zip(hd95_mm, hd95_px)),
        "micro_iou": pooled.iou,
        "mean_iou_with_background": (pooled.iou + pooled.background_iou) / 2,
    }
    return summary if all(row.has_millimeters for row in rows) else summary | {"hd95_px": _mean_of_defined(hd95_px)}


def _mean_of_defined(values: Iterable[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None


def _canonical(labels: Volume) -> Volume:
    """The same labels as uint8, with BraTS' 4 read as ET."""
    values = np.unique(labels.array[labels.array != BACKGROUND]).tolist()
    known = [label.value for label in SCHEMES["glioma"]] + [BRATS_ET]
    unknown = [f"{value:g}" for value in values if value not in known]
    if unknown:
        raise InputError(
            f"{labels.name} holds the value {', '.join(unknown[:5])}, but a label map holds 0 and 1, or 0 to 3 (4 is read as enhancing tumor); "
            "convert it to these labels first"
        )
    if _ET in values and BRATS_ET in values:
        raise InputError(f"{labels.name} holds both 3 and 4, but each of them means enhancing tumor, in different schemes; convert it to 1, 2, 3 first")
    array = labels.array.astype(np.uint8)
    array[array == BRATS_ET] = _ET
    return labels.like(array)


def _on_grid_of(reference: Volume, prediction: Volume) -> tuple[Volume, list[str]]:
    """The prediction on the reference's grid, and the notices that this gives."""
    if not (prediction.has_millimeters and reference.has_millimeters):
        return _pixel_for_pixel(reference, prediction)
    if prediction.same_grid(reference):
        return prediction, []
    moved = resample_labels_to(prediction, reference)
    notices = [
        f"the prediction {prediction.name} lies on another grid than the reference {reference.name}: it was resampled to the reference's grid, nearest neighbor"
    ]
    if prediction.array.any() and not moved.array.any():
        notices.append(
            f"no labeled voxel of the prediction {prediction.name} lies inside the grid of the reference {reference.name}: check that they belong together"
        )
    return moved, notices


def _pixel_for_pixel(reference: Volume, prediction: Volume) -> tuple[Volume, list[str]]:
    if prediction.array.shape != reference.array.shape:
        raise InputError(
            f"the prediction {prediction.name} has the size {_size(prediction)} and the reference {reference.name} {_size(reference)}, "
            "but a picture has no millimeters to be resampled by; "
            "give masks of the same size"
        )
    notices = []
    if prediction.has_millimeters != reference.has_millimeters:
        picture = reference if prediction.has_millimeters else prediction
        notices.append(f"{picture.name} is a picture without millimeters: it was compared voxel by voxel")
    return reference.like(prediction.array, prediction.name), notices


def _size(volume: Volume) -> str:
    depth, height, width = volume.array.shape
    return f"{width}x{height}" + (f"x{depth}" if depth > 1 else "")


def _row(case: str, key: str, values: tuple[int, ...], prediction: Volume, reference: Volume) -> Row:
    axes = [axis for axis, length in enumerate(reference.array.shape) if length > 1]
    spacing = [reference.spacing_zyx_mm[axis] if reference.has_millimeters else 1.0 for axis in axes]
    # A slice alone has no neighbors before or behind it, so as a volume every voxel of it would be border.
    masks = [np.isin(labels.array, values).squeeze() for labels in (prediction, reference)]
    comparison = compare(masks[0], masks[1], spacing)
    return Row(case, key, comparison.counts.status, scores(comparison, reference.has_millimeters), comparison.counts, reference.has_millimeters)
