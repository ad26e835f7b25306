"""The slices that figures show depend on the reference alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from BrainTumorSegLib.data.example_set import ExampleSet
from BrainTumorSegLib.training.shown_examples import choose_shown, save_shown
from Testing.Python.examples import example_set


def sized(examples: ExampleSet) -> ExampleSet:
    """Case i has i + 1 labeled pixels in its first slice and none in its second."""
    examples.labels[:] = 0
    for i in range(len(examples) // 2):
        examples.labels[2 * i].ravel()[: i + 1] = 1
    return examples


def test_every_kind_is_shown_from_small_to_large_in_different_cases() -> None:
    examples = sized(example_set(20, tumor_free=2))
    examples.labels[40:] = 0
    chosen = choose_shown(examples)
    assert len(chosen) == 6
    assert examples.kind[chosen].tolist() == ["glioma"] * 3 + ["meningioma"] * 3
    areas = examples.labels[chosen].sum((1, 2))
    assert (np.diff(areas[:3].astype(int)) > 0).all()
    assert len(set(examples.case[chosen])) == 6


def test_few_cases_give_few_slices() -> None:
    assert len(choose_shown(sized(example_set(2)))) == 2
    assert len(choose_shown(sized(example_set(4)).select(np.arange(1, 8, 2)))) == 0


def test_what_is_stored_is_image_reference_and_prediction(tmp_path: Path) -> None:
    examples = example_set(8)
    save_shown(tmp_path / "shown.npz", examples, 1 - examples.labels)
    with np.load(tmp_path / "shown.npz") as stored:
        chosen = choose_shown(examples)
        assert np.array_equal(stored["labels"], examples.labels[chosen])
        assert np.array_equal(stored["predicted"], 1 - examples.labels[chosen])
        assert np.array_equal(stored["images"], examples.intensities(chosen))
        assert stored["case"].tolist() == examples.case[chosen].tolist()
