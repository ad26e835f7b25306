"""Turning volumes to patient axes, and choosing slices."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from BrainTumorSegLib.pictures.planes import Frame, busiest, frame_of, head_box, pixel_mm, plane_of, to_gray
from BrainTumorSegLib.volume import Volume

_LPS = np.arange(24).reshape(2, 3, 4)  # [z, y, x]: superior, posterior, left
_SPACING = (1.0, 2.0, 5.0)  # of x, y, z


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", list(itertools.product([1, -1], repeat=3)))
def test_all_48_orientations_of_a_volume_are_shown_alike(axes: tuple[int, int, int], signs: tuple[int, int, int]) -> None:
    # Index axis i of the stored volume runs along patient axis axes[i], backwards where signs[i] is -1.
    stored = np.transpose(_LPS, [2 - axes[2 - position] for position in range(3)])
    stored = stored[tuple(slice(None, None, signs[2 - position]) for position in range(3))]
    direction = np.zeros((3, 3))
    for i in range(3):
        direction[axes[i], i] = signs[i]
    frame = frame_of(Volume(stored, tuple(_SPACING[axis] for axis in axes), direction=tuple(direction.ravel())))  # type: ignore[arg-type]
    assert np.array_equal(frame.turn(stored), _LPS)
    assert frame.spacing_mm == (5.0, 2.0, 1.0)


def test_an_oblique_volume_goes_to_the_nearest_axes() -> None:
    cos, sin = np.cos(0.5), np.sin(0.5)  # 29 degrees
    frame = frame_of(Volume(_LPS, direction=(-cos, sin, 0, -sin, -cos, 0, 0, 0, 1)))
    assert np.array_equal(frame.turn(_LPS), _LPS[:, ::-1, ::-1])


def test_planes_stand_upright_and_know_their_pixels() -> None:
    frame = Frame((0, 1, 2), (False, False, False), (5.0, 2.0, 1.0))
    assert plane_of(_LPS, "axial", 1).tolist() == _LPS[1].tolist()
    assert plane_of(_LPS, "coronal", 0).tolist() == [[12, 13, 14, 15], [0, 1, 2, 3]]  # superior row first
    assert plane_of(_LPS, "sagittal", 0).tolist() == [[12, 16, 20], [0, 4, 8]]  # anterior column first
    assert [pixel_mm(frame, plane) for plane in ("axial", "coronal", "sagittal")] == [(2.0, 1.0), (5.0, 1.0), (5.0, 2.0)]


def test_the_busiest_slice_has_most_of_the_mask() -> None:
    mask = np.zeros((5, 4, 4), bool)
    mask[1, 3, 0] = mask[3, 3, 1] = mask[3, 1, 1] = True
    assert [busiest(mask, plane) for plane in ("axial", "coronal", "sagittal")] == [3, 3, 1]
    assert busiest(np.zeros((5, 4, 4), bool), "axial") == 2
    mask[1:4] = True  # three alike
    assert busiest(mask, "axial") == 2


def test_the_box_holds_the_head_and_the_mask() -> None:
    array, mask = np.zeros((20, 20, 20)), np.zeros((20, 20, 20), bool)
    array[8:12, 8:12, 8:12] = 100
    mask[10, 10, 15] = True
    assert head_box(array, mask) == (slice(6, 14), slice(6, 14), slice(6, 18))


@pytest.mark.parametrize("offset", [-1024, -100, 200])
def test_an_offset_of_all_voxels_changes_neither_the_box_nor_the_grays(offset: float) -> None:
    numbers = np.random.default_rng(0)
    array = np.zeros((20, 20, 20), np.float32)
    array[5:15, 5:15, 5:15] = numbers.integers(80, 120, (10, 10, 10))
    mask = np.zeros(array.shape, bool)
    mask[10, 10, 10] = True
    assert head_box(array + offset, mask) == head_box(array, mask) == (slice(3, 17), slice(3, 17), slice(3, 17))
    assert np.abs(to_gray(array + offset).astype(int) - to_gray(array)).max() <= 1  # a gray more or less by rounding


def test_gray_spans_black_to_white_and_survives_a_constant_image() -> None:
    gray = to_gray(np.linspace(0, 4000, 1000).reshape(10, 10, 10))
    assert gray.dtype == np.uint8
    assert (gray.min(), gray.max()) == (0, 255)
    assert to_gray(np.full((2, 2, 2), 7)).shape == (2, 2, 2)
