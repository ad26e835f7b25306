"""The decoder's residual block and its learned up-sampling."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn


class ConvBlock(nn.Sequential):
    """3x3 convolution, batch normalization, ReLU. [N, in, H, W] -> [N, out, H, W]."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class ResidualBlock(nn.Module):
    """Two `ConvBlock`s beside a 1x1 shortcut, as in system A's decoder. [N, in, H, W] -> [N, out, H, W]."""

    def __init__(self, in_channels: int, out_channels: int, dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(ConvBlock(in_channels, out_channels), ConvBlock(out_channels, out_channels))
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dropout(self.body(x) + self.shortcut(x))


class UpSample(nn.Sequential):
    """Learned doubling of the size: a convolution to 4 x out channels, then depth to space.

    With kernel 1 it equals a transposed convolution with kernel 2 and stride 2 exactly, and runs in int8 where that
    does not. [N, in, H, W] -> [N, out, 2H, 2W].
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 1) -> None:
        super().__init__(nn.Conv2d(in_channels, 4 * out_channels, kernel, padding=kernel // 2), nn.PixelShuffle(2))

    def start_at(self, value: float) -> None:
        """Begin with nearly the same output everywhere: small weights and the bias `value`."""
        nn.init.normal_(self._convolution.weight, std=0.01)
        nn.init.constant_(self._bias, value)

    def keep(self, count: int) -> None:
        """Drop all output channels but the first `count`; channel c owns the maps 4c to 4c + 3 before depth to space."""
        old = self._convolution
        new = UpSample(old.in_channels, count, old.kernel_size[0])
        with torch.no_grad():
            new._convolution.weight.copy_(old.weight[: 4 * count])
            new._bias.copy_(self._bias[: 4 * count])
        self[0] = new[0]

    @property
    def _convolution(self) -> nn.Conv2d:
        return cast(nn.Conv2d, self[0])

    @property
    def _bias(self) -> torch.Tensor:
        return cast(torch.Tensor, self._convolution.bias)
