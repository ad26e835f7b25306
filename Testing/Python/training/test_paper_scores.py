"""Each paper's metrics on masks small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.data.example_set import ExampleSet, ExampleSetBuilder
from BrainTumorSegLib.training.paper_scores import headline, score_a, score_b, score_c, score_d


def square(size: int, *boxes: tuple[int, int, int, int, int]) -> np.ndarray:
    """A slice of 0 with boxes (top, left, height, width, value)."""
    labels = np.zeros((size, size), np.uint8)
    for top, left, height, width, value in boxes:
        labels[top : top + height, left : left + width] = value
    return labels


def examples(*cases: tuple[list[np.ndarray], str], spacing_mm: tuple[float, float, float] | None = (1, 1, 1)) -> ExampleSet:
    """Cases of label slices with their kind."""
    builder = ExampleSetBuilder(as_bytes=True)
    for i, (labels, kind) in enumerate(cases):
        stack = np.stack(labels)
        builder.add(stack[:, None] * 0.0, stack, case=str(i), patient=str(i), fold=1, kind=kind, source="s", spacing_mm=spacing_mm)
    return builder.build()


GLIOMA, MENINGIOMA = square(10, (0, 0, 4, 5, 1)), square(10, (5, 5, 2, 5, 1))
HALF_OF_GLIOMA = square(10, (0, 0, 2, 5, 1))
EMPTY = square(10)
SLICES = examples(([GLIOMA], "glioma"), ([MENINGIOMA], "meningioma"), ([EMPTY], "none"), ([EMPTY], "none"))
PREDICTED = np.stack([HALF_OF_GLIOMA, MENINGIOMA, square(10, (0, 0, 1, 1, 1)), EMPTY])
# pooled: 20 pixels right, 10 missed, 1 false, 369 of background right


def test_a_counts_as_keras_does_and_by_type() -> None:
    scores = score_a(PREDICTED, SLICES)
    assert (scores["n"], scores["n_tumor_free"], scores["tumor_slices"]["n"]) == (4, 2, 2)
    assert scores["mean_iou"] == pytest.approx((20 / 31 + 369 / 380) / 2, abs=1e-4)
    assert scores["tumor_iou"] == pytest.approx(20 / 31, abs=1e-4)
    assert scores["tumor_dice"] == pytest.approx(40 / 51, abs=1e-4)
    assert scores["by_kind"]["glioma"] == {"n": 1, "dice": 0.6667, "iou": 0.5, "mean_iou": pytest.approx((0.5 + 80 / 90) / 2, abs=1e-4)}
    assert scores["by_kind"]["meningioma"]["dice"] == 1
    assert scores["tumor_slices"]["dice"] == pytest.approx(5 / 6, abs=1e-4)


def test_false_positives_are_counted_by_area() -> None:
    # 20 pixels of 224 x 224 are 0.04 pixels of 10 x 10
    assert score_a(PREDICTED, SLICES)["false_positive_rate"] == 0.5
    tumor_free = examples(([square(224)], "none"), ([square(224)], "none"), ([square(224, (0, 0, 2, 2, 1))], "glioma"))
    marked = np.stack([square(224, (0, 0, 4, 5, 1)), square(224, (0, 0, 3, 7, 1)), square(224)])
    assert score_a(marked, tumor_free)["false_positive_rate"] == 0.5  # more than 20 pixels
    assert score_a(PREDICTED[:2], SLICES.select(np.array([0, 1])))["false_positive_rate"] is None


def test_b_averages_its_four_metrics_both_ways_and_with_background() -> None:
    scores = score_b(PREDICTED, SLICES)
    assert scores["per_slice"] == {"dice": 0.8333, "iou": 0.75, "precision": 1.0, "recall": 0.75, "precision_undefined": 0}
    assert [scores["pooled"][key] for key in ("dice", "iou", "precision", "recall")] == pytest.approx([40 / 51, 20 / 31, 20 / 21, 20 / 30], abs=1e-4)
    background = [738 / 749, 369 / 380, 369 / 379, 369 / 370]
    mean = [(a + b) / 2 for a, b in zip([40 / 51, 20 / 31, 20 / 21, 20 / 30], background)]
    assert [scores["pooled_with_background"][key] for key in ("dice", "iou", "precision", "recall")] == pytest.approx(mean, abs=1e-4)


def test_b_counts_a_precision_that_is_undefined() -> None:
    pair = SLICES.select(np.array([0, 1]))
    one = score_b(np.stack([EMPTY, MENINGIOMA]), pair)["per_slice"]
    assert (one["precision"], one["precision_undefined"], one["dice"]) == (1.0, 1, 0.5)
    none = score_b(np.stack([EMPTY, EMPTY]), pair)["per_slice"]
    assert (none["precision"], none["precision_undefined"], none["recall"]) == (None, 2, 0.0)


def test_c_scores_volumes_and_leaves_absent_classes_out() -> None:
    both = square(10, (0, 0, 4, 4, 2), (6, 0, 2, 2, 3))
    only_edema = square(10, (0, 0, 2, 2, 2))
    cases = examples(([both, both], "glioma"), ([only_edema, EMPTY], "glioma"), spacing_mm=(3, 1, 1))
    shifted = square(10, (0, 1, 4, 4, 2))
    predicted = np.stack([shifted, shifted, square(10, (0, 0, 2, 2, 1)), EMPTY])
    scores = score_c(predicted, cases)
    first, second = (case["classes"] for case in scores["cases"])
    assert first["ED"] == {"status": "ok", "dice": 0.75, "hd95_mm": 1.0}
    assert first["ET"] == {"status": "missed", "dice": 0.0, "hd95_mm": None}
    assert first["NCR"] == {"status": "not applicable", "dice": None, "hd95_mm": None, "false_positive_voxels": 0}
    assert second["NCR"]["false_positive_voxels"] == 4
    assert scores["classes"]["ED"] == {
        "n": 2,
        "not_applicable": 0,
        "dice": 0.375,
        "dice_sd": pytest.approx(0.75 / 2**0.5, abs=1e-4),
        "hd95_mm": 1.0,
        "hd95_sd": None,
        "hd95_undefined": 1,
    }
    assert (scores["classes"]["NCR"]["n"], scores["classes"]["NCR"]["not_applicable"], scores["classes"]["NCR"]["dice"]) == (0, 2, None)
    assert scores["cases"][0]["tumor_ml"] == pytest.approx(2 * 20 * 3 / 1000)


def test_c_scores_nested_regions_beside_the_classes() -> None:
    truth = square(10, (0, 0, 4, 4, 2), (1, 1, 2, 2, 1), (1, 1, 2, 1, 3))  # 16 of tumor, 4 of core, 2 of them enhancing
    predicted = square(10, (0, 0, 4, 4, 2), (1, 1, 2, 2, 1))  # the core is found as necrosis
    scores = score_c(np.stack([predicted]), examples(([truth], "glioma")))
    assert {key: part["dice"] for key, part in scores["regions"].items()} == {"WT": 1.0, "TC": 1.0, "ET": 0.0}
    assert {key: part["dice"] for key, part in scores["classes"].items()} == {"NCR": pytest.approx(4 / 6, abs=1e-4), "ED": 1.0, "ET": 0.0}
    none = score_c(np.stack([predicted]), examples(([square(10, (0, 0, 4, 4, 2))], "glioma")))
    assert [(part["n"], part["dice"]) for part in none["regions"].values()] == [(1, 1.0), (0, None), (0, None)]


def test_c_keeps_large_and_small_tumors_apart() -> None:
    cases = examples(*[([square(10, (0, 0, n, n, 1))], "glioma") for n in (2, 4, 6)])
    scores = score_c(cases.labels, cases)
    assert (scores["large"]["n"], scores["small"]["n"]) == (2, 1)
    assert scores["large"]["classes"]["NCR"]["dice"] == 1


def test_c_measures_distances_along_the_slices_too() -> None:
    box = square(10, (2, 2, 4, 4, 1))
    cases = examples(([EMPTY, box, EMPTY, EMPTY], "glioma"), spacing_mm=(5, 1, 1))
    moved = np.stack([EMPTY, EMPTY, box, EMPTY])
    assert score_c(moved, cases)["classes"]["NCR"]["hd95_mm"] == 5.0


def test_d_gives_pixel_accuracy_pooled_and_volumes_beside() -> None:
    cases = examples(([GLIOMA, EMPTY], "glioma"), ([MENINGIOMA, EMPTY], "glioma"), spacing_mm=None)
    scores = score_d(PREDICTED[[0, 3, 1, 2]], cases)
    assert scores["pixel_accuracy"] == pytest.approx(389 / 400, abs=1e-4)
    assert (scores["dice"], scores["iou"]) == (pytest.approx(40 / 51, abs=1e-4), pytest.approx(20 / 31, abs=1e-4))
    assert scores["per_case"] == {"n": 2, "dice": pytest.approx((2 / 3 + 20 / 21) / 2, abs=1e-4), "iou": pytest.approx((0.5 + 10 / 11) / 2, abs=1e-4)}
    assert scores["tumor_slices"]["n"] == 2


def test_the_headline_is_what_the_paper_reports() -> None:
    assert headline("paper-a", score_a(PREDICTED, SLICES)) == {"mean_iou": pytest.approx(0.8081, abs=1e-4), "tumor_dice": pytest.approx(0.7843, abs=1e-4)}
    assert headline("paper-b", score_b(PREDICTED, SLICES)) == {"dice": 0.8333, "iou": 0.75, "precision": 1.0, "recall": 0.75}
    cases = examples(([square(10, (0, 0, 2, 2, 2))], "glioma"))
    assert headline("paper-c", score_c(cases.labels, cases)) == {"Dice NCR": None, "Dice ED": 1.0, "Dice ET": None}
    assert set(headline("paper-d", score_d(PREDICTED, SLICES))) == {"pixel_accuracy", "dice", "iou"}
