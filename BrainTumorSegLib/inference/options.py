"""What a user may choose, and what it means for a model."""

from __future__ import annotations

from dataclasses import dataclass

from BrainTumorSegLib.inference.early_exit import gap_for
from BrainTumorSegLib.inference.models import ModelInfo
from BrainTumorSegLib.inference.slicing import EVERY_SLICE, Slicing


@dataclass(frozen=True)
class SegmentOptions:
    """What a user may choose beyond the model.

    Attributes:
        planes: "auto", "all", "axial" or "acquisition" (see `inference.planes.choose_planes`).
        threads: CPU threads, None for all cores.
        uncertainty, probabilities: whether these volumes are returned too.
        min_island_mm3: smaller islands are removed; max_hole_mm3: enclosed holes up to this are filled; None takes the
            model's own. Pictures have no millimeters: nothing is removed or filled there. A min_island_mm3 stands in the place of
            all of the model's own rules for islands, those of slices, satellites and lone edema too.
        early_exit: whether slices far from anything found at a first look are left out (see `inference.early_exit`); None does so with
            models that find one kind of tissue, on which it was measured; True with those of nested regions too. False runs every
            slice, also of a model that leaves some out by itself (`ModelInfo.step_mm`). A published system's own view always sees
            every slice, and so does every model of several classes.
        mirrored: whether axial and coronal slices are run a second time with left and right exchanged, and both results averaged: twice
            the time of these planes. A published system's own view is never mirrored.
    """

    planes: str = "auto"
    threads: int | None = None
    uncertainty: bool = False
    probabilities: bool = False
    min_island_mm3: float | None = None
    max_hole_mm3: float | None = None
    early_exit: bool | None = None
    mirrored: bool = False


def limits_of(model: ModelInfo, options: SegmentOptions) -> dict[str, float]:
    """The rules for islands and holes, mm^3 by name as in `ModelInfo.postprocess`."""
    own = {key: value for key in ("min_island_mm3", "max_hole_mm3") if (value := getattr(options, key)) is not None}
    if "min_island_mm3" in own:  # who says how small an island may be means every island
        own |= {"min_satellite_mm3": 0.0, "min_lone_mm3": 0.0}
    return model.postprocess | own


def slicing_of(model: ModelInfo, options: SegmentOptions) -> Slicing:
    """Which slices are run, and how often."""
    if model.view is not None:
        return EVERY_SLICE  # as published
    return Slicing(_gap_mm(model, options), 0.0 if options.early_exit is False else model.step_mm, options.mirrored)


def _gap_mm(model: ModelInfo, options: SegmentOptions) -> float:
    """What the first look may leave out: nothing that would not be removed as an island; 0 where every slice is to be run."""
    wanted = model.outputs == "tumor" if options.early_exit is None else options.early_exit
    return gap_for(limits_of(model, options)["min_island_mm3"]) if wanted and model.outputs != "classes" else 0.0
