"""System C: U-Net of residual squeeze-and-excitation blocks and large kernel attention, with deep supervision.

"Residual Squeeze-and-Excitation Large Kernel Attention U-Net" (ResSE-LKA-UNet), IIETA 2026, CC BY 4.0.

The paper prints neither widths nor the number of levels; ours are five, 32-64-128-256-512, those of nnU-Net's 2-D
baseline on which it is built, with its 2x2 transposed convolutions. Levels are left by 2x2 max-pooling. The fifth level
is the bottleneck: ResSE and LKA as in every encoder level, then context extraction.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from BrainTumorSegLib.networks.blocks.context_extraction import ContextExtraction
from BrainTumorSegLib.networks.blocks.large_kernel_attention import LargeKernelAttention
from BrainTumorSegLib.networks.blocks.residual import ConvBlock, UpSample
from BrainTumorSegLib.networks.blocks.residual_squeeze_excitation import ResidualSqueezeExcitation
from BrainTumorSegLib.networks.initialization import initialize
from BrainTumorSegLib.networks.width import scaled

WIDTHS = (32, 64, 128, 256, 512)


@dataclass(frozen=True)
class ResSELKAUNetConfig:
    """What makes one ResSE-LKA-UNet.

    Attributes:
        in_channels: FLAIR, T1, T1ce, T2.
        out_channels: background, NCR, ED, ET.
        width: share of all channels.
        deep_supervision: three auxiliary heads, in training only.
    """

    in_channels: int = 4
    out_channels: int = 4
    width: float = 1.0
    deep_supervision: bool = True


class ResSELKAUNet(nn.Module):
    """[N, in, H, W] -> logits [N, out, H, W]; H and W multiples of 16.

    In training with deep supervision it returns four such maps instead: the main one, then those of the auxiliary heads
    at 1/2 (the paper's ds4), 1/4 (ds3) and 1/8 (ds2) of the size, up-sampled to full size. In evaluation the heads are
    not computed, so that the exported graph has none of them.
    """

    def __init__(self, config: ResSELKAUNetConfig) -> None:
        super().__init__()
        self.config = config
        widths = [scaled(w, config.width) for w in WIDTHS]
        self.levels = nn.ModuleList()
        for before, channels in zip([config.in_channels, *widths], widths):
            self.levels.append(nn.Sequential(ResidualSqueezeExcitation(before, channels), LargeKernelAttention(channels)))
        self.context = ContextExtraction(widths[-1])
        self.up, self.blocks = nn.ModuleList(), nn.ModuleList()
        for deep, channels in zip(widths[:0:-1], widths[-2::-1]):
            self.up.append(UpSample(deep, channels))
            self.blocks.append(nn.Sequential(ConvBlock(2 * channels, channels), ConvBlock(channels, channels)))
        self.head = nn.Conv2d(widths[0], config.out_channels, 1)
        self.auxiliary = nn.ModuleList(nn.Conv2d(c, config.out_channels, 1) for c in widths[1:4] if config.deep_supervision)  # finest first
        initialize(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        size = x.shape[2:]
        skips: list[torch.Tensor] = []
        for level in self.levels:
            x = level(F.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        x = self.context(skips.pop())
        decoded = []
        for up, block in zip(self.up, self.blocks):
            x = block(torch.cat([up(x), skips.pop()], 1))
            decoded.append(x)
        main = self.head(decoded.pop())
        if not self.training or not self.config.deep_supervision:
            return main
        maps = zip(self.auxiliary, reversed(decoded))
        return (main, *(F.interpolate(head(y), size=size, mode="bilinear", align_corners=False) for head, y in maps))
