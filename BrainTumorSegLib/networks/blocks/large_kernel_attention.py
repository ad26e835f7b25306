"""Large kernel attention: every position is weighed by a wide neighborhood, at the cost of depth-wise convolutions."""

from __future__ import annotations

import torch
from torch import nn


class LargeKernelAttention(nn.Module):
    """`A = sigmoid(BN(conv1x1(dw7x7(dw5x5(X)))))`, output `X * A`.

    System C (ResSE-LKA-UNet, 2026) after Guo et al. 2023 (doi:10.1007/s41095-023-0364-2), whose 7x7 convolution has
    dilation 3 and who use neither normalization nor sigmoid; the paper's own equation wins, so dilation is 1 here.

    Shapes: [N, channels, H, W] -> the same.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(channels, channels, 5, padding=2, groups=channels)
        self.far = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.mix = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast(x.device.type, enabled=False):  # a CPU's backward pass of depth-wise convolutions takes two to three times as long in bfloat16
            wide = self.far(self.near(x.float()))
        return x * torch.sigmoid(self.norm(self.mix(wide)))
