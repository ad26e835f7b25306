"""Entropy of the fused probability: 0 is sure, 1 is undecided."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.inference.uncertainty import entropy


def test_one_class_is_tumor_against_background_in_bits() -> None:
    result = entropy(np.array([0.5, 0.0, 1.0, 0.25, 0.75], np.float32).reshape(1, 1, 1, 5))
    # 0.25 log2 4 + 0.75 log2 (4/3) = 0.5 + 0.3113
    assert result.ravel().tolist() == pytest.approx([1, 0, 0, 0.8113, 0.8113], abs=1e-4)
    assert result.dtype == np.float32
    assert result.shape == (1, 1, 5)


def test_several_classes_are_scaled_by_their_number() -> None:
    maps = np.array([[1 / 3, 1, 0.5], [1 / 3, 0, 0.5], [1 / 3, 0, 0]], np.float32).reshape(3, 1, 1, 3)
    # undecided among three 1, sure 0, undecided between two ln 2 / ln 3
    assert entropy(maps).ravel().tolist() == pytest.approx([1, 0, 0.6309], abs=1e-4)


def test_it_never_leaves_0_to_1() -> None:
    maps = np.linspace(0, 1, 1001, dtype=np.float32).reshape(1, 1, 1, -1)
    result = entropy(maps)
    assert result.min() >= 0
    assert result.max() <= 1
    assert np.isfinite(result).all()
