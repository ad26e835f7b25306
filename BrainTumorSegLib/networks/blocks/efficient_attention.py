"""System B's gate on a skip connection."""

from __future__ import annotations

import torch
from torch import nn


class EfficientAttention(nn.Module):
    """`psi = sigmoid(W_psi ReLU(W_x X + W_g G))`, output `X * psi`; every W is a 1x1 convolution and psi has one channel.

    Ali et al. 2025: "1x1 convolution to fewer channels, additive branch, ReLU, 1x1 convolution, sigmoid". The paper does
    not say what is added nor how few channels: here the additive branch brings the decoder's features of the same size,
    as in the attention gates that its notation follows (Oktay et al. 2018, arXiv:1804.03999), in a quarter of the
    skip's channels, half of what those have, for the gate is called efficient.

    Args:
        skip_channels: channels of the skip X.
        gate_channels: channels of the decoder's features G.

    Shapes: X [N, skip_channels, H, W], G [N, gate_channels, H, W] -> [N, skip_channels, H, W].
    """

    def __init__(self, skip_channels: int, gate_channels: int) -> None:
        super().__init__()
        inner = max(skip_channels // 4, 1)
        self.skip_projection = nn.Conv2d(skip_channels, inner, 1, bias=False)
        self.gate_projection = nn.Conv2d(gate_channels, inner, 1)
        self.attention = nn.Conv2d(inner, 1, 1)

    def forward(self, skip: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
        features = torch.relu(self.skip_projection(skip) + self.gate_projection(gate))
        return skip * torch.sigmoid(self.attention(features))
