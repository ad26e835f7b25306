"""Convolutional block attention module: which channels, then which places."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from BrainTumorSegLib.networks.blocks.poolings import channel_average, channel_maximum, global_average


class ChannelAttention(nn.Module):
    """`M_c = sigmoid(MLP(GAP F) + MLP(GMP F))`, output `M_c * F`; one MLP serves both poolings.

    System A's file sizes fit an MLP that is stored twice; ours is shared, as Woo et al. define it.

    Args:
        channels: of F.
        reduction: r; the MLP (1x1 convolutions with bias, ReLU between) has channels / r inner units, at least 1.

    Shapes: [N, channels, H, W] -> the same.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        inner = max(channels // reduction, 1)
        self.mlp = nn.Sequential(nn.Conv2d(channels, inner, 1), nn.ReLU(), nn.Conv2d(inner, channels, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean, largest = global_average(x, self.training), F.adaptive_max_pool2d(x, 1)
        return x * torch.sigmoid(self.mlp(mean) + self.mlp(largest))


class SpatialAttention(nn.Module):
    """`M_s = sigmoid(conv([mean_c F; max_c F]))`, output `M_s * F`; the convolution has one output and no bias.

    Args:
        kernel: 7 in systems A and B; system D names 7 or 3.

    Shapes: [N, C, H, W] -> the same.
    """

    def __init__(self, kernel: int = 7) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        summary = torch.cat([channel_average(x, self.training), channel_maximum(x, self.training)], 1)  # [N, 2, H, W]
        return x * torch.sigmoid(self.convolution(summary))


class CBAM(nn.Sequential):
    """`ChannelAttention`, then `SpatialAttention` (Woo et al. 2018, doi:10.1007/978-3-030-01234-2_1).

    Args:
        channels: of the features.
        reduction: of the channel MLP: 8 in system A, elsewhere 16 (Woo et al.), where the papers are silent.
        kernel: of the spatial convolution.

    Shapes: [N, channels, H, W] -> the same.
    """

    def __init__(self, channels: int, reduction: int = 16, kernel: int = 7) -> None:
        super().__init__(ChannelAttention(channels, reduction), SpatialAttention(kernel))
