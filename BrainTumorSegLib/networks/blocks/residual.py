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
    """Two 3x3 convolutions beside a 1x1 shortcut, all normalized: `relu(body(x) + shortcut(x))`. [N, in, H, W] -> [N, out, H, W].

    He et al. 2016 (doi:10.1109/CVPR.2016.90). A shortcut without normalization (system A's) grew with every stage to
    twenty times the body's size here, so that the body taught next to nothing.
    """

    def __init__(self, in_channels: int, out_channels: int, dropout: float) -> None:
        super().__init__()
        second = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.body = nn.Sequential(ConvBlock(in_channels, out_channels), second, nn.BatchNorm2d(out_channels))
        self.shortcut = nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels))
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dropout(torch.relu(self.body(x) + self.shortcut(x)))


class UpSample(nn.Sequential):
    """Learned doubling of the size: a convolution to 4 x out channels, then depth to space.

    With kernel 1 it equals a transposed convolution with kernel 2 and stride 2 exactly, and runs in int8 where that
    does not. `normalize` puts batch normalization between the two, where it folds into the convolution.
    [N, in, H, W] -> [N, out, 2H, 2W].
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 1, normalize: bool = False) -> None:
        convolution = nn.Conv2d(in_channels, 4 * out_channels, kernel, padding=kernel // 2, bias=not normalize)
        normalization = [nn.BatchNorm2d(4 * out_channels)] if normalize else []
        super().__init__(convolution, *normalization, nn.PixelShuffle(2))

    def start_at(self, value: float, spread: float) -> None:
        """Begin at the output `value` on average, with weights of this standard deviation."""
        nn.init.normal_(self._convolution.weight, std=spread)
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
