"""DeepLabV3 on ResNet-50, one of the networks that system D is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from BrainTumorSegLib.networks.encoders.resnet_v1 import ResNetV1
from BrainTumorSegLib.networks.initialization import initialize
from BrainTumorSegLib.networks.width import scaled


@dataclass(frozen=True)
class DeepLabV3Config:
    """What makes one DeepLabV3.

    Attributes:
        in_channels, out_channels: of the image, and logit maps.
        width: share of all channels.
        rates: dilations of the pyramid at output stride 16.
    """

    in_channels: int = 3
    out_channels: int = 2
    width: float = 1.0
    rates: tuple[int, int, int] = (6, 12, 18)


def _conv_bn_relu(in_channels: int, out_channels: int, dilation: int = 0) -> nn.Sequential:
    """1x1 convolution, or a dilated 3x3 one, with BN and ReLU."""
    kernel = 3 if dilation else 1
    convolution = nn.Conv2d(in_channels, out_channels, kernel, padding=dilation, dilation=max(dilation, 1), bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels), nn.ReLU())


class AtrousSpatialPyramid(nn.Module):
    """1x1 convolution, three dilated 3x3 ones and the image's mean side by side, joined by a 1x1 convolution.

    Shapes: [N, in_channels, H, W] -> [N, out_channels, H, W].
    """

    def __init__(self, in_channels: int, out_channels: int, rates: tuple[int, int, int]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(_conv_bn_relu(in_channels, out_channels, rate) for rate in (0, *rates))
        self.image = _conv_bn_relu(in_channels, out_channels)
        self.join = _conv_bn_relu(5 * out_channels, out_channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = [branch(x) for branch in self.branches]
        image = self.image(F.adaptive_avg_pool2d(x, 1))  # [N, C, 1, 1]
        return self.join(torch.cat([*maps, image.expand_as(maps[0])], 1))


class DeepLabV3(nn.Module):
    """[N, in, H, W] -> logits [N, out, H, W]; H and W multiples of 16. Training needs at least two slices a batch.

    Chen et al. 2017 (arXiv:1706.05587): output stride 16 by dilating the encoder's last stage, 256 channels in the
    pyramid, logits up-sampled 16 times. Its multi-grid is left out: all blocks of the stage have the same dilation.
    """

    def __init__(self, config: DeepLabV3Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = ResNetV1(config.in_channels, config.width, output_stride=16)
        channels = scaled(256, config.width)
        self.pyramid = AtrousSpatialPyramid(self.encoder.channels[-1], channels, config.rates)
        self.head = nn.Conv2d(channels, config.out_channels, 1)
        initialize(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = self.head(self.pyramid(self.encoder(x)[-1]))
        return F.interpolate(logits, scale_factor=16.0, mode="bilinear", align_corners=False)
