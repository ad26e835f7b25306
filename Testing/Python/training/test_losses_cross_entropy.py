"""System D's loss, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from BrainTumorSegLib.training.losses_cross_entropy import cross_entropy


def test_an_undecided_prediction_costs_the_logarithm_of_the_classes() -> None:
    assert float(cross_entropy(torch.zeros(1, 2, 3, 3), torch.ones(1, 3, 3, dtype=torch.long))) == pytest.approx(math.log(2))


def test_the_loss_is_its_formula_in_numpy() -> None:
    numbers = np.random.default_rng(0)
    logits, labels = numbers.normal(size=(2, 3, 4, 5)), numbers.integers(0, 3, (2, 4, 5))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = np.mean([-np.log(p[n, labels[n, y, x], y, x]) for n in range(2) for y in range(4) for x in range(5)])
    assert float(cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels))) == pytest.approx(expected)
