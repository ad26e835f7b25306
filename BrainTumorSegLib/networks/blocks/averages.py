"""Means over the maps or the channels of features, in a form that trains fast and in a form that exports well.

PyTorch writes the gradient of a mean out in channels-first order, whatever the order of the features is; adding that to
the other gradients of channels-last features took a fifth of a training step of a U-Net with CBAM. The gradient of a
sum is a view of one number for each mean and costs nothing. Exported, the mean is one operator that int8 kernels know.
"""

from __future__ import annotations

import torch
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
