"""Context extraction at the bottleneck: a point, its neighbors and the whole map."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class ContextExtraction(nn.Module):
    """`ReLU(BN(conv1x1(X) + conv3x3(X) + conv1x1(GAP X)))`, the last term the same everywhere.

    System C (ResSE-LKA-UNet, 2026), section 2.2.4. Its section 2.2.1 calls these features dilated; the equation has a
    plain 3x3 convolution, and so has this block. The convolutions have no bias, for the normalization would remove it.

    Shapes: [N, channels, H, W] -> the same.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.point = nn.Conv2d(channels, channels, 1, bias=False)
        self.near = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.whole = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        context = self.whole(F.adaptive_avg_pool2d(x, 1))  # [N, C, 1, 1], broadcast
        return torch.relu(self.norm(self.point(x) + self.near(x) + context))
