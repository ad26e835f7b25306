"""Examples are stored as they were given, and refused where labels or patients cannot be."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.data.example_set import ExampleSet, ExampleSetBuilder, check_labels, check_patients, class_keys, concatenate
from BrainTumorSegLib.errors import InputError
from Testing.Python.examples import example_set


def test_a_builder_takes_cases_apart_into_slices() -> None:
    builder = ExampleSetBuilder(as_bytes=True)
    labels = np.zeros((2, 4, 4), np.uint8)
    labels[1, 0, 0] = 1
    builder.add(np.full((2, 1, 4, 4), 0.2), labels, case="a", patient="p", fold=2, kind="glioma", source="s", spacing_mm=(3, 2, 1))
    builder.add(np.full((1, 1, 4, 4), 7.0), labels[:1], case="b", patient="", fold=1, kind="glioma", source="s")
    examples = builder.build()
    assert examples.images.dtype == np.uint8
    assert examples.intensities(np.array([0, 2]))[:, 0, 0, 0].tolist() == pytest.approx([51 / 255, 1.0])  # cut at 1
    assert examples.kind.tolist() == ["none", "glioma", "none"]
    assert (examples.case.tolist(), examples.patient.tolist(), examples.fold.tolist()) == (["a", "a", "b"], ["p", "p", ""], [2, 2, 1])
    assert examples.spacing_mm[1].tolist() == [3, 2, 1]
    assert np.isnan(examples.spacing_mm[2]).all()


def test_scores_are_kept_as_half_floats() -> None:
    builder = ExampleSetBuilder(as_bytes=False)
    builder.add(np.full((1, 2, 4, 4), -1.5), np.zeros((1, 4, 4), np.uint8), case="a", patient="p", fold=1, kind="k", source="s")
    examples = builder.build()
    assert examples.images.dtype == np.float16
    assert examples.intensities(np.array([0])).dtype == np.float32
    assert (examples.intensities(np.array([0])) == -1.5).all()


def test_a_file_gives_back_what_it_was_made_for_and_nothing_else(tmp_path: Path) -> None:
    examples = example_set(3)
    examples.save(tmp_path / "e.npz", "this")
    again = ExampleSet.load(tmp_path / "e.npz", "this")
    assert again is not None
    for f in fields(ExampleSet):
        assert np.array_equal(getattr(again, f.name), getattr(examples, f.name)), f.name
    assert ExampleSet.load(tmp_path / "e.npz", "that") is None


def test_selecting_and_joining_keep_rows_together() -> None:
    examples = example_set(4)
    joined = concatenate([examples.select(examples.fold == 2), examples.select(np.array([0]))])
    assert joined.case.tolist() == ["case 1", "case 1", "case 0"]
    assert np.array_equal(joined.images[2], examples.images[0])


def test_class_keys_follow_the_scheme() -> None:
    assert class_keys("tumor") == ("tumor",)
    assert class_keys("glioma") == ("NCR", "ED", "ET")


def test_a_label_outside_the_scheme_is_named() -> None:
    check_labels(np.array([0, 1, 2, 3]), "glioma", "m")
    with pytest.raises(InputError, match="the mask of A has the label 2, 5, but the scheme tumor has 0, 1 only; correct the mask"):
        check_labels(np.array([0, 1, 2, 5]), "tumor", "the mask of A")


def test_a_patient_in_two_folds_is_named_but_unknown_patients_are_not() -> None:
    examples = example_set(4)
    check_patients(examples)
    examples.patient[:] = ""
    check_patients(examples)
    examples.patient[[0, 3]] = "P7"
    with pytest.raises(InputError, match="the patient P7 of phantom is in the folds 1 and 2, but scores of patients that were trained on are worth nothing"):
        check_patients(examples)
