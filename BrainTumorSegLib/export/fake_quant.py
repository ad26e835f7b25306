"""Rounding as int8 rounds, in float and with gradients: what a network has to learn with if it is to be quantized.

Jacob et al. 2018 (doi:10.1109/CVPR.2018.00286), with the learned steps of Esser et al. 2020 (LSQ, arXiv:1902.08153).
"""

from __future__ import annotations

import math
from typing import Any

import torch

LEVELS = 255
"""Largest uint8, and as many steps as a range has."""
_WEIGHT_LEVELS = 127  # onnxruntime leaves -128 out where weights are symmetric


class _FakeQuantize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, scale: torch.Tensor, zero_point: int) -> torch.Tensor:
        y = (x / scale).round_().clamp_(-zero_point, LEVELS - zero_point).mul_(scale)
        ctx.save_for_backward(x, y, scale)
        ctx.zero_point = zero_point
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        (gradient,) = gradients
        x, y, scale = ctx.saved_tensors
        inside = (x >= (-ctx.zero_point - 0.5) * scale) & (x <= (LEVELS - ctx.zero_point + 0.5) * scale)
        # with as many activations as there are, their sum would outweigh every weight's gradient: LSQ's 2.2 divides it
        of_scale = ((y - x * inside) * gradient).sum() / (scale * math.sqrt(x.numel() * LEVELS))
        return gradient * inside, of_scale, None


def fake_quantize(x: torch.Tensor, scale: torch.Tensor, zero_point: int) -> torch.Tensor:
    """`x` as QuantizeLinear and DequantizeLinear to uint8 leave it: `(clip(round(x / s) + z, 0, 255) - z) s`.

    Straight through: the gradient of `x` is passed on unchanged inside of the range and is 0 outside of it. That of `s` is
    LSQ's, `round(x / s) - x / s` inside and the end of the range outside, summed and divided by sqrt(255 n).

    Args:
        x: any shape, n elements. scale: s, one positive number. zero_point: z, 0 to 255.
    """
    return _FakeQuantize.apply(x, scale, zero_point)


def weight_scales(weights: torch.Tensor) -> torch.Tensor:
    """The step of each output channel of int8 weights [out, ...]: its largest magnitude is 127 of them. [out], without gradient."""
    scales = weights.detach().abs().flatten(1).amax(1) / _WEIGHT_LEVELS
    return scales.masked_fill(scales < torch.finfo(scales.dtype).tiny, 1.0)  # a channel of zeros, as onnxruntime has it


def fake_round(values: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    """`values` [out, ...] as whole multiples of each channel's step [out], with the gradient passed unchanged.

    Weights and biases have steps that leave none of them outside: those of a bias are int32.
    """
    with torch.no_grad():
        steps = steps.reshape(-1, *[1] * (values.ndim - 1))
        change = torch.round(values / steps) * steps - values
    return values + change
