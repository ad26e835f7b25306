"""Label values in files."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.cli.written_labels import segment_labels, written_labels
from BrainTumorSegLib.volume import Volume

_LABELS = Volume(np.array([[[0, 1, 2, 3]]], np.uint8))


@pytest.mark.parametrize(
    ("scheme", "label_scheme", "values"), [("glioma", None, [0, 1, 2, 3]), ("glioma", "brats2021", [0, 1, 2, 4]), ("tumor", "brats2021", [0, 1, 2, 3])]
)
def test_enhancing_tumor_is_4_in_brats_2021(scheme: str, label_scheme: str | None, values: list[int]) -> None:
    assert written_labels(_LABELS, scheme, label_scheme).array[0, 0].tolist() == values


def test_the_names_go_with_the_values() -> None:
    assert [(label.value, label.key) for label in segment_labels("glioma", "brats2021")] == [(1, "NCR"), (2, "ED"), (4, "ET")]
    assert [label.value for label in segment_labels("tumor", "brats2021")] == [1]
