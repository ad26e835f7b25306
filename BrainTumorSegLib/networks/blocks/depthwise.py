"""Depth-wise convolutions that train fast on processors with bfloat16."""

from __future__ import annotations

import torch
from torch import nn


class DepthwiseConv2d(nn.Conv2d):
    """`torch.nn.Conv2d` of one group per channel, computed in float32 under autocast too; the output has the input's type.

    The backward pass of depth-wise convolutions takes a CPU two to three times as long in bfloat16: a step of an
    EfficientNet-Lite takes two thirds of the time this way.

    Args:
        channels: of input and output.
        kernel: odd side; zero padding of half of it keeps the size at stride 1.
        stride: of the convolution.
        bias: whether there is one.

    Shapes: [N, channels, H, W] -> [N, channels, H / stride, W / stride], rounded up.
    """

    def __init__(self, channels: int, kernel: int, stride: int = 1, bias: bool = True) -> None:
        super().__init__(channels, channels, kernel, stride, kernel // 2, groups=channels, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float()).to(x.dtype)
