"""System B: U-Net on ResNet-50 with attention in every stage and a transformer bottleneck, and its two baselines.

Ali et al., "Automated MRI Tumor Segmentation using hybrid U-Net with Transformer and Efficient Attention", 2025.

The paper is silent on much; the choices here, with their reasons:
- decoder 512-256-128-64 in the four up-samplings, each half of the one before, as U-Nets have it; then a 3x3 convolution
  to 32 at full size before the head, where a wide block would cost most;
- up-sampling by transposed convolutions of 2x2, as the first U-Net has it, written as 1x1 convolution and depth to
  space, which is the same and runs in int8;
- position encoding fixed and sinusoidal, since a learned table would tie the network to one size;
- the stem counts as a stage: SE (r = 16) and CBAM (r = 16) follow it too, before its pooling;
- both baselines have two (3x3 convolution, BN, ReLU) in each decoder step and plain skips, as U-Nets have.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from BrainTumorSegLib.networks.blocks.cbam import CBAM
from BrainTumorSegLib.networks.blocks.efficient_attention import EfficientAttention
from BrainTumorSegLib.networks.blocks.residual import ConvBlock, UpSample
from BrainTumorSegLib.networks.blocks.resnext import ResNeXtBlock
from BrainTumorSegLib.networks.blocks.squeeze_excitation import SqueezeExcitation
from BrainTumorSegLib.networks.blocks.transformer import TransformerBottleneck
from BrainTumorSegLib.networks.encoders.resnet_v1 import ResNetV1
from BrainTumorSegLib.networks.initialization import initialize
from BrainTumorSegLib.networks.width import scaled


@dataclass(frozen=True)
class HybridUNetConfig:
    """What makes the hybrid U-Net or one of its baselines.

    Attributes:
        in_channels: 3 in the paper, a gray slice repeated.
        out_channels: logit maps.
        width: share of all channels, the transformer's tokens and hidden units included.
        attention: SE and CBAM in the encoder, CBAM and efficient attention on the skips, SE and ResNeXt in the decoder.
        transformer: four transformer blocks at the bottleneck. Without both flags: the U-Net (ResNet-50) baseline.
        dropout: in the transformer.
    """

    in_channels: int = 3
    out_channels: int = 1
    width: float = 1.0
    attention: bool = True
    transformer: bool = True
    dropout: float = 0.1


class DecoderStep(nn.Module):
    """Up-sampling, then the skip refined by CBAM and gated by efficient attention, concatenation, SE and ResNeXt block.

    Shapes: x [N, in_channels, H, W], skip [N, skip_channels, 2H, 2W] or None where skip_channels is 0
    -> [N, out_channels, 2H, 2W].
    """

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int, attention: bool) -> None:
        super().__init__()
        self.up = UpSample(in_channels, out_channels)
        joined = out_channels + skip_channels
        gated = attention and skip_channels > 0
        self.refine = CBAM(skip_channels) if gated else None
        self.gate = EfficientAttention(skip_channels, out_channels) if gated else None
        if attention:
            self.block = nn.Sequential(SqueezeExcitation(joined), ResNeXtBlock(joined, out_channels))
        else:
            self.block = nn.Sequential(ConvBlock(joined, out_channels), ConvBlock(out_channels, out_channels))

    def forward(self, x: torch.Tensor, skip: torch.Tensor | None) -> torch.Tensor:
        x = self.up(x)
        if skip is None:
            return self.block(x)
        if self.refine is not None and self.gate is not None:
            skip = self.gate(self.refine(skip), x)
        return self.block(torch.cat([x, skip], 1))


class HybridUNet(nn.Module):
    """[N, in, H, W], intensities 0 to 1 -> logits [N, out, H, W]; H and W multiples of 32.

    Stages at 512 input: 256²x64, 128²x256, 64²x512, 32²x1024; the encoder's last stage is not used.
    """

    def __init__(self, config: HybridUNetConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = ResNetV1(config.in_channels, config.width, last_stage=4)
        channels = self.encoder.channels
        self.attention = nn.ModuleList(nn.Sequential(SqueezeExcitation(c), CBAM(c)) if config.attention else nn.Identity() for c in channels)
        self.bottleneck = _transformer(channels[-1], config) if config.transformer else nn.Identity()
        self.steps = nn.ModuleList()
        previous = channels[-1]
        for skip, published in zip([*channels[-2::-1], 0], (512, 256, 128, 64)):
            self.steps.append(DecoderStep(previous, skip, scaled(published, config.width), config.attention))
            previous = scaled(published, config.width)
        last = scaled(32, config.width)
        self.head = nn.Sequential(ConvBlock(previous, last), nn.Conv2d(last, config.out_channels, 1))
        initialize(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skips: list[torch.Tensor | None] = [None]
        for part, attention in zip(self.encoder.parts, self.attention):
            x = attention(part(x))
            skips.append(x)
        x = self.bottleneck(skips.pop())
        for step in self.steps:
            x = step(x, skips.pop())
        return self.head(x)


def _transformer(channels: int, config: HybridUNetConfig) -> TransformerBottleneck:
    """The paper's four blocks of 8 heads and 1,024 hidden units."""
    return TransformerBottleneck(channels, blocks=4, heads=8, hidden=scaled(1024, config.width), dropout=config.dropout)
