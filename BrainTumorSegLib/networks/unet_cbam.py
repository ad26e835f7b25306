"""System D: U-Net with CBAM after every convolution block.

Pan, "Deep Learning-Based Medical Image Segmentation for Brain Tumors" (TCGA brain-tumor MRI).

The paper's Tables 1 and 3 end the way up at 128 channels, at half of the input's size; ours has the fourth step, to 64,
without which the output would be half size. They name no BN: it is a field here, and on, for every CBAM multiplies by
two sigmoids that start near 1/2, so that after nine of them without normalization a 4^-9 of the signal is left.
CBAM's ratio is not printed; 16 is that of Woo et al.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from BrainTumorSegLib.networks.blocks.cbam import CBAM
from BrainTumorSegLib.networks.blocks.up_convolution import UpConvolution
from BrainTumorSegLib.networks.initialization import initialize
from BrainTumorSegLib.networks.width import scaled

WIDTHS = (64, 128, 256, 512, 1024)


@dataclass(frozen=True)
class UNetCBAMConfig:
    """What makes one U-Net with CBAM.

    Attributes:
        in_channels: the three channels of a TCGA slice.
        out_channels: background and tumor, for softmax.
        width: share of all channels.
        batch_norm: BN after each 3x3 convolution.
        spatial_kernel: of CBAM's spatial convolution; the paper names 7 and 3.
    """

    in_channels: int = 3
    out_channels: int = 2
    width: float = 1.0
    batch_norm: bool = True
    spatial_kernel: int = 7


class AttendedBlock(nn.Sequential):
    """Two (3x3 convolution, BN where wanted, ReLU), then CBAM. [N, in, H, W] -> [N, out, H, W]."""

    def __init__(self, in_channels: int, out_channels: int, config: UNetCBAMConfig) -> None:
        layers: list[nn.Module] = []
        for before in (in_channels, out_channels):
            layers.append(nn.Conv2d(before, out_channels, 3, padding=1, bias=not config.batch_norm))
            if config.batch_norm:
                layers.append(nn.BatchNorm2d(out_channels))
            layers.append(nn.ReLU())
        super().__init__(*layers, CBAM(out_channels, reduction=16, kernel=config.spatial_kernel))


class UNetCBAM(nn.Module):
    """[N, in, H, W] -> logits [N, out, H, W]; H and W multiples of 16."""

    def __init__(self, config: UNetCBAMConfig) -> None:
        super().__init__()
        self.config = config
        widths = [scaled(w, config.width) for w in WIDTHS]
        self.down = nn.ModuleList(AttendedBlock(a, b, config) for a, b in zip([config.in_channels, *widths], widths))
        steps = list(zip(widths[:0:-1], widths[-2::-1]))
        self.up = nn.ModuleList(UpConvolution(deep, channels) for deep, channels in steps)
        self.blocks = nn.ModuleList(AttendedBlock(2 * channels, channels, config) for _, channels in steps)
        self.head = nn.Conv2d(widths[0], config.out_channels, 1)
        initialize(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skips: list[torch.Tensor] = []
        for block in self.down:
            x = block(F.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        x = skips.pop()
        for up, block in zip(self.up, self.blocks):
            x = block(torch.cat([up(x), skips.pop()], 1))
        return self.head(x)
