"""The scores of a model, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.data.slice_set import TUMOR_BIT, WHOLE_BIT, SliceSet
from BrainTumorSegLib.training.validation import predict_slices, score_slices, score_stacks
from Testing.Python.tiny import slice_set


def boxes(*sizes: int) -> np.ndarray:
    """One 10 x 10 slice for each number, of which the first so many pixels are marked."""
    return np.array([np.arange(100).reshape(10, 10) < n for n in sizes])


def slices(truth: np.ndarray, kinds: list[str]) -> SliceSet:
    n = len(truth)
    numbers, words = np.ones(n, np.float32), np.array(["cheng"] * n)
    # edema everywhere: what only the second bit marks is no tumor
    targets = np.where(truth, TUMOR_BIT | WHOLE_BIT, WHOLE_BIT).astype(np.uint8)
    return SliceSet(np.zeros(truth.shape, np.uint8), targets, 0 * numbers, 2 * numbers, numbers, words, np.array(kinds), np.ones(n, int), words)


def test_all_scores_of_five_slices_by_hand() -> None:
    truth = slices(boxes(40, 20, 10, 0, 0), ["glioma", "glioma", "pituitary", "none", "none"])
    scores = score_slices(boxes(20, 20, 0, 21, 20), truth)
    # Dice 2 * 20 / 60 = 2/3, 1 and 0; tumor: 40 of 70 pixels; background of the tumor slices: 230 of 300 - 40 = 260
    assert scores == {
        "n": 3,
        "dice": pytest.approx(5 / 9, abs=1e-4),
        "dice_by_kind": {"glioma": pytest.approx(5 / 6, abs=1e-4), "pituitary": 0.0},
        "tumor_iou": pytest.approx(40 / 70),
        "mean_iou": pytest.approx((40 / 70 + 230 / 260) / 2),
        # with the tumor-free ones 41 more pixels are wrongly marked, and 159 more are rightly background
        "mean_iou_with_tumor_free": pytest.approx((40 / 111 + 389 / 460) / 2),
        "n_tumor_free": 2,
        "false_positive_rate": 0.5,  # 21 pixels are more than 20, 20 are not
    }


def test_a_perfect_model_scores_1_and_0() -> None:
    truth = boxes(40, 0)
    scores = score_slices(truth, slices(truth, ["glioma", "none"]))
    assert (scores["dice"], scores["mean_iou"], scores["tumor_iou"], scores["false_positive_rate"]) == (1, 1, 1, 0)


def test_what_was_not_measured_has_no_score() -> None:
    truth = boxes(40)
    scores = score_slices(truth, slices(truth, ["glioma"]))
    assert (scores["n_tumor_free"], scores["false_positive_rate"]) == (0, None)
    scores = score_slices(boxes(30), slices(boxes(0), ["none"]))
    assert (scores["n"], scores["dice"], scores["mean_iou"], scores["tumor_iou"], scores["false_positive_rate"]) == (0, None, None, None, 1.0)
    scores = score_stacks(boxes(30), slices(boxes(0), ["none"]))
    assert (scores["n"], scores["dice"], scores["median"], scores["cases"], scores["false_positive_rate"]) == (0, None, None, {}, 1.0)


def test_a_patients_slices_count_as_one_volume() -> None:
    truth = slices(boxes(40, 20, 0, 30, 0, 0, 0), ["glioma", "glioma", "none", "glioma", "none", "none", "none"])
    truth.case = np.array(["A", "A", "A", "B", "B", "picture 1", "picture 2"])
    scores = score_stacks(boxes(20, 20, 10, 30, 0, 21, 20), truth)
    # A: 2 * (20 + 20) / (60 + 50), what is marked on its tumor-free slice included; B: all found. Of the pictures one has more than 20 pixels
    assert scores == {
        "n": 2,
        "dice": pytest.approx((80 / 110 + 1) / 2, abs=1e-4),
        "median": pytest.approx((80 / 110 + 1) / 2, abs=1e-4),
        "dice_by_kind": {"glioma": pytest.approx((80 / 110 + 1) / 2, abs=1e-4)},
        "n_tumor_free": 2,
        "false_positive_rate": 0.5,
        "cases": {"A": pytest.approx(80 / 110, abs=1e-4), "B": 1.0},
    }


def test_slices_are_predicted_in_batches_as_tissue_and_cut_at_the_threshold() -> None:
    data = slice_set({"cheng/glioma": 7}, size=16)
    seen: list[np.ndarray] = []

    def predict(images: np.ndarray) -> np.ndarray:
        seen.append(images)
        return images[:, 0] / 2

    masks = predict_slices(predict, data, batch=3, threshold=0.6)
    assert [images.shape for images in seen] == [(3, 1, 16, 16), (3, 1, 16, 16), (1, 1, 16, 16)]
    assert seen[0].dtype == np.float32
    assert np.array_equal(np.concatenate(seen)[:, 0], data.tissue(np.arange(7)))
    assert np.array_equal(masks, data.tissue(np.arange(7)) / 2 >= 0.6)


def test_where_nothing_is_left_to_validate_on_nothing_is_scored() -> None:
    data = slice_set({"lgg_brain/brain": 3}, size=16)
    masks = predict_slices(lambda images: images[:, 0], data.select(np.zeros(3, bool)))
    assert (masks.shape, masks.dtype) == ((0, 16, 16), bool)
    scores = score_stacks(masks, data.select(np.zeros(3, bool)))
    assert (scores["n"], scores["dice"], scores["median"], scores["cases"]) == (0, None, None, {})
