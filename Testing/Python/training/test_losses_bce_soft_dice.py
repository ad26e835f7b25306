"""System B's loss, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from BrainTumorSegLib.training.losses_bce_soft_dice import bce_soft_dice

LN2 = math.log(2)


def test_an_undecided_prediction_is_worked_out_by_hand() -> None:
    # p = 1/2 in 8 pixels of two slices, 1 of them tumor: Dice (2 x 0.5 + 1) / (4 + 1 + 1) = 1/3
    logits, target = torch.zeros(2, 1, 2, 2), torch.tensor([1.0, 0, 0, 0, 0, 0, 0, 0]).view(2, 1, 2, 2)
    assert float(bce_soft_dice(logits, target)) == pytest.approx(LN2 + 2 / 3)
    assert float(bce_soft_dice(logits, target, weight=0.5)) == pytest.approx(LN2 + 1 / 3)
    assert float(bce_soft_dice(logits, target, smooth=3.0)) == pytest.approx(LN2 + 1 - 4 / 8)


def test_the_loss_is_its_formula_in_numpy() -> None:
    numbers = np.random.default_rng(0)
    logits, t = numbers.normal(size=(2, 1, 3, 4)), numbers.integers(0, 2, (2, 1, 3, 4))
    p = 1 / (1 + np.exp(-logits))
    expected = np.mean(-t * np.log(p) - (1 - t) * np.log(1 - p)) + 1 - (2 * np.sum(p * t) + 1) / (np.sum(p) + np.sum(t) + 1)
    assert float(bce_soft_dice(torch.from_numpy(logits), torch.from_numpy(t).double())) == pytest.approx(expected)


def test_right_answers_cost_nothing_even_without_a_tumor() -> None:
    target = torch.tensor([1.0, 0, 0, 1]).view(1, 1, 2, 2)
    assert float(bce_soft_dice(100 * (2 * target - 1), target)) == pytest.approx(0, abs=1e-6)
    assert float(bce_soft_dice(torch.full((1, 1, 2, 2), -100.0), 0 * target)) == pytest.approx(0, abs=1e-6)
