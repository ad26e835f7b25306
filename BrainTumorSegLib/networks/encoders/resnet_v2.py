"""ResNet-50 with pre-activation, laid out as Keras's `ResNet50V2`, so that its file fits layer by layer.

He et al. 2016 (doi:10.1007/978-3-319-46493-0_38). Keras strides in the last block of a stage, where the 3x3 convolution
carries the stride and the shortcut is a 1x1 max-pool of the same stride; the first two convolutions of a block have no
bias. torchvision has no pre-activation ResNet-50.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from BrainTumorSegLib.networks.width import scaled

_FILTERS, _BLOCKS, _STRIDES = (64, 128, 256, 512), (3, 4, 6, 3), (2, 2, 2, 1)
EXPANSION = 4


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1.001e-5, momentum=0.01)


class PreActivationBlock(nn.Module):
    """BN and ReLU before each of the 1x1, 3x3 and 1x1 convolutions, beside a shortcut.

    Args:
        in_channels: of the input.
        filters: of the first two convolutions; the output has four times as many.
        stride: of the 3x3 convolution and of the shortcut.
        projects: the shortcut is a 1x1 convolution of the pre-activated input (the first block of a stage).

    Shapes: [N, in_channels, H, W] -> output [N, 4 filters, H / stride, W / stride] and what the first convolution gives
    (Keras's `..._1_conv`, before its BN), [N, filters, H, W].
    """

    def __init__(self, in_channels: int, filters: int, stride: int, projects: bool) -> None:
        super().__init__()
        self.stride = stride
        self.preact_bn = _norm(in_channels)
        self.shortcut = nn.Conv2d(in_channels, EXPANSION * filters, 1) if projects else None
        self.conv1 = nn.Conv2d(in_channels, filters, 1, bias=False)
        self.bn1 = _norm(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, stride, padding=1, bias=False)
        self.bn2 = _norm(filters)
        self.conv3 = nn.Conv2d(filters, EXPANSION * filters, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        active = torch.relu(self.preact_bn(x))
        shortcut = x if self.shortcut is None else self.shortcut(active)
        if self.stride > 1:
            shortcut = F.max_pool2d(shortcut, 1, self.stride)
        reduced = self.conv1(active)
        y = torch.relu(self.bn2(self.conv2(torch.relu(self.bn1(reduced)))))
        return shortcut + self.conv3(y), reduced


class ResNetV2(nn.Module):
    """The convolutional part of ResNet50V2, with the outputs that system A takes.

    Args:
        in_channels: of the image; Keras's file has 3.
        width: share of the channels; ImageNet weights fit 1.0.

    Shapes: [N, in_channels, H, W], H and W multiples of 32 -> five maps with `channels` channels at 1/2 to 1/32 size:
    Keras's `conv1_conv`, `conv2_block3_1_conv`, `conv3_block4_1_conv`, `conv4_block5_out` and `post_bn`.
    """

    def __init__(self, in_channels: int = 3, width: float = 1.0) -> None:
        super().__init__()
        self.width = width
        stem, filters = scaled(64, width), [scaled(f, width) for f in _FILTERS]
        self.conv1 = nn.Conv2d(in_channels, stem, 7, stride=2, padding=3)
        self.stages = nn.ModuleList()
        previous = stem
        for f, count, stride in zip(filters, _BLOCKS, _STRIDES):
            blocks = nn.ModuleList()
            for i in range(count):
                blocks.append(PreActivationBlock(previous, f, stride if i == count - 1 else 1, projects=i == 0))
                previous = EXPANSION * f
            self.stages.append(blocks)
        self.post_bn = _norm(previous)
        self.channels = (stem, filters[0], filters[1], EXPANSION * filters[2], previous)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        x = self.conv1(x)
        maps = [x]
        x = F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 3, 2)  # zeros, as Keras pads, not the -inf of a padded pooling
        for i, stage in enumerate(self.stages):
            for block in cast(nn.ModuleList, stage):
                before = x
                x, reduced = block(x)
            if i < 2:
                maps.append(reduced)  # of the last block, which still has the stage's full size
            elif i == 2:
                maps.append(before)  # the output of the block before the one that strides
        return [*maps, self.post_bn(x)]
