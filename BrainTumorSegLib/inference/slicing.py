"""How a volume goes through the network: which slices of a plane are run, how often, and what each plane counts in the mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MIRRORED_PLANES = ("axial", "coronal")
"""Where left and right lie side by side: a head looks like its mirror image there, and nothing else about it does."""


@dataclass(frozen=True)
class Slicing:
    """Everything but the planes themselves; without any of it every slice is run once, and all planes count the same.

    Attributes:
        gap_mm: what a first look may leave out between two slices, see `early_exit`; 0 runs every slice, as pictures and fewer than
            three planes always do.
        step_mm: plane -> distance of the slices that are run, see `sparse_planes`; where there is a gap, and in pictures, it does not
            matter. Every slice is run of a plane that is not named.
        weights: plane -> what it counts in the mean beside the others that are run; 1 where it is not named.
        mirrored: whether axial and coronal slices are run a second time with left and right exchanged, and both results averaged.
    """

    gap_mm: float = 0.0
    step_mm: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    mirrored: bool = False

    def shares(self, planes: Sequence[str]) -> dict[str, float]:
        """Plane -> its part of the mean over `planes`; together 1."""
        weights = {plane: self.weights.get(plane, 1.0) for plane in planes}
        total = sum(weights.values())
        return {plane: weight / total for plane, weight in weights.items()}

    def runs(self, plane: str) -> int:
        """How often each slice of a plane is run."""
        return 2 if self.mirrored and plane in MIRRORED_PLANES else 1


EVERY_SLICE = Slicing()
