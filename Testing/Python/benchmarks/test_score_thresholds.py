"""The table of thresholds: by hand, on a phantom whose network is unsure."""

from __future__ import annotations

import numpy as np

from Testing.Benchmarks.score_thresholds import score_thresholds, table
from Testing.Python.gliomas import case

UNSURE = np.array([0.9, 0.45, 0.35], np.float32).reshape(1, 3, 1, 1)


def unsure(slices: np.ndarray) -> np.ndarray:
    """Finds everything, the inner regions with little certainty: FLAIR shows the tumor, T2 the core, T1ce what enhances."""
    seen = np.stack([slices[:, 3] > 1.3, slices[:, 2] > 1.3, slices[:, 1] > 2], 1)
    return seen.astype(np.float32) * UNSURE


def test_lower_thresholds_find_what_is_unsure() -> None:
    scores = score_thresholds(unsure, [case("a", 1), case("b", 1, enhancing=False)], [0.3, 0.4, 0.5])
    assert [[cases[0][key] for key in ("WT", "TC", "ET")] for cases in scores.values()] == [[1.0, 1.0, 1.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    assert [cases[1]["false_et_ml"] for cases in scores.values()] == [0.0, 0.0, 0.0]


def test_a_threshold_of_its_own_takes_in_what_is_unsure_beside_what_is_sure() -> None:
    def rim(slices: np.ndarray) -> np.ndarray:
        """The tumor where it enhances surely, the rest of it with 0.3."""
        return np.repeat((slices[:, 3:] > 1.3) * np.where(slices[:, 1:2] > 2, 0.9, 0.3), 3, axis=1).astype(np.float32)

    scores = score_thresholds(rim, [case("a", 1)], [0.4, (0.2, 0.4), (0.35, 0.4)])
    fixed, adapted, bounded = (cases[0]["WT"] for cases in scores.values())
    assert fixed is not None and fixed < 0.2 and bounded == fixed
    assert adapted is not None and adapted > 0.6
    assert table("cubes", scores).splitlines()[3].startswith(f"| 0.2 to 0.4 | {adapted:.3f} (0) |")


def test_the_table_counts_means_misses_and_false_milliliters() -> None:
    scores = {
        0.3: [{"WT": 0.9, "TC": 0.8, "ET": None, "false_et_ml": 1.5}, {"WT": 0.1, "TC": 0.6, "ET": 0.4, "false_et_ml": None}],
        0.5: [{"WT": 0.7, "TC": 0.0, "ET": None, "false_et_ml": 0.5}, {"WT": 0.3, "TC": 0.1, "ET": 0.2, "false_et_ml": None}],
    }
    assert table("cubes", scores).splitlines() == [
        "| cubes, threshold | WT (n = 2) | TC (n = 2) | ET (n = 1) | false ET mL, mean, most |",
        "|---|---|---|---|---|",
        "| 0.3 | 0.500 (1) | 0.700 (0) | 0.400 (0) | 1.50, 1.50 |",
        "| 0.5 | 0.500 (0) | 0.050 (2) | 0.200 (0) | 0.50, 0.50 |",
    ]
