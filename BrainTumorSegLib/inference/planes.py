"""Which planes of a volume are segmented."""

from __future__ import annotations

from collections.abc import Iterable

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.preprocess.planes import AXIS_OF_PLANE, PLANES

CHOICES = ("auto", "all", "axial", "acquisition")
_MOST_ANISOTROPY = 2.0
"""A slice whose pixels are longer than this against their width shows no shapes that a network knows."""
_LEAST_EXTENT_MM = 80.0
"""A slab thinner than this shows no head across."""


def acquisition_plane(shape: tuple[int, ...], spacing_mm: tuple[float, float, float]) -> str:
    """The plane the scanner took: slices stacked along the coarsest axis (z, y, x); axial where all are alike."""
    single = [axis for axis, n in enumerate(shape) if n == 1]
    axis = single[0] if single else max(range(3), key=lambda i: (round(spacing_mm[i], 3), -i))
    return PLANES[axis]


def choose_planes(choice: str, known: Iterable[str], shape: tuple[int, ...], spacing_mm: tuple[float, float, float]) -> tuple[str, ...]:
    """The planes to run.

    Args:
        choice: "auto" (every plane the model knows whose in-plane spacings differ by less than 2x, else the
            acquisition plane), "all" (every plane the model knows), "axial" or "acquisition".
        known: planes the model was trained on.
        shape, spacing_mm: of the canonical array, (z, y, x).

    Raises:
        InputError: an unknown choice, or a plane the model does not know.
    """
    if choice not in CHOICES:
        raise InputError(f"planes is {choice!r}, but it must be one of {', '.join(CHOICES)}; choose one of them")
    known = tuple(known)
    acquired = acquisition_plane(shape, spacing_mm)
    if choice == "all":
        return known
    if choice == "axial":
        return _require("axial", known)
    if choice == "acquisition":
        return _require(acquired, known)
    usable = tuple(plane for plane in known if _shows_a_head(plane, shape, spacing_mm))
    return usable or _require(acquired if acquired in known else known[0], known)


def _require(plane: str, known: tuple[str, ...]) -> tuple[str, ...]:
    if plane not in known:
        raise InputError(f"the {plane} plane was asked for, but this model knows {', '.join(known)} only; choose planes=auto")
    return (plane,)


def _shows_a_head(plane: str, shape: tuple[int, ...], spacing_mm: tuple[float, float, float]) -> bool:
    inside = [axis for axis in range(3) if axis != AXIS_OF_PLANE[plane]]
    spacings = [spacing_mm[axis] for axis in inside]
    extents = [spacing_mm[axis] * shape[axis] for axis in inside]
    return max(spacings) < _MOST_ANISOTROPY * min(spacings) and min(extents) >= _LEAST_EXTENT_MM
