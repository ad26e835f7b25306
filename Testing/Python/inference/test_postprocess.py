"""Small islands go, small holes are filled, measured in cubic millimeters."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.inference.postprocess import fill_holes, islands_touching, remove_islands, remove_satellites, remove_thin_islands


def box(shape: tuple[int, int, int], *corners: tuple[tuple[int, int, int], tuple[int, int, int]]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    for low, high in corners:
        mask[tuple(slice(a, b) for a, b in zip(low, high))] = True
    return mask


def test_an_island_below_the_limit_goes_and_one_at_the_limit_stays() -> None:
    mask = box((9, 9, 9), ((0, 0, 0), (2, 2, 2)), ((5, 5, 5), (7, 7, 6)))  # 8 and 4 voxels of 2.5 mm3: 20 and 10 mm3
    large = box((9, 9, 9), ((0, 0, 0), (2, 2, 2)))
    assert np.array_equal(remove_islands(mask, 2.5, 10.0), mask)
    assert np.array_equal(remove_islands(mask, 2.5, 10.1), large)
    assert np.array_equal(remove_islands(mask, 2.5, 20.0), large)
    assert not remove_islands(mask, 2.5, 20.1).any()


def test_voxels_that_touch_at_a_corner_are_one_island() -> None:
    mask = box((4, 4, 4), ((0, 0, 0), (1, 1, 1)), ((1, 1, 1), (2, 2, 2)))
    assert np.array_equal(remove_islands(mask, 1.0, 2.0), mask)


def test_a_little_edema_far_from_a_large_tumor_goes_but_not_what_holds_core() -> None:
    large, small, cored = ((0, 0, 0), (5, 5, 4)), ((8, 0, 0), (9, 3, 3)), ((8, 8, 8), (9, 9, 9))  # 100, 9 and 1 voxels of 2 mm3
    mask, core = box((10, 10, 10), large, small, cored), box((10, 10, 10), cored)
    rest = box((10, 10, 10), large, cored)
    assert np.array_equal(remove_satellites(mask, core, 2.0, 18.1), rest)
    assert np.array_equal(remove_satellites(mask, core, 2.0, 18.0), mask)
    assert np.array_equal(remove_satellites(mask, core, 2.0, 0.0), mask)
    assert np.array_equal(remove_satellites(mask, np.zeros_like(core), 2.0, 18.1), box((10, 10, 10), large))


@pytest.mark.parametrize(("depth", "kept"), [(10, 0), (9, 10)])
def test_beside_a_tumor_less_than_ten_times_as_large_edema_stays(depth: int, kept: int) -> None:
    mask = box((12, 12, 12), ((0, 0, 0), (depth, 11, 1)), ((0, 0, 5), (1, 10, 6)))  # 110 or 99 voxels, and 10
    cleaned = remove_satellites(mask, np.zeros_like(mask), 1.0, 1000.0)
    assert cleaned[:, :, 0].sum() == 11 * depth
    assert cleaned[:, :, 5].sum() == kept


def test_nothing_has_no_satellites() -> None:
    assert not remove_satellites(np.zeros((3, 3, 3), bool), np.ones((3, 3, 3), bool), 1.0, 1000.0).any()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_island_of_too_few_slices_goes_however_large_it_is(axis: int) -> None:
    flat, deep = box((9, 9, 9), ((0, 0, 0), (1, 9, 9))), box((9, 9, 9), ((3, 4, 4), (6, 5, 5)))  # 81 voxels in 1 slice, 3 voxels in 3
    mask, rest = (np.moveaxis(array, 0, axis) for array in (flat | deep, deep))
    assert np.array_equal(remove_thin_islands(mask, axis, 1), mask)
    assert np.array_equal(remove_thin_islands(mask, axis, 2), rest)
    assert np.array_equal(remove_thin_islands(mask, axis, 3), rest)
    assert not remove_thin_islands(mask, axis, 4).any()


def test_slices_that_touch_at_a_corner_show_one_island() -> None:
    mask = box((4, 4, 4), ((0, 0, 0), (1, 1, 1)), ((1, 1, 1), (2, 2, 2)))
    assert np.array_equal(remove_thin_islands(mask, 0, 2), mask)


@pytest.mark.parametrize(("slices", "kept"), [(1, 4), (2, 4), (3, 0)])
def test_a_stack_of_hardly_any_slices_stays_as_it_is(slices: int, kept: int) -> None:
    mask = box((slices, 5, 5), ((0, 1, 1), (1, 3, 3)))
    assert remove_thin_islands(mask, 0, 2).sum() == kept


@pytest.mark.parametrize("limit", [0.0, -1.0])
def test_no_limit_keeps_every_voxel(limit: float) -> None:
    mask = box((3, 3, 3), ((1, 1, 1), (2, 2, 2)))
    assert np.array_equal(remove_islands(mask, 1.0, limit), mask)
    assert np.array_equal(fill_holes(mask, 1.0, limit), mask)


def shell() -> np.ndarray:
    """A box of 6 x 6 x 6 around a hole of 2 x 2 x 2 voxels."""
    mask = box((10, 10, 10), ((2, 2, 2), (8, 8, 8)))
    mask[4:6, 4:6, 4:6] = False
    return mask


def test_a_hole_up_to_the_limit_is_filled_and_a_larger_one_stays() -> None:
    full = box((10, 10, 10), ((2, 2, 2), (8, 8, 8)))
    assert np.array_equal(fill_holes(shell(), 0.5, 4.0), full)  # 8 voxels of 0.5 mm3
    assert np.array_equal(fill_holes(shell(), 0.5, 3.9), shell())


def test_the_given_mask_is_not_changed() -> None:
    mask = shell()
    fill_holes(mask, 1.0, 100.0)
    remove_islands(mask, 1.0, 1000.0)
    assert np.array_equal(mask, shell())


def test_a_hole_that_opens_at_a_corner_only_is_closed() -> None:
    mask = shell()
    mask[2, 2, 2] = mask[3, 3, 3] = False  # a diagonal way in: background is joined by faces only
    filled = fill_holes(mask, 1.0, 100.0)
    assert filled[4:6, 4:6, 4:6].all()
    assert filled[3, 3, 3]
    assert not filled[2, 2, 2]  # this voxel lies open


def test_a_tunnel_to_the_outside_is_no_hole() -> None:
    mask = shell()
    mask[4, 4, 0:5] = False
    assert np.array_equal(fill_holes(mask, 1.0, 1e6), mask)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("end", [0, -1])
def test_background_at_the_border_of_the_volume_is_no_hole(axis: int, end: int) -> None:
    mask = np.ones((5, 5, 5), bool)
    place = [2, 2, 2]
    place[axis] = end
    mask[tuple(place)] = False
    assert np.array_equal(fill_holes(mask, 1.0, 1e6), mask)


def test_a_hole_beside_the_border_is_filled() -> None:
    mask = np.ones((5, 5, 5), bool)
    mask[1, 2, 3] = False
    assert fill_holes(mask, 1.0, 1.0).all()


def test_two_masks_far_apart_do_not_close_what_lies_between() -> None:
    mask = box((12, 5, 5), ((0, 0, 0), (2, 5, 5)), ((10, 0, 0), (12, 5, 5)))
    assert np.array_equal(fill_holes(mask, 1.0, 1e6), mask)


def test_an_empty_and_a_full_mask_stay() -> None:
    for mask in (np.zeros((3, 4, 5), bool), np.ones((3, 4, 5), bool)):
        assert np.array_equal(fill_holes(mask, 1.0, 100.0), mask)
        assert np.array_equal(remove_islands(mask, 1.0, 10.0), mask)
        assert np.array_equal(remove_thin_islands(mask, 0, 2), mask)


def test_islands_that_touch_the_other_mask_are_kept_whole() -> None:
    mask, other = np.zeros((2, 1, 1, 12), bool)
    mask[..., [1, 2, 3, 6, 7, 10]] = True
    other[..., [3, 4, 10]] = True
    assert np.flatnonzero(islands_touching(mask, other)).tolist() == [1, 2, 3, 10]
