"""What a run that learns nested regions from several sequences has beyond any other run."""

from __future__ import annotations

from dataclasses import dataclass, field

from BrainTumorSegLib.training.recipe import Recipe


@dataclass(frozen=True)
class RegionRecipe(Recipe):
    """A `Recipe` for volumes of several sequences of which any may be missing.

    Attributes:
        batch: slices of whole cases in a batch, "SOURCE/glioma" with tumor and "SOURCE/none" without.
        planes: how often slices of each plane are drawn, relative to one another.
        canvas: pixels that a slice of a whole case is laid into; a phase's `field` is a share of it.
        patch_source: set of the patches; patch_steps: share of the steps that learn from patches instead of whole cases.
        patches: how many make a batch; patch_size: their pixels.
        drop_slices: share of the slices of which sequences are dropped, each with probability `drop`, never all.
    """

    planes: dict[str, int] = field(default_factory=lambda: {"axial": 2, "coronal": 1, "sagittal": 1})
    canvas: int = 192
    patch_source: str = "cubes"
    patch_steps: float = 0.3
    patches: int = 48
    patch_size: int = 64
    drop_slices: float = 0.6
    drop: float = 0.25
