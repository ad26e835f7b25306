"""The slices a reader should look at: which, in what order, and where on them."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.inference.review import next_slice, plan_review, review_axis
from BrainTumorSegLib.volume import Volume
from Testing.Python.tiny import TURNS, turn_volume

# [z, y, x] of 5 x 4 x 6 voxels; a pixel of an axial slice is 2 x 0.5 = 1 mm².
SPACING = (0.5, 2.0, 3.0)


def labels_and_doubt() -> tuple[Volume, Volume]:
    """Labels in slices 1, 2 and 3; in doubt are one pixel of slice 2, three of slice 4 and two of slice 3."""
    labels = np.zeros((5, 4, 6), np.uint8)
    labels[1, 1, 1:5] = 1
    labels[2, 1, 1:3] = 2
    labels[3, 1, 1] = 1
    entropy = np.full((5, 4, 6), 0.49, np.float32)  # nowhere in doubt
    entropy[2, 1, 3] = 0.5
    entropy[4, 0, 0:3] = 0.9
    entropy[3, 2, 4:6] = 1.0
    volume = Volume(labels, SPACING, name="labels")
    return volume, volume.like(entropy, "uncertainty")


def test_the_largest_area_in_doubt_comes_first_and_slices_with_neither_label_nor_doubt_are_left_out() -> None:
    plan = plan_review(*labels_and_doubt())
    assert plan.slices == (4, 3, 2, 1)
    assert plan.doubt_mm2 == (0.0, 0.0, 1.0, 2.0, 3.0)
    assert (plan.plane, plan.axis) == ("axial", 0)


def test_a_slice_is_looked_at_where_it_is_in_doubt_else_where_it_is_labeled() -> None:
    plan = plan_review(*labels_and_doubt())
    assert plan.centers[4] == (1, 0, 4)  # of x = 0, 1, 2
    assert plan.centers[2] == (3, 1, 2)
    assert plan.centers[1] in {(2, 1, 1), (3, 1, 1)}  # of x = 1 to 4 two are nearest to the middle


def test_the_middle_of_a_ring_is_looked_at_on_the_ring() -> None:
    labels = np.ones((1, 3, 3), np.uint8)
    labels[0, 1, 1] = 0
    x, y, z = plan_review(Volume(labels)).centers[0]
    assert labels[z, y, x] == 1


def test_without_uncertainty_the_largest_labeled_area_comes_first() -> None:
    plan = plan_review(labels_and_doubt()[0])
    assert plan.slices == (1, 2, 3)
    assert set(plan.doubt_mm2) == {0.0}


def test_among_equals_the_labeled_area_and_then_the_index_decides() -> None:
    labels = np.zeros((4, 2, 2), np.uint8)
    labels[0, 0, 0] = labels[2, 0, 0] = 1
    labels[3, 0] = 1
    assert plan_review(Volume(labels)).slices == (3, 0, 2)


def test_an_empty_result_that_nobody_doubts_has_no_slice_to_look_at() -> None:
    empty = Volume(np.zeros((3, 3, 3), np.uint8))
    plan = plan_review(empty, empty.like(np.zeros((3, 3, 3), np.float32)))
    assert plan.slices == ()
    assert next_slice(plan.slices, set()) is None


@pytest.mark.parametrize("turn", TURNS)
def test_however_a_volume_is_stored_its_slices_are_those_of_the_scanner(turn) -> None:
    labels, doubt = (turn_volume(volume, turn) for volume in labels_and_doubt())
    plan = plan_review(labels, doubt)
    axes, flips = turn
    axis = axes.index(0)  # where the slices of the unturned volume are stacked now
    assert (plan.plane, plan.axis) == ("axial", axis)
    assert plan.slices == tuple(4 - index if flips[axis] else index for index in (4, 3, 2, 1))
    x, y, z = plan.centers[plan.slices[0]]
    assert doubt.array[z, y, x] == np.float32(0.9)


@pytest.mark.parametrize(
    ("spacing", "expected"),
    [((1, 1, 1), ("axial", 0)), ((1, 1, 5), ("axial", 0)), ((1, 5, 1), ("coronal", 1)), ((5, 1, 1), ("sagittal", 2))],
)
def test_slices_are_stacked_along_the_thickest_voxel_edge(spacing, expected) -> None:
    assert review_axis(Volume(np.zeros((4, 4, 4)), spacing)) == expected


def test_uncertainty_on_another_grid_is_refused() -> None:
    labels, doubt = labels_and_doubt()
    moved = Volume(doubt.array, SPACING, (0, 0, 9), name="uncertainty")
    with pytest.raises(InputError, match="uncertainty lies on another grid than labels"):
        plan_review(labels, moved)


def test_reviewed_slices_are_passed_over_and_postponed_ones_come_last_in_their_order() -> None:
    slices = (4, 3, 2, 1)
    assert next_slice(slices, reviewed=set()) == 4
    assert next_slice(slices, reviewed={4, 2}) == 3
    assert next_slice(slices, reviewed={2}, postponed=(4, 3)) == 1
    assert next_slice(slices, reviewed={2, 1}, postponed=(3, 4)) == 3
    assert next_slice(slices, reviewed={1, 2, 3, 4}, postponed=(3,)) is None
