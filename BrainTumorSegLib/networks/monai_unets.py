"""U-Net and Attention U-Net, the networks that systems C and D are compared with, as MONAI has them."""

from __future__ import annotations

from dataclasses import dataclass

from monai.networks.nets import AttentionUnet, BasicUNet
from monai.networks.nets.basic_unet import UpCat
from torch import nn

from BrainTumorSegLib.networks.initialization import initialize
from BrainTumorSegLib.networks.width import scaled


@dataclass(frozen=True)
class UNetConfig:
    """MONAI's `BasicUNet` (two 3x3 convolutions with BN and ReLU a level, 2x2 transposed convolutions).

    Attributes:
        in_channels, out_channels: of the image, and logit maps.
        width: share of all channels.
        channels: of the five levels at width 1.0: those of the network it is compared with.
    """

    in_channels: int
    out_channels: int
    width: float = 1.0
    channels: tuple[int, ...] = (32, 64, 128, 256, 512)


@dataclass(frozen=True)
class AttentionUNetMonaiConfig:
    """MONAI's `AttentionUnet` (Oktay et al. 2018, arXiv:1804.03999).

    Attributes:
        in_channels, out_channels: of the image, and logit maps.
        width: share of all channels.
        channels: of the five levels at width 1.0.
    """

    in_channels: int
    out_channels: int
    width: float = 1.0
    channels: tuple[int, ...] = (32, 64, 128, 256, 512)


def build_unet(config: UNetConfig) -> nn.Module:
    """[N, in, H, W] -> logits [N, out, H, W]; H and W multiples of 16. BN and ReLU, as the compared network has them."""
    channels = [scaled(c, config.width) for c in config.channels]
    network = BasicUNet(2, config.in_channels, config.out_channels, [*channels, channels[0]], act="relu", norm="batch")
    for block in network.modules():
        if isinstance(block, UpCat):
            block.is_pad = False  # nothing is to be padded at these sizes, and padding breaks the channels-last layout: training takes twice as long
    initialize(network)
    return network


def build_attention_unet(config: AttentionUNetMonaiConfig) -> nn.Module:
    """[N, in, H, W] -> logits [N, out, H, W]; H and W multiples of 16."""
    channels = [scaled(c, config.width) for c in config.channels]
    network = AttentionUnet(2, config.in_channels, config.out_channels, channels, [2] * (len(channels) - 1))
    initialize(network)
    return network
