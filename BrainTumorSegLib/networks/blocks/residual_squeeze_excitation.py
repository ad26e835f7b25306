"""The encoder block of system C."""

from __future__ import annotations

import torch
from torch import nn

from BrainTumorSegLib.networks.blocks.residual import ConvBlock
from BrainTumorSegLib.networks.blocks.squeeze_excitation import SqueezeExcitation


class ResidualSqueezeExcitation(nn.Module):
    """ResSE: `F = X + R(X)`, R two (3x3 convolution, BN, ReLU), then squeeze-and-excitation of F.

    System C (ResSE-LKA-UNet, 2026). X passes a 1x1 convolution where the channels change. The ratio of the excitation
    is not printed; 16 is that of Hu et al.

    Shapes: [N, in_channels, H, W] -> [N, out_channels, H, W].
    """

    def __init__(self, in_channels: int, out_channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.body = nn.Sequential(ConvBlock(in_channels, out_channels), ConvBlock(out_channels, out_channels))
        self.shortcut = nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)
        self.attention = SqueezeExcitation(out_channels, reduction)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.attention(self.shortcut(x) + self.body(x))
