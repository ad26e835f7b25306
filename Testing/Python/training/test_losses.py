"""Cross-entropy and soft Dice, slice by slice, worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from BrainTumorSegLib.training.losses import bce_dice

LN2 = math.log(2)


def maps(*values: list[float]) -> torch.Tensor:
    """One slice of one channel for each list of four pixels."""
    return torch.tensor(values, dtype=torch.float32).view(len(values), 1, 2, 2)


KNOWN = maps([1, 1, 1, 1])


def test_a_perfect_prediction_costs_nothing() -> None:
    target = maps([1, 0, 0, 1])
    assert float(bce_dice(100 * (2 * target - 1), target, KNOWN)) == pytest.approx(0, abs=1e-6)
    assert float(bce_dice(torch.full((1, 1, 2, 2), -100.0), 0 * target, KNOWN)) == pytest.approx(0, abs=1e-6)


def test_an_undecided_prediction_is_worked_out_by_hand() -> None:
    # p = 1/2 everywhere, one pixel of four is tumor: Dice (2 * 0.5 + s) / (2 + 1 + s)
    target, undecided = maps([1, 0, 0, 0]), torch.zeros(1, 1, 2, 2)
    assert float(bce_dice(undecided, target, KNOWN)) == pytest.approx(LN2 + 1 - 11 / 13)  # s = 10 pixels by default
    assert float(bce_dice(undecided, target, KNOWN, smooth=1.0)) == pytest.approx(LN2 + 1 - 2 / 4)


def test_every_marked_pixel_of_an_empty_slice_costs() -> None:
    # an empty target: Dice s / (sum p + s) = 10 / (2 + 10)
    empty = torch.zeros(1, 1, 2, 2)
    assert float(bce_dice(empty, empty, KNOWN)) == pytest.approx(LN2 + 1 - 10 / 12)
    few, more = (bce_dice(maps(logits), empty, KNOWN) for logits in ([9, -9, -9, -9], [9, 9, -9, -9]))
    assert float(more) > float(few) + 0.05


def test_a_missed_tumor_costs_nearly_the_whole_dice() -> None:
    # cross-entropy 20 on two of four pixels, Dice 10 / (2 + 10)
    assert float(bce_dice(torch.full((1, 1, 2, 2), -20.0), maps([1, 1, 0, 0]), KNOWN)) == pytest.approx(10 + 1 - 10 / 12, rel=1e-5)


def test_unknown_pixels_add_nothing() -> None:
    target, known = maps([1, 0, 1, 0]), maps([1, 1, 0, 0])
    losses = [float(bce_dice(maps([0.3, -0.4, *unknown]), target, known)) for unknown in ([0.0, 0.0], [50.0, 50.0], [-7.0, 9.0])]
    assert losses[0] == losses[1] == losses[2]
    # the two known pixels by hand
    p, q = 1 / (1 + math.exp(-0.3)), 1 / (1 + math.exp(0.4))
    assert losses[0] == pytest.approx((-math.log(p) - math.log(1 - q)) / 2 + 1 - (2 * p + 10) / (p + q + 1 + 10), rel=1e-5)


def test_unknown_pixels_get_no_gradient() -> None:
    logits = maps([0.3, -0.4, 2.0, -2.0]).requires_grad_()
    bce_dice(logits, maps([1, 0, 1, 0]), maps([1, 1, 0, 0])).backward()
    assert logits.grad is not None
    assert (logits.grad != 0).view(4).tolist() == [True, True, False, False]


def test_the_mean_is_over_slices_and_channels_that_know_something() -> None:
    logits, target = maps([1, -1, 0, 2], [0, 0, 0, 0], [3, 3, 3, 3]), maps([1, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 1])
    known = maps([1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0])
    first, second = (float(bce_dice(logits[i : i + 1], target[i : i + 1], KNOWN)) for i in (0, 1))
    assert float(bce_dice(logits, target, known)) == pytest.approx((first + second) / 2)
    as_channels = [t.transpose(0, 1) for t in (logits, target, known)]
    assert float(bce_dice(*as_channels)) == pytest.approx((first + second) / 2)


def test_a_batch_that_knows_nothing_costs_0_and_stays_finite() -> None:
    logits = maps([1, 2, 3, 4]).requires_grad_()
    loss = bce_dice(logits, maps([1, 0, 1, 0]), 0 * KNOWN)
    loss.backward()
    assert float(loss) == 0
    assert logits.grad is not None
    assert not logits.grad.any()
