"""PSPNet on ResNet-50, one of the networks that system D is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from BrainTumorSegLib.networks.encoders.resnet_v1 import ResNetV1
from BrainTumorSegLib.networks.initialization import initialize
from BrainTumorSegLib.networks.width import scaled

BINS = (1, 2, 3, 6)


@dataclass(frozen=True)
class PSPNetConfig:
    """What makes one PSPNet.

    Attributes:
        in_channels, out_channels: of the image, and logit maps.
        width: share of all channels.
        dropout: share of the maps left out before the head; the authors' code has 0.1.
    """

    in_channels: int = 3
    out_channels: int = 2
    width: float = 1.0
    dropout: float = 0.1


def bin_means(length: int, bins: int, like: torch.Tensor) -> torch.Tensor:
    """The matrix [bins, length] that averages a line into bins: bin i is from floor(i L / n) to ceil((i + 1) L / n).

    The same bins as `adaptive_avg_pool2d`, which cannot be exported for sizes that are not known beforehand.
    """
    index = torch.arange(bins, device=like.device)[:, None]
    first, end = index * length // bins, ((index + 1) * length + bins - 1) // bins
    position = torch.arange(length, device=like.device)[None]
    inside = ((position >= first) & (position < end)).to(like.dtype)
    return inside / inside.sum(1, keepdim=True)


class PyramidPooling(nn.Module):
    """The map beside its means in 1, 2², 3² and 6² bins, each through a 1x1 convolution to a quarter of the channels.

    Shapes: [N, channels, H, W] -> [N, 2 channels, H, W].
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        part = channels // len(BINS)
        self.reduce = nn.ModuleList(nn.Sequential(nn.Conv2d(channels, part, 1, bias=False), nn.BatchNorm2d(part), nn.ReLU()) for _ in BINS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        size = x.shape[2:]
        maps = [x]
        for bins, reduce in zip(BINS, self.reduce):
            pooled = bin_means(size[0], bins, x) @ x @ bin_means(size[1], bins, x).T  # [N, C, bins, bins]
            maps.append(F.interpolate(reduce(pooled), size=size, mode="bilinear", align_corners=False))
        return torch.cat(maps, 1)


class PSPNet(nn.Module):
    """[N, in, H, W] -> logits [N, out, H, W]; H and W multiples of 8. Training needs at least two slices a batch.

    Zhao et al. 2017 (doi:10.1109/CVPR.2017.660): output stride 8 by dilating the encoder's last two stages, pyramid
    pooling, a 3x3 convolution to 512 channels, logits up-sampled 8 times. Its auxiliary loss on the fourth stage is left
    out, for system D trains every row with plain cross-entropy.
    """

    def __init__(self, config: PSPNetConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = ResNetV1(config.in_channels, config.width, output_stride=8)
        deep, channels = self.encoder.channels[-1], scaled(512, config.width)
        self.pyramid = PyramidPooling(deep)
        join = nn.Conv2d(2 * deep, channels, 3, padding=1, bias=False)
        self.join = nn.Sequential(join, nn.BatchNorm2d(channels), nn.ReLU(), nn.Dropout2d(config.dropout))
        self.head = nn.Conv2d(channels, config.out_channels, 1)
        initialize(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = self.head(self.join(self.pyramid(self.encoder(x)[-1])))
        return F.interpolate(logits, scale_factor=8.0, mode="bilinear", align_corners=False)
