"""The decoder block of system B."""

from __future__ import annotations

import torch
from torch import nn

from BrainTumorSegLib.networks.blocks.depthwise import DepthwiseConv2d


class ResNeXtBlock(nn.Module):
    """`ReLU(expand1x1(depth-wise3x3(reduce1x1(X))) + shortcut(X))`, each convolution with BN, ReLU between them.

    Xie et al. 2017 (doi:10.1109/CVPR.2017.634): the inner width is half of the output's. System B (Ali et al. 2025)
    writes "grouped / depth-wise": one group per channel here. The shortcut is a 1x1 convolution with BN.

    Shapes: [N, in_channels, H, W] -> [N, out_channels, H, W].
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        inner = max(out_channels // 2, 1)
        self.branch = nn.Sequential(
            nn.Conv2d(in_channels, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            DepthwiseConv2d(inner, 3, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Conv2d(inner, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.shortcut = nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.branch(x) + self.shortcut(x))
