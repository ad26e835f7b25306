import numpy as np
import pytest

from BrainTumorSegLib.metrics.contract import BRATS_PENALTY_MM
from BrainTumorSegLib.metrics.surface import assd, border, hd95, nsd, surface_distances

MM = (1.0, 1.0, 1.0)


def cube(corner, side=10, shape=(24, 24, 24)):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(start, start + side) for start in corner)] = True
    return mask


def row(*columns):
    """A picture of one row of 20 pixels, so that each foreground pixel is border."""
    mask = np.zeros((1, 20), bool)
    mask[0, list(columns)] = True
    return mask


def test_only_a_voxel_with_all_face_neighbors_inside_is_no_border():
    cross = np.zeros((3, 3, 3), bool)
    cross[1, 1, :] = cross[1, :, 1] = cross[:, 1, 1] = True
    without_center = cross.copy()
    without_center[1, 1, 1] = False  # its corner neighbors are outside, but they are no face neighbors
    assert np.array_equal(border(cross), without_center)


def test_what_lies_beyond_the_array_counts_as_outside():
    ring = np.ones((4, 5), bool)
    ring[1:-1, 1:-1] = False
    assert np.array_equal(border(np.ones((4, 5), bool)), ring)


def test_a_shift_by_three_voxels_is_three_millimeters():
    # the 100 voxels of the far face, 20 % of the 488 border voxels, are all 3 mm away
    assert hd95(cube((5, 5, 8)), cube((5, 5, 5)), MM) == 3.0


def test_the_spacing_is_read_in_the_order_of_the_axes():
    assert hd95(cube((7, 5, 5)), cube((5, 5, 5)), (3.0, 1.0, 1.0)) == 6.0
    assert hd95(cube((5, 5, 7)), cube((5, 5, 5)), (3.0, 1.0, 1.0)) == 2.0


def test_a_diagonal_offset_is_measured_in_millimeters_not_in_voxels():
    prediction, reference = np.zeros((5, 5), bool), np.zeros((5, 5), bool)
    prediction[3, 2] = reference[0, 0] = True
    # 3 rows of 1 mm and 2 columns of 2 mm: the 3-4-5 triangle
    assert hd95(prediction, reference, (1.0, 2.0)) == pytest.approx(5.0)


def test_the_percentile_is_taken_in_each_direction_and_the_larger_one_counts():
    prediction, reference = row(*range(9), 18), row(*range(9))
    # to the reference: nine 0 and one 10, whose 95th percentile is 0.55 of the way to 10; back: only 0.
    # Pooled it would be 1.0, averaged 2.75.
    assert hd95(prediction, reference, (1.0, 1.0)) == pytest.approx(5.5)
    assert hd95(reference, prediction, (1.0, 1.0)) == pytest.approx(5.5)


def test_a_speck_of_less_than_five_percent_of_the_border_is_forgiven():
    reference = cube((5, 5, 5))
    prediction = reference.copy()
    prediction[23, 23, 23] = True  # 1 of 489 border voxels
    assert hd95(prediction, reference, MM) == 0.0


def test_a_speck_of_more_than_five_percent_of_the_border_counts_by_its_distance():
    reference = cube((0, 0, 0), side=3)  # 26 border voxels
    prediction = reference.copy()
    prediction[2, 2, 12:18] = True  # 6 of 32, at 10 to 15 mm from the cube's corner
    # position 0.95 * 31 = 29.45: between the 4th (13) and the 5th (14) of the six
    assert hd95(prediction, reference, MM) == pytest.approx(13.45)


def test_the_mean_distance_takes_both_directions_together():
    # one 10 and eighteen 0
    assert assd(row(*range(9), 18), row(*range(9)), (1.0, 1.0)) == pytest.approx(10 / 19)


def test_the_surface_dice_counts_borders_within_the_tolerance():
    prediction, reference = row(0, 5), row(0, 7)  # distances 0, 2 and 0, 2
    assert nsd(prediction, reference, (1.0, 1.0), tolerance_mm=1.9) == pytest.approx(0.5)
    assert nsd(prediction, reference, (1.0, 1.0), tolerance_mm=2.0) == 1.0


def test_a_negative_tolerance_is_refused():
    with pytest.raises(ValueError, match="tolerance_mm is -1"):
        nsd(row(0), row(0), (1.0, 1.0), tolerance_mm=-1)


def test_a_search_on_all_cores_gives_the_same_distances(monkeypatch):
    from BrainTumorSegLib.metrics import surface

    y, x = np.mgrid[:120, :120]
    prediction, reference = np.hypot(y - 60, x - 60) % 7 < 4, np.hypot(y - 50, x - 64) % 9 < 5
    expected = surface_distances(prediction, reference, (1.0, 1.5))
    assert min(expected.from_prediction.size, expected.from_reference.size) > surface._WORTH_THREADS
    monkeypatch.setattr(surface, "_WORTH_THREADS", np.inf)
    found = surface_distances(prediction, reference, (1.0, 1.5))
    assert np.array_equal(found.from_prediction, expected.from_prediction) and np.array_equal(found.from_reference, expected.from_reference)


def test_equal_masks_have_no_distance_even_at_the_edge_of_the_array():
    full = np.ones((3, 4, 5), bool)
    assert (hd95(full, full, MM), assd(full, full, MM), nsd(full, full, MM, 0.0)) == (0.0, 0.0, 1.0)


def test_two_empty_masks_have_no_distance():
    empty = row()
    assert (hd95(empty, empty, (1.0, 1.0)), assd(empty, empty, (1.0, 1.0)), nsd(empty, empty, (1.0, 1.0), 1.0)) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(("prediction", "reference", "status"), [(row(), row(3), "missed"), (row(3), row(), "false positive")])
def test_the_distance_to_an_empty_mask_is_undefined(prediction, reference, status):
    distances = surface_distances(prediction, reference, (1.0, 1.0))
    assert (distances.status, distances.hd95(), distances.assd(), distances.nsd(1e9)) == (status, None, None, 0.0)
    assert [*distances.from_prediction, *distances.from_reference] == [np.inf]


def test_the_penalty_for_an_undefined_distance_has_to_be_asked_for():
    assert hd95(row(), row(3), (1.0, 1.0)) is None
    assert hd95(row(), row(3), (1.0, 1.0), penalty_mm=BRATS_PENALTY_MM) == 374.0
    assert hd95(row(), row(), (1.0, 1.0), penalty_mm=BRATS_PENALTY_MM) == 0.0
    assert hd95(row(5), row(3), (1.0, 1.0), penalty_mm=BRATS_PENALTY_MM) == 2.0


def test_the_masks_are_left_as_they_were():
    prediction, reference = cube((5, 5, 8)), cube((5, 5, 5))
    hd95(prediction, reference, MM)
    assert np.array_equal(prediction, cube((5, 5, 8))) and np.array_equal(reference, cube((5, 5, 5)))
