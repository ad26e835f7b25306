"""System A's loss, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from BrainTumorSegLib.training.losses_bce import binary_cross_entropy


def test_an_undecided_prediction_costs_the_logarithm_of_2() -> None:
    logits, target = torch.zeros(2, 1, 2, 2), torch.tensor([1.0, 0, 0, 1, 0, 0, 0, 0]).view(2, 1, 2, 2)
    assert float(binary_cross_entropy(logits, target)) == pytest.approx(math.log(2))


def test_the_loss_is_its_formula_in_numpy() -> None:
    numbers = np.random.default_rng(0)
    logits, t = numbers.normal(size=(2, 1, 3, 4)), numbers.integers(0, 2, (2, 1, 3, 4))
    p = 1 / (1 + np.exp(-logits))
    expected = np.mean(-t * np.log(p) - (1 - t) * np.log(1 - p))
    assert float(binary_cross_entropy(torch.from_numpy(logits), torch.from_numpy(t).double())) == pytest.approx(expected)


def test_a_sure_error_keeps_its_gradient() -> None:
    logits = torch.full((1, 1, 1, 1), 200.0, requires_grad=True)
    binary_cross_entropy(logits, torch.zeros(1, 1, 1, 1)).backward()
    assert logits.grad is not None
    assert float(logits.grad) == pytest.approx(1)
