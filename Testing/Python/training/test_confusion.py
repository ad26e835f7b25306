"""The confusion matrix and what is read from it, on four pixels."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.training.confusion import confusion, overlaps


def test_rows_are_the_reference_and_columns_the_prediction() -> None:
    counts = confusion(np.array([[0, 1], [2, 2]]), np.array([[0, 0], [2, 1]]), 3)
    assert counts.tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 1]]


def test_overlaps_of_two_classes() -> None:
    scores = overlaps(np.array([[90, 2], [4, 4]]))  # tumor: 4 both, 2 + 4 in one only
    assert scores["dice"] == pytest.approx(8 / 14)
    assert scores["iou"] == pytest.approx(0.4)
    assert scores["mean_iou"] == pytest.approx((0.4 + 90 / 96) / 2)
    assert scores["pixel_accuracy"] == pytest.approx(0.94)


def test_dice_and_iou_leave_background_out_and_a_class_that_nobody_has_counts_one() -> None:
    scores = overlaps(np.array([[5, 0, 0], [0, 3, 0], [0, 0, 0]]))
    assert (scores["dice"], scores["iou"], scores["mean_iou"]) == (1, 1, 1)
    assert overlaps(np.array([[5, 0, 1], [0, 3, 0], [0, 0, 0]]))["dice"] == 0.5
