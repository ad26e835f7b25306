"""Squeeze-and-excitation: one weight per channel."""

from __future__ import annotations

import torch
from torch import nn

from BrainTumorSegLib.networks.blocks.poolings import global_average


class SqueezeExcitation(nn.Module):
    """`z = GAP(X)`, `s = sigmoid(W2 ReLU(W1 z))`, output `s * X`.

    Hu et al. 2018 (doi:10.1109/CVPR.2018.00745), as systems A, B and C have it. W1 and W2 are 1x1 convolutions with bias
    on the pooled map, which is what a dense layer is there and what int8 kernels know.

    Args:
        channels: of X.
        reduction: r; the inner width is channels / r, at least 1.

    Shapes: [N, channels, H, W] -> the same.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        inner = max(channels // reduction, 1)
        self.squeeze = nn.Conv2d(channels, inner, 1)
        self.excite = nn.Conv2d(inner, channels, 1)

    def weights(self, x: torch.Tensor) -> torch.Tensor:
        """s, [N, channels, H, W] -> [N, channels, 1, 1]."""
        z = global_average(x, self.training)
        return torch.sigmoid(self.excite(torch.relu(self.squeeze(z))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weights(x)
