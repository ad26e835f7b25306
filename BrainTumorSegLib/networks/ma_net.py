"""MA-Net on ResNet-50, one of the networks that system D is compared with.

Fan et al. 2020, "MA-Net: A Multi-Scale Attention Network for Liver and Tumor Segmentation", IEEE Access 8,
doi:10.1109/ACCESS.2020.3025372. Decoder widths 256-128-64-32-16, those of the implementations in use.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from BrainTumorSegLib.networks.blocks.residual import ConvBlock
from BrainTumorSegLib.networks.blocks.squeeze_excitation import SqueezeExcitation
from BrainTumorSegLib.networks.encoders.resnet_v1 import ResNetV1
from BrainTumorSegLib.networks.initialization import initialize
from BrainTumorSegLib.networks.width import scaled


@dataclass(frozen=True)
class MANetConfig:
    """What makes one MA-Net.

    Attributes:
        in_channels, out_channels: of the image, and logit maps.
        width: share of all channels; the last layer keeps at least 16.
        reduction: of the channel attention in the decoder.
    """

    in_channels: int = 3
    out_channels: int = 2
    width: float = 1.0
    reduction: int = 16


class PositionAttention(nn.Module):
    """Position-wise attention block: every position takes from all others what resembles it.

    `S = softmax(K^T Q)` over the positions taken from, output `conv3x3(X + V S)`; Q and K are 1x1 convolutions to 64
    channels, V a 3x3 one.

    Shapes: [N, channels, H, W] -> the same.
    """

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, inner, 1)
        self.key = nn.Conv2d(channels, inner, 1)
        self.value = nn.Conv2d(channels, channels, 3, padding=1)
        self.output = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = (layer(x).flatten(2) for layer in (self.query, self.key, self.value))  # [N, C, H W]
        similarity = torch.softmax(key.transpose(1, 2) @ query, 1)  # [N, from, to]
        return self.output(x + (value @ similarity).view_as(x))


class MultiScaleFusion(nn.Module):
    """Multi-scale fusion attention block: channels weighed by what the deep features and the skip say together.

    The weights of squeeze-and-excitation of both are added, and weigh the deep features.

    Shapes: x [N, in_channels, H, W], skip [N, skip_channels, 2H, 2W] -> [N, out_channels, 2H, 2W].
    """

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int, reduction: int) -> None:
        super().__init__()
        project = [nn.Conv2d(in_channels, skip_channels, 1, bias=False), nn.BatchNorm2d(skip_channels), nn.ReLU()]
        self.deep = nn.Sequential(ConvBlock(in_channels, in_channels), *project)
        self.deep_weights = SqueezeExcitation(skip_channels, reduction)
        self.skip_weights = SqueezeExcitation(skip_channels, reduction)
        self.blocks = nn.Sequential(ConvBlock(2 * skip_channels, out_channels), ConvBlock(out_channels, out_channels))

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        x = F.interpolate(self.deep(x), scale_factor=2.0, mode="nearest")
        x = x * (self.deep_weights.weights(x) + self.skip_weights.weights(skip))
        return self.blocks(torch.cat([x, skip], 1))


class MANet(nn.Module):
    """[N, in, H, W] -> logits [N, out, H, W]; H and W multiples of 32."""

    def __init__(self, config: MANetConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = ResNetV1(config.in_channels, config.width)
        *skips, previous = self.encoder.channels
        widths = [scaled(w, config.width) for w in (256, 128, 64, 32)]
        last = max(16, scaled(16, config.width))  # of eight all became zero in most of a tumor: Dice 0.0009 after 16 epochs of paper-d
        self.center = PositionAttention(previous, scaled(64, config.width))
        self.steps = nn.ModuleList()
        for skip, channels in zip(reversed(skips), widths):
            self.steps.append(MultiScaleFusion(previous, skip, channels, config.reduction))
            previous = channels
        self.last = nn.Sequential(ConvBlock(previous, last), ConvBlock(last, last))
        self.head = nn.Conv2d(last, config.out_channels, 3, padding=1)
        initialize(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        *skips, x = self.encoder(x)
        x = self.center(x)
        for step in self.steps:
            x = step(x, skips.pop())
        return self.head(self.last(F.interpolate(x, scale_factor=2.0, mode="nearest")))
