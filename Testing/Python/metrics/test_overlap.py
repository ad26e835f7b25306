import numpy as np
import pytest

from BrainTumorSegLib.metrics.overlap import Counts, count_voxels, dice, iou, precision, recall, volume_difference_ml

PREDICTION = np.array([[1, 1, 1, 0], [1, 0, 0, 0]], bool)  # 4 pixels
REFERENCE = np.array([[0, 1, 1, 1], [0, 1, 1, 0]], bool)  # 5 pixels, 2 of them in both
EMPTY = np.zeros((2, 4), bool)


def test_the_four_counts_add_up_to_the_whole_array():
    assert count_voxels(PREDICTION, REFERENCE) == Counts(both=2, prediction_only=2, reference_only=3, neither=1)


def test_overlap_of_two_masks_worked_out_by_hand():
    assert dice(PREDICTION, REFERENCE) == pytest.approx(2 * 2 / (4 + 5))
    assert iou(PREDICTION, REFERENCE) == pytest.approx(2 / 7)
    assert precision(PREDICTION, REFERENCE) == pytest.approx(2 / 4)
    assert recall(PREDICTION, REFERENCE) == pytest.approx(2 / 5)


def test_a_mask_agrees_fully_with_itself():
    assert dice(REFERENCE, REFERENCE) == iou(REFERENCE, REFERENCE) == precision(REFERENCE, REFERENCE) == recall(REFERENCE, REFERENCE) == 1.0


def test_masks_that_do_not_touch_score_zero_and_are_not_called_empty():
    counts = count_voxels(PREDICTION, ~PREDICTION)
    assert (counts.dice, counts.iou, counts.precision, counts.recall, counts.status) == (0.0, 0.0, 0.0, 0.0, "ok")


def test_two_empty_masks_agree_fully():
    counts = count_voxels(EMPTY, EMPTY)
    assert (counts.dice, counts.iou, counts.precision, counts.recall, counts.status) == (1.0, 1.0, 1.0, 1.0, "both empty")


def test_a_missed_tumor_has_no_precision():
    counts = count_voxels(EMPTY, REFERENCE)
    assert (counts.dice, counts.iou, counts.precision, counts.recall, counts.status) == (0.0, 0.0, None, 0.0, "missed")


def test_a_false_positive_has_no_recall():
    counts = count_voxels(PREDICTION, EMPTY)
    assert (counts.dice, counts.iou, counts.precision, counts.recall, counts.status) == (0.0, 0.0, 0.0, None, "false positive")


def test_the_background_is_scored_like_the_masks():
    # backgrounds of 4 and 3 pixels, 1 of them in both, 6 in either
    assert count_voxels(PREDICTION, REFERENCE).background_iou == pytest.approx(1 / 6)
    assert count_voxels(~EMPTY, ~EMPTY).background_iou == 1.0  # no background in either


def test_counts_of_several_cases_are_pooled_by_adding_them():
    pooled = count_voxels(PREDICTION, REFERENCE) + count_voxels(EMPTY, REFERENCE)
    assert pooled == Counts(both=2, prediction_only=2, reference_only=8, neither=4)
    assert pooled.iou == pytest.approx(2 / 12)


def test_the_volume_difference_is_signed_and_in_milliliters():
    prediction, reference = np.ones((10, 10, 10), bool), np.zeros((10, 10, 10), bool)
    reference[:4] = True
    # 600 voxels too many of 3 x 1 x 0.5 mm = 1.5 mm^3, which is 0.9 mL
    assert volume_difference_ml(prediction, reference, (3.0, 1.0, 0.5)) == pytest.approx(0.9)
    assert volume_difference_ml(reference, prediction, (3.0, 1.0, 0.5)) == pytest.approx(-0.9)
