"""Large kernel attention: every position is weighed by a wide neighborhood, at the cost of depth-wise convolutions."""

from __future__ import annotations

import torch
from torch import nn

from BrainTumorSegLib.networks.blocks.depthwise import DepthwiseConv2d


class LargeKernelAttention(nn.Module):
    """`A = sigmoid(BN(conv1x1(dw7x7(dw5x5(X)))))`, output `X * A`.

    System C (ResSE-LKA-UNet, 2026) after Guo et al. 2023 (doi:10.1007/s41095-023-0364-2), whose 7x7 convolution has
    dilation 3 and who use neither normalization nor sigmoid; the paper's own equation wins, so dilation is 1 here.

    Shapes: [N, channels, H, W] -> the same.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.near = DepthwiseConv2d(channels, 5)
        self.far = DepthwiseConv2d(channels, 7)
        self.mix = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(self.norm(self.mix(self.far(self.near(x)))))
