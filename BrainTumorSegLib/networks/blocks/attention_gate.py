"""Additive attention gate on a skip connection."""

from __future__ import annotations

import torch
from torch import nn


class AttentionGate(nn.Module):
    """Weighs every position of a skip by how much the coarser features ask for it.

    `theta = W_x x`, `phi = W_g g`, `alpha = sigmoid(W_f act(theta + phi))`, output `x * alpha`; every W is a 1x1
    convolution and alpha has one channel. Aprianto & Riana 2025 (doi:10.21512/commit.v19i2.13177) after Oktay et
    al. 2018 (arXiv:1804.03999). The gate has the skip's spatial size, so nothing is resampled inside.

    Args:
        skip_channels: channels of the skip x.
        gate_channels: channels of the gating features g.
        inner_channels: channels of theta and phi.
        negative_slope: slope of the leaky ReLU; the paper has 0.1, 0 (a plain ReLU) folds into int8 kernels.
        normalize: batch normalization of theta and phi, as in Oktay et al.'s program; without it the sum can grow until
            the sigmoid is shut or open everywhere and teaches nothing.

    Shapes: x [N, skip_channels, H, W], g [N, gate_channels, H, W] -> [N, skip_channels, H, W].
    """

    def __init__(self, skip_channels: int, gate_channels: int, inner_channels: int, negative_slope: float = 0.1, normalize: bool = False) -> None:
        super().__init__()
        self.skip_projection: nn.Module = nn.Conv2d(skip_channels, inner_channels, 1, bias=False)
        self.gate_projection: nn.Module = nn.Conv2d(gate_channels, inner_channels, 1, bias=not normalize)
        if normalize:
            self.skip_projection = nn.Sequential(self.skip_projection, nn.BatchNorm2d(inner_channels))
            self.gate_projection = nn.Sequential(self.gate_projection, nn.BatchNorm2d(inner_channels))
        self.activation = nn.LeakyReLU(negative_slope) if negative_slope else nn.ReLU()
        self.attention = nn.Conv2d(inner_channels, 1, 1)

    def forward(self, skip: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
        features = self.activation(self.skip_projection(skip) + self.gate_projection(gate))
        alpha = torch.sigmoid(self.attention(features))  # [N, 1, H, W]
        return skip * alpha
