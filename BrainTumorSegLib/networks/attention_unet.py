"""System A's design on a light encoder: residual decoder, attention gates on the skips, int8-friendly layers.

Aprianto & Riana 2025 (doi:10.21512/commit.v19i2.13177) put attention gates on a Res-UNet with an ImageNet encoder.
Here the encoder is EfficientNet-Lite (inverted residuals), ReLU stands for leaky ReLU, every convolution of the decoder
and its gates is normalized, and the stride-2 transposed convolutions have kernel 2, written as 1x1 convolution and depth
to space: the same design, eight times smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import nn

from BrainTumorSegLib.networks.blocks.attention_gate import AttentionGate
from BrainTumorSegLib.networks.blocks.residual import ResidualBlock, UpSample
from BrainTumorSegLib.networks.encoders.efficientnet_lite import EfficientNetLite
from BrainTumorSegLib.networks.initialization import initialize


@dataclass(frozen=True)
class AttentionUNetConfig:
    """What makes one attention U-Net.

    Attributes:
        in_channels: sequences given to the network.
        out_channels: logit maps.
        variant: EfficientNet-Lite variant, 0 to 2.
        decoder_channels: widths at 1/16, 1/8, 1/4 and 1/2 of the input size.
        attention_gates: gates on the four skips, or plain skips.
        dropout: spatial dropout after each residual block.
        drop_path: stochastic depth in the encoder.
    """

    in_channels: int = 1
    out_channels: int = 1
    variant: int = 0
    decoder_channels: tuple[int, int, int, int] = (128, 64, 48, 32)
    attention_gates: bool = True
    dropout: float = 0.1
    drop_path: float = 0.1


class AttentionUNet(nn.Module):
    """U-Net with an EfficientNet-Lite encoder and gated skips. [N, in, H, W] -> logits [N, out, H, W]; H, W multiples of 32."""

    def __init__(self, config: AttentionUNetConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = EfficientNetLite(config.variant, config.in_channels, config.drop_path)
        skips = self.encoder.channels[-2::-1]  # deepest first
        self.up, self.gates, self.blocks = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        previous = self.encoder.channels[-1]
        for skip, width in zip(skips, config.decoder_channels):
            self.up.append(UpSample(previous, width, normalize=True))
            gate = AttentionGate(skip, width, max(skip // 2, 8), negative_slope=0, normalize=True)
            self.gates.append(gate if config.attention_gates else nn.Identity())
            self.blocks.append(ResidualBlock(width + skip, width, config.dropout))
            previous = width
        # full size is reached in the head: a block of 16 channels there would cost a third of the time
        self.head = UpSample(previous, config.out_channels, kernel=3)
        _initialize(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        *skips, x = self.encoder(x)
        for up, gate, block, skip in zip(self.up, self.gates, self.blocks, reversed(skips)):
            x = up(x)
            if self.config.attention_gates:
                skip = gate(skip, x)
            x = block(torch.cat([x, skip], 1))
        return self.head(x)

    def keep_outputs(self, count: int) -> None:
        """Cut off all logit maps but the first `count`, for instance heads that exist in training only."""
        self.head.keep(count)


def _initialize(network: AttentionUNet) -> None:
    """He initialization; gates start nearly evenly open, and the head at 12 % tumor with a spread that lets it learn.

    A head that starts at 2 % with small weights (the prior of Lin et al. 2017) is where this loss is flattest: the
    network then says "no tumor" for hundreds of steps.
    """
    initialize(network)
    network.head.start_at(-2.0, 0.2)
    for gate in network.gates:
        if isinstance(gate, AttentionGate):
            nn.init.normal_(gate.attention.weight, std=0.1)
            nn.init.ones_(cast(torch.Tensor, gate.attention.bias))
