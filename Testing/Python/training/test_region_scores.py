"""Scores of whole cases by region and subset, for predictors worked out by hand."""

from __future__ import annotations

import numpy as np

from BrainTumorSegLib.training.region_scores import predict_case, score_case, score_cases, subset_name, subsets, summary
from Testing.Python.gliomas import case

ALL = range(4)


def perfect(images: np.ndarray) -> np.ndarray:
    """WT from FLAIR, TC from T2, ET from T1ce."""
    return (images[:, [3, 2, 1]] > 1.5).astype(np.float32)


def test_there_are_15_subsets() -> None:
    names = [subset_name(given) for given in subsets()]
    assert len(set(names)) == 15
    assert (names[0], names[-1]) == ("t1+t1ce+t2+flair", "flair")


def test_a_perfect_predictor_scores_1_in_every_plane() -> None:
    for planes in (("axial",), ("axial", "coronal", "sagittal")):
        for has_et in (True, False):
            of = case("a", 1, enhancing=has_et)
            found = predict_case(perfect, of, planes, ALL)
            np.testing.assert_array_equal(found, of.regions())
            assert score_case(found, of) == {"WT": 1.0, "TC": 1.0, "ET": 1.0 if has_et else None, "false_et_ml": None if has_et else 0.0}


def test_a_missing_sequence_is_a_channel_of_zeros() -> None:
    seen: list[list[bool]] = []

    def watch(images: np.ndarray) -> np.ndarray:
        seen.append(images.any((0, 2, 3)).tolist())
        return perfect(images)

    predict_case(watch, case("a", 1), ("axial",), (0, 3))
    assert [any(column) for column in zip(*seen)] == [True, False, False, True]


def test_an_inner_region_is_only_seen_in_the_outer() -> None:
    def core_everywhere(images: np.ndarray) -> np.ndarray:
        return np.stack([images[:, 3] > 1.5, images[:, 3] > 0.5, images[:, 3] > 0.5], 1).astype(np.float32)

    found = predict_case(core_everywhere, case("a", 1), ("axial",), ALL)
    assert np.count_nonzero(found, axis=(1, 2, 3)).tolist() == [20**3] * 3


def test_false_enhancement_is_counted_in_ml() -> None:
    of = case("a", 1, enhancing=False)
    found = of.regions()
    found[2, :10, :10, :10] = True
    scores = score_case(found, of)
    assert scores["ET"] is None
    assert scores["false_et_ml"] == round((240 / 224) ** 3, 3)  # 1000 voxels


def test_without_contrast_enhancement_is_not_scored() -> None:
    scores = score_cases(perfect, [case("a", 1)], ("axial",), (2, 3))
    assert scores == {"a": {"WT": 1.0, "TC": 1.0}}


def test_the_threshold_decides_what_is_found() -> None:
    def unsure(slices: np.ndarray) -> np.ndarray:
        return perfect(slices) * np.float32(0.45)

    found = [score_cases(unsure, [case("a", 1)], ("axial",), threshold=threshold)["a"]["WT"] for threshold in (0.4, 0.5)]
    assert found == [1.0, 0.0]


def test_means_are_over_the_cases_that_have_the_region() -> None:
    by_case = {
        "a": {"WT": 0.9, "TC": 0.8, "ET": 0.6, "false_et_ml": None},
        "b": {"WT": 0.7, "TC": 0.4, "ET": None, "false_et_ml": 1.5},
    }
    expected = {"n": 2, "dice": round((0.8 + 0.6 + 0.6) / 3, 4), "dice_by_kind": {"WT": 0.8, "TC": 0.6, "ET": 0.6}, "n_et": 1, "false_et_ml": 1.5}
    assert summary(by_case) == expected
    assert summary({}) == {"n": 0, "dice": None, "dice_by_kind": {}, "n_et": 0, "false_et_ml": None}
