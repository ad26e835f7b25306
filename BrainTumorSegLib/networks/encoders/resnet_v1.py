"""ResNet-50 as He et al. 2016 published it (doi:10.1109/CVPR.2016.90) and Keras and Caffe keep it.

The stride of a stage is in the first 1x1 convolution of its first block (torchvision puts it in the 3x3 one), every
convolution has a bias, and BN's epsilon is 1e-3.
"""

from __future__ import annotations

import torch
from torch import nn

from BrainTumorSegLib.networks.width import scaled

_FILTERS, _BLOCKS = (64, 128, 256, 512), (3, 4, 6, 3)
EXPANSION = 4
EPSILON = 1e-3


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPSILON, momentum=0.01)


class BottleneckBlock(nn.Module):
    """1x1, 3x3 and 1x1 convolution, each with BN, beside a shortcut; ReLU between them and after the sum.

    Args:
        in_channels: of the input.
        filters: of the first two convolutions; the output has four times as many.
        stride: of the first convolution and of the shortcut.
        dilation: of the 3x3 convolution.
        projects: the shortcut is a 1x1 convolution with BN (the first block of a stage).

    Shapes: [N, in_channels, H, W] -> [N, 4 filters, H / stride, W / stride].
    """

    def __init__(self, in_channels: int, filters: int, stride: int, dilation: int, projects: bool) -> None:
        super().__init__()
        out_channels = EXPANSION * filters
        self.conv1, self.bn1 = nn.Conv2d(in_channels, filters, 1, stride), _norm(filters)
        self.conv2, self.bn2 = nn.Conv2d(filters, filters, 3, padding=dilation, dilation=dilation), _norm(filters)
        self.conv3, self.bn3 = nn.Conv2d(filters, out_channels, 1), _norm(out_channels)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride) if projects else nn.Identity()
        self.shortcut_bn = _norm(out_channels) if projects else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        return torch.relu(self.bn3(self.conv3(y)) + self.shortcut_bn(self.shortcut(x)))


class ResNetV1(nn.Module):
    """The convolutional part of ResNet-50.

    Args:
        in_channels: of the image; ImageNet files have 3.
        width: share of the channels; ImageNet weights fit 1.0.
        last_stage: 5 for the whole of it, 4 to leave out the last stage, as system B does.
        output_stride: 32; at 16 or 8 the last stages dilate instead of striding (Chen et al. 2017, arXiv:1706.05587).

    Shapes: [N, in_channels, H, W], H and W multiples of 32 -> one map from the stem and one from each stage, at 1/2, 1/4
    and so on of the size, down to 1/output_stride, with `channels` channels. `parts` are the steps from map to map.
    """

    def __init__(self, in_channels: int = 3, width: float = 1.0, last_stage: int = 5, output_stride: int = 32) -> None:
        super().__init__()
        if output_stride not in (8, 16, 32):
            raise ValueError(f"output_stride is {output_stride}, but the last stages can be dilated for 8, 16 or 32 only; choose one of them")
        self.width = width
        previous = scaled(64, width)
        stem = nn.Sequential(nn.Conv2d(in_channels, previous, 7, stride=2, padding=3), _norm(previous), nn.ReLU())
        self.parts = nn.ModuleList([stem])
        channels, reached, dilation = [previous], 4, 1
        for stage in range(2, last_stage + 1):
            filters, count = scaled(_FILTERS[stage - 2], width), _BLOCKS[stage - 2]
            stride = 1 if stage == 2 or reached == output_stride else 2
            if stage > 2:
                reached, dilation = reached * stride, dilation * (2 // stride)
            blocks: list[nn.Module] = [nn.MaxPool2d(3, 2, padding=1)] if stage == 2 else []
            for i in range(count):
                blocks.append(BottleneckBlock(previous, filters, stride if i == 0 else 1, dilation, projects=i == 0))
                previous = EXPANSION * filters
            self.parts.append(nn.Sequential(*blocks))
            channels.append(previous)
        self.channels = tuple(channels)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        maps = []
        for part in self.parts:
            x = part(x)
            maps.append(x)
        return maps
