"""Slices lie on the screen as a radiologist expects: front or head up, the patient's right on the left, face to the left."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.preprocess.planes import AXIS_OF_PLANE, PLANES, plane_view, volume_view

UP, DOWN, FRONT, BACK, RIGHT, LEFT = range(1, 7)


def marked() -> np.ndarray:
    """[z up, y back, x left], 3x3x3: each face's middle voxel says which face it is."""
    array = np.zeros((3, 3, 3), int)
    array[2, 1, 1], array[0, 1, 1] = UP, DOWN
    array[1, 0, 1], array[1, 2, 1] = FRONT, BACK
    array[1, 1, 0], array[1, 1, 2] = RIGHT, LEFT
    return array


@pytest.mark.parametrize(
    ("plane", "middle"),
    [
        ("axial", [[0, FRONT, 0], [RIGHT, 0, LEFT], [0, BACK, 0]]),
        ("coronal", [[0, UP, 0], [RIGHT, 0, LEFT], [0, DOWN, 0]]),
        ("sagittal", [[0, UP, 0], [FRONT, 0, BACK], [0, DOWN, 0]]),
    ],
)
def test_the_middle_slice_is_seen_the_usual_way(plane: str, middle: list[list[int]]) -> None:
    assert plane_view(marked(), plane)[1].tolist() == middle


@pytest.mark.parametrize("plane", PLANES)
def test_slices_are_stacked_along_the_planes_axis(plane: str) -> None:
    array = np.zeros((2, 3, 5))
    assert len(plane_view(array, plane)) == array.shape[AXIS_OF_PLANE[plane]]


@pytest.mark.parametrize("plane", PLANES)
def test_volume_view_is_the_inverse_and_both_are_views(plane: str) -> None:
    array = np.arange(2 * 3 * 5).reshape(2, 3, 5)
    slices = plane_view(array, plane)
    assert np.array_equal(volume_view(slices, plane), array)
    assert np.shares_memory(slices, array)
    assert np.shares_memory(volume_view(slices, plane), array)


def test_an_unknown_plane_is_refused() -> None:
    for view in (plane_view, volume_view):
        with pytest.raises(ValueError, match="plane is 'oblique', but it is one of axial, coronal, sagittal"):
            view(np.zeros((1, 1, 1)), "oblique")
