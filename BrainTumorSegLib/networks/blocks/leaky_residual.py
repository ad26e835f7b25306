"""System A's decoder block, with the layers that the sizes of the published files tell."""

from __future__ import annotations

import torch
from torch import nn


class LeakyConvBlock(nn.Sequential):
    """3x3 convolution with bias, BN (Keras's momentum), LeakyReLU 0.1. [N, in, H, W] -> [N, out, H, W].

    The bias does nothing before BN, but Keras's default has it and the published parameter count includes it.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=1),
            nn.BatchNorm2d(out_channels, eps=1e-3, momentum=0.01),
            nn.LeakyReLU(0.1),
        )


class LeakyResidualBlock(nn.Module):
    """`dropout(attention(two LeakyConvBlocks(X)) + conv1x1(X))`.

    Aprianto & Riana 2025 (doi:10.21512/commit.v19i2.13177). SE or CBAM stands on the branch before the sum, where Hu et
    al. and Woo et al. put it in residual networks. The paper has BN and LeakyReLU after the sum "optionally": not here,
    since only without them (and with Keras's default biases) does a plain block give the published file size. Neither
    rate nor place of the dropout is printed: whole maps, after the sum.

    Args:
        attention: keeps the shape of its input; `nn.Identity()` for none.
        dropout: share of the maps left out in training.

    Shapes: [N, in_channels, H, W] -> [N, out_channels, H, W].
    """

    def __init__(self, in_channels: int, out_channels: int, attention: nn.Module, dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(LeakyConvBlock(in_channels, out_channels), LeakyConvBlock(out_channels, out_channels))
        self.attention = attention
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dropout(self.attention(self.body(x)) + self.shortcut(x))
