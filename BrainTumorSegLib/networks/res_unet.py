"""System A: Res-UNet on ResNet50V2, with none, AG, SE or CBAM attention.

Aprianto & Riana, "Brain Tumor Segmentation Meets Efficiency: Res-UNet Improved by Attention Mechanisms and
Quantization", CommIT Journal 19(2), 293-314, 2025, doi:10.21512/commit.v19i2.13177.

What the paper does not print, its file sizes tell: decoder widths 256-128-64-32-16 and transposed convolutions of 3x3
give 33,186,385 parameters in Keras's count (BatchNorm has four vectors) = 126.6 MiB against the paper's 126.49, with
biases in all layers of the decoder, as is Keras's default. Attention gates have half the gate's channels inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from BrainTumorSegLib.networks.blocks.attention_gate import AttentionGate
from BrainTumorSegLib.networks.blocks.cbam import CBAM
from BrainTumorSegLib.networks.blocks.leaky_residual import LeakyResidualBlock
from BrainTumorSegLib.networks.blocks.squeeze_excitation import SqueezeExcitation
from BrainTumorSegLib.networks.blocks.up_convolution import UpConvolution
from BrainTumorSegLib.networks.encoders.resnet_v2 import ResNetV2
from BrainTumorSegLib.networks.initialization import initialize
from BrainTumorSegLib.networks.width import scaled

ATTENTIONS = ("none", "ag", "se", "cbam")


@dataclass(frozen=True)
class ResUNetConfig:
    """What makes one Res-UNet.

    Attributes:
        in_channels: 3 in the paper, a gray slice repeated, as the encoder's ImageNet weights want.
        out_channels: logit maps.
        width: share of all channels.
        attention: "none"; "ag", gates on the four skips; "se" or "cbam", on the four skips and in every decoder block.
        dropout: share of the maps left out after each decoder block; the paper names no rate.
    """

    in_channels: int = 3
    out_channels: int = 1
    width: float = 1.0
    attention: str = "none"
    dropout: float = 0.1


class ResUNet(nn.Module):
    """[N, in, H, W], intensities 0 to 1 -> logits [N, out, H, W]; H and W multiples of 32.

    Raises:
        ValueError: an attention that is not one of `ATTENTIONS`.
    """

    def __init__(self, config: ResUNetConfig) -> None:
        super().__init__()
        if config.attention not in ATTENTIONS:
            raise ValueError(f"attention is {config.attention!r}, but a Res-UNet has one of {', '.join(ATTENTIONS)}; choose one of them")
        self.config = config
        self.encoder = ResNetV2(config.in_channels, config.width)
        skips = [*self.encoder.channels[-2::-1], 0]  # deepest first; none at full size
        self.up, self.skip_attention, self.blocks = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        previous = self.encoder.channels[-1]
        for skip, published in zip(skips, (256, 128, 64, 32, 16)):
            channels = scaled(published, config.width)
            self.up.append(UpConvolution(previous, channels))
            if skip:
                self.skip_attention.append(AttentionGate(skip, channels, channels // 2) if config.attention == "ag" else _attention(config, skip))
            self.blocks.append(LeakyResidualBlock(channels + skip, channels, _attention(config, channels), config.dropout))
            previous = channels
        self.head = nn.Conv2d(previous, config.out_channels, 1)
        initialize(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        *skips, x = self.encoder(x)
        for up, block, attention in zip(self.up, self.blocks, self.skip_attention):
            x, skip = up(x), skips.pop()
            skip = attention(skip, x) if self.config.attention == "ag" else attention(skip)
            x = block(torch.cat([x, skip], 1))
        return self.head(self.blocks[-1](self.up[-1](x)))


def _attention(config: ResUNetConfig, channels: int) -> nn.Module:
    """SE with r = 16 or CBAM with r = 8 and a 7x7 convolution, the paper's ratios; nothing in the other variants."""
    if config.attention == "se":
        return SqueezeExcitation(channels, reduction=16)
    if config.attention == "cbam":
        return CBAM(channels, reduction=8, kernel=7)
    return nn.Identity()
