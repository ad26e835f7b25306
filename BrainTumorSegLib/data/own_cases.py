"""Cases of one's own as an `ExampleSet`, through the same `View` as the public sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from BrainTumorSegLib.data.example_set import ExampleSet, ExampleSetBuilder, check_labels
from BrainTumorSegLib.data.own_case_list import OwnCase, list_own_cases
from BrainTumorSegLib.data.paper_sets import Report
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.images import read_label_volume, read_volume
from BrainTumorSegLib.labels import BRATS_ET
from BrainTumorSegLib.preprocess.orientation import orientation_of
from BrainTumorSegLib.preprocess.planes import PLANES, plane_view
from BrainTumorSegLib.preprocess.views import GRAY, SeenSlices, View, in_plane, see
from BrainTumorSegLib.volume import Volume, check_image


def read_own_cases(data: Path, inputs: Sequence[str], required: Sequence[str], scheme: str, view: View, report: Report) -> ExampleSet:
    """All slices of all cases: of the plane they were taken in for the gray view, axial for the others.

    Args:
        data: folder of cases or table, see `own_case_list`.
        inputs: roles in the order of the network's channels; one that is not `required` may be missing and is then 0.
        scheme: label scheme of the masks; 4 is read as ET in "glioma", as in BraTS.

    Raises:
        InputError: what `list_own_cases` refuses; an image that cannot be used; image and mask, or two images, on different
            grids; a label that the scheme does not have. Named by case.
    """
    cases = list_own_cases(data, required)
    builder = ExampleSetBuilder(as_bytes=view.kind == GRAY)
    for i, case in enumerate(cases):
        report(i / len(cases), f"reading {case.case}, {i + 1} of {len(cases)}")
        seen, labels = _read(case, inputs, scheme, view)
        builder.add(seen.slices, labels, case=case.case, patient=case.patient, fold=case.fold, kind=case.kind, source="own", spacing_mm=seen.spacing_mm)
    return builder.build()


def _read(case: OwnCase, inputs: Sequence[str], scheme: str, view: View) -> tuple[SeenSlices, np.ndarray]:
    images = {role: read_volume(case.images[role]) for role in inputs if role in case.images}
    first = next(iter(images.values()))
    mask = read_label_volume(case.mask)
    for volume in (*images.values(), mask):
        _check_grid(volume, first, case)
    for volume in images.values():
        check_image(volume)
    if scheme == "glioma":
        mask = mask.like(np.where(mask.array == BRATS_ET, 3, mask.array))
    check_labels(mask.array, scheme, f"the mask of the case {case.case}")
    orientation = orientation_of(first)
    spacing = orientation.canonical_spacing(first) if first.has_millimeters else None
    plane = _plane(first, orientation.canonical(first.array).shape, spacing, view)

    def slices(volume: Volume) -> np.ndarray:
        return plane_view(orientation.canonical(volume.array), plane)

    channels = [slices(images[role]) if role in images else None for role in inputs]
    seen = see(channels, in_plane(spacing, plane), view)
    return seen, seen.labels(slices(mask))


def _check_grid(volume: Volume, first: Volume, case: OwnCase) -> None:
    if not volume.same_grid(first):
        sizes = " and ".join(" x ".join(map(str, v.array.shape[::-1])) for v in (volume, first))
        raise InputError(
            f"in the case {case.case}, {volume.name} and {first.name} lie on different grids ({sizes} voxels), but both are read voxel by voxel; "
            "resample one onto the other"
        )


def _plane(volume: Volume, shape: tuple[int, ...], spacing_mm: tuple[float, float, float] | None, view: View) -> str:
    """The plane of a picture's one slice; for the gray view the plane across the largest distance of slices; else axial."""
    if spacing_mm is None:
        return PLANES[shape.index(1)]
    steps = [round(mm, 3) for mm in spacing_mm]
    return PLANES[steps.index(max(steps))] if view.kind == GRAY else "axial"
