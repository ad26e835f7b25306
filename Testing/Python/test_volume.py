"""What a volume may be, and what is refused at the door."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.volume import Volume, check_image

IMAGE = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"array": np.zeros((2, 3))}, "head has 2 dimensions, but a volume has 3"),
        ({"array": np.zeros((2, 3, 4, 5))}, "head has 4 dimensions"),
        ({"array": np.zeros((2, 3, 4), complex)}, "head holds complex128 values"),
        ({"array": np.full((2, 3, 4), "a")}, "head holds <U1 values"),
        ({"array": np.zeros((0, 3, 4))}, "head has 0 voxels (shape (0, 3, 4))"),
        ({"array": np.zeros((1, 1, 1))}, "head has 1 voxels (shape (1, 1, 1))"),
        ({"spacing_mm": (1.0, 0.0, 1.0)}, "head has the spacing (1.0, 0.0, 1.0) mm, but all three must be greater than 0"),
        ({"spacing_mm": (1.0, -1.0, 1.0)}, "must be greater than 0"),
        ({"spacing_mm": (1.0, float("nan"), 1.0)}, "must be greater than 0"),
        ({"spacing_mm": (1.0, 1.0)}, "must be greater than 0"),
        ({"origin": (0.0, float("inf"), 0.0)}, "head has the origin (0.0, inf, 0.0), but three finite positions"),
        ({"origin": (0.0, 0.0)}, "three finite positions"),
        ({"direction": (1, 0, 0, 0, 1, 0, 0, 0, float("nan"))}, "nine finite numbers are needed"),
        ({"direction": (1, 0, 0, 1)}, "nine finite numbers are needed"),
        ({"direction": (1, 0, 0, 0, 1, 0, 0, 0, 0)}, "singular or not orthonormal (determinant 0)"),
        ({"direction": (1, 0, 0, 0, 1, 0, 0, 0, 2)}, "singular or not orthonormal (determinant 2)"),
        ({"direction": (1, 0.1, 0, 0, 1, 0, 0, 0, 1)}, "singular or not orthonormal (determinant 1)"),  # sheared
    ],
)
def test_what_is_no_volume_is_refused_with_its_name_and_the_value(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        Volume(**{"array": IMAGE, "name": "head", **changes})


def test_a_rotation_rounded_to_float32_and_a_reflection_are_fine() -> None:
    c = np.float32(0.5**0.5)
    Volume(IMAGE, direction=(c, -c, 0, c, c, 0, 0, 0, -1))


def test_spacing_is_given_in_the_order_of_the_array_and_voxels_in_milliliters() -> None:
    volume = Volume(IMAGE, spacing_mm=(1.0, 2.0, 5.0))
    assert volume.spacing_zyx_mm == (5.0, 2.0, 1.0)
    assert volume.voxel_ml == 0.01  # 10 mm3


def test_like_keeps_the_grid_and_refuses_another_shape() -> None:
    volume = Volume(IMAGE, (1.0, 2.0, 3.0), (4.0, 5.0, 6.0), (0, 1, 0, 1, 0, 0, 0, 0, 1), False, "head")
    mask = volume.like(IMAGE > 3)
    assert mask.same_grid(volume)
    assert (mask.name, mask.has_millimeters) == ("head", False)
    assert volume.like(IMAGE, "mask").name == "mask"
    with pytest.raises(InputError, match=re.escape("an array of shape (2, 3, 3) does not fit the grid (2, 3, 4) of head")):
        volume.like(IMAGE[:, :, :3])


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"origin": (0.009, 0.0, 0.0)}, True),  # within 0.01 mm
        ({"origin": (0.011, 0.0, 0.0)}, False),
        ({"array": IMAGE[:, :2]}, False),
        ({"spacing_mm": (1.003, 1.0, 1.0)}, True),  # the last of 4 columns is 0.009 mm off
        ({"spacing_mm": (1.004, 1.0, 1.0)}, False),  # 0.012 mm
        ({"direction": (1, 0, 0, 0, -1, 0, 0, 0, 1)}, False),
        ({"direction": (1, 0, 0, 0, 1, 0, 0, 0, -1)}, False),
    ],
)
def test_two_grids_are_the_same_where_every_voxel_agrees(changes: dict[str, Any], same: bool) -> None:
    volume, other = Volume(IMAGE), Volume(**{"array": IMAGE, **changes})
    assert volume.same_grid(other) is same
    assert other.same_grid(volume) is same


@pytest.mark.parametrize(("bad", "count"), [([np.nan], 1), ([np.inf, -np.inf], 2), ([np.nan, np.inf, 1.0], 2)])
def test_nan_and_infinite_voxels_are_counted(bad: list[float], count: int) -> None:
    array = IMAGE.copy()
    array.flat[: len(bad)] = bad
    with pytest.raises(InputError, match=f"head has {count} voxels that are NaN or infinite; replace them"):
        check_image(Volume(array, name="head"))


@pytest.mark.parametrize("array", [np.zeros((2, 2, 2)), np.full((1, 1, 2), 7, np.int16), np.ones((2, 2, 2), bool)])
def test_a_constant_image_is_refused(array: np.ndarray) -> None:
    with pytest.raises(InputError, match="head is constant"):
        check_image(Volume(array, name="head"))


def test_an_image_of_any_number_type_is_fine() -> None:
    for dtype in (bool, np.uint8, np.int32, np.float16, np.float64):
        check_image(Volume(IMAGE.astype(dtype)))
