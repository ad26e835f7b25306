"""Means and maxima over the maps or the channels of features, in a form that trains fast and in a form that exports well.

PyTorch writes the gradient of a mean out in channels-first order, whatever the order of the features is; adding that to
the other gradients of channels-last features took a fifth of a training step of a U-Net with CBAM. The gradient of a
sum is a view of one number for each mean and costs nothing. Exported, the mean is one operator that int8 kernels know.

The gradient of `Tensor.amax` compares in booleans and counts in int64, which took another seventh of such a step; in the
features' own type it is a third of that.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


def global_average(x: torch.Tensor, training: bool) -> torch.Tensor:
    """Mean of each map. [N, C, H, W] -> [N, C, 1, 1]."""
    if training:
        return x.sum((2, 3), keepdim=True) / (x.shape[2] * x.shape[3])
    return F.adaptive_avg_pool2d(x, 1)


def channel_average(x: torch.Tensor, training: bool) -> torch.Tensor:
    """Mean of the channels at each place. [N, C, H, W] -> [N, 1, H, W]."""
    if training:
        return x.sum(1, keepdim=True) / x.shape[1]
    return x.mean(1, keepdim=True)


def channel_maximum(x: torch.Tensor, training: bool) -> torch.Tensor:
    """Largest of the channels at each place; channels that share it share its gradient. [N, C, H, W] -> [N, 1, H, W]."""
    if training:
        return _ChannelMaximum.apply(x)
    return x.amax(1, keepdim=True)


class _ChannelMaximum(torch.autograd.Function):
    """`Tensor.amax` over the channels, with its gradient worked out in the type of the features (not float16, which is too coarse)."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        largest = x.amax(1, keepdim=True)
        ctx.save_for_backward(x, largest)
        return largest

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        x, largest = ctx.saved_tensors
        steep = torch.finfo(x.dtype).max
        share = torch.relu_((x - largest).mul_(steep).add_(1))  # 1 at the largest, 0 elsewhere, without a comparison
        return share.mul_(gradient / share.sum(1, keepdim=True))
