"""Rounding to int8 in float, on numbers worked out by hand."""

from __future__ import annotations

import math

import torch

from BrainTumorSegLib.export.fake_quant import fake_quantize, fake_round, weight_scales


def test_activations_are_rounded_to_the_nearest_level_and_clipped_to_the_range() -> None:
    # scale 0.5, zero point 2: levels 0 to 255 stand for -1 to 126.5; halves go to the even level, as QuantizeLinear has it
    x = torch.tensor([-3.0, -1.0, -0.3, 0.0, 0.2, 0.25, 0.75, 1.3, 126.5, 130.0])
    expected = torch.tensor([-1.0, -1.0, -0.5, 0.0, 0.0, 0.0, 1.0, 1.5, 126.5, 126.5])
    assert torch.equal(fake_quantize(x, torch.tensor(0.5), 2), expected)


def test_the_gradient_passes_straight_through_inside_of_the_range_and_stops_outside() -> None:
    x = torch.tensor([-3.0, -0.3, 0.2, 1.3, 130.0], requires_grad=True)
    (fake_quantize(x, torch.tensor(0.5), 2) * torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 2.0, 3.0, 4.0, 0.0]


def test_a_scale_learns_from_rounding_inside_and_from_the_ends_outside() -> None:
    # x / s = -6, -0.6, 0.4, 2.6, 260: below the range -2 (level 0), above it 253 (level 255), inside round(x / s) - x / s
    x, scale = torch.tensor([-3.0, -0.3, 0.2, 1.3, 130.0]), torch.tensor(0.5, requires_grad=True)
    fake_quantize(x, scale, 2).sum().backward()
    assert scale.grad is not None
    expected = (-2 + -0.4 + -0.4 + 0.4 + 253) / math.sqrt(5 * 255)
    assert math.isclose(scale.grad.item(), expected, rel_tol=1e-5)


def test_each_output_channel_has_its_own_scale() -> None:
    weights = torch.tensor([[1.27, -0.5], [-0.254, 0.1], [0.0, 0.0]]).reshape(3, 2, 1, 1)
    assert torch.allclose(weight_scales(weights), torch.tensor([0.01, 0.002, 1.0]))


def test_weights_become_whole_steps_of_their_channel_and_their_gradient_is_unchanged() -> None:
    # 0.503 / 0.01 = 50.3 and 0.0991 / 0.002 = 49.55: 50 and 50 steps
    weights = torch.tensor([[1.27, 0.503], [-0.254, 0.0991]], requires_grad=True)
    rounded = fake_round(weights, weight_scales(weights))
    assert torch.allclose(rounded, torch.tensor([[1.27, 0.50], [-0.254, 0.1]]), atol=1e-6)
    (rounded * torch.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    assert weights.grad is not None
    assert weights.grad.tolist() == [[1.0, 2.0], [3.0, 4.0]]
