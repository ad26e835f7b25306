"""How a volume goes through the network: which slices of a plane are run, and how often."""

from __future__ import annotations

from dataclasses import dataclass

MIRRORED_PLANES = ("axial", "coronal")
"""Where left and right lie side by side: a head looks like its mirror image there, and nothing else about it does."""


@dataclass(frozen=True)
class Slicing:
    """Everything but the planes themselves; without any of it every slice is run once.

    Attributes:
        gap_mm: what a first look may leave out between two slices, see `early_exit`; 0 runs every slice, as pictures and fewer than
            three planes always do.
        step_mm: distance of the slices that are run, see `sparse_planes`; where there is a gap, and in pictures, it does not matter.
        mirrored: whether axial and coronal slices are run a second time with left and right exchanged, and both results averaged.
    """

    gap_mm: float = 0.0
    step_mm: float = 0.0
    mirrored: bool = False

    def runs(self, plane: str) -> int:
        """How often each slice of a plane is run."""
        return 2 if self.mirrored and plane in MIRRORED_PLANES else 1


EVERY_SLICE = Slicing()
