"""The weights of an exported file as those of a network that can learn on: for who has no run of it, only what was shipped.

A file has each normalization folded into the convolution before it, and most weights in int8. Normalizations are put back so that they do on
slices of the training what they would have done in it, by their own mean and variance there; what int8 rounded away is not brought back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from torch import nn

from BrainTumorSegLib.errors import InputError

_FARTHEST = 100.0
"""Factor by which a channel's weights are made longer or shorter at most: those that ImageNet's weights leave dead have next to no length."""
_Arrays: TypeAlias = dict[str, list[np.ndarray]]  # name of a convolution's module -> [weights, bias]


def unfold(path: Path, network: nn.Module, images: torch.Tensor) -> None:
    """Load the weights of an exported file into a network of the same design.

    Args:
        path: ONNX, int8 as `export` writes it of this design, or what it folds before it quantizes.
        network: receives them, in evaluation mode the same function up to rounding. Output maps that the file has not, for they
            exist in training only, keep what they were; each channel keeps the length of its weights (within a factor of 100),
            for a learning rate is to mean what it means in a network that begins anew.
        images: [n, in_channels, H, W], slices of the training, by which the normalizations are set.

    Raises:
        InputError: not such a file, or one of another network.
    """
    arrays = _read(path)
    modules = {name: module for name, module in network.named_modules() if isinstance(module, nn.Conv2d)}
    if set(arrays) != set(modules) or any(not _fits(arrays[name], module) for name, module in modules.items()):
        raise InputError(f"{path} is no int8 file of this recipe's network; give one")
    normalizations = {name: normalization for name in modules if (normalization := _normalization_after(network, name)) is not None}
    with torch.no_grad():
        lengths = {name: _lengths(modules[name].weight) for name in normalizations}
        for name, module in modules.items():
            weight, bias = (torch.from_numpy(array.copy()) for array in arrays[name])
            module.weight[: len(weight)] = weight
            if name in normalizations:
                _set(normalizations[name], torch.zeros_like(bias), torch.ones_like(bias), bias)
            else:
                cast(torch.Tensor, module.bias)[: len(bias)] = bias
        measured = _measure(network, modules, images)
        for name, normalization in normalizations.items():
            weight, (mean, variance) = modules[name].weight, measured[name]
            share = torch.where(_lengths(weight) > 0, lengths[name] / _lengths(weight), 1.0).clamp(1 / _FARTHEST, _FARTHEST)
            weight *= share.reshape(-1, 1, 1, 1)
            _set(normalization, mean * share, variance * share**2, normalization.bias + mean, 1 / share)


def _read(path: Path) -> _Arrays:
    import onnx
    from google.protobuf.message import DecodeError
    from onnx import numpy_helper

    try:
        graph = onnx.load(str(path)).graph
    except (OSError, DecodeError):
        raise InputError(f"{path} is no ONNX file that can be read; give one that export has written") from None
    stored: dict[str, np.ndarray] = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in stored:
            stored[node.output[0]] = _dequantized(*(stored[name] for name in node.input))
    found: _Arrays = {}
    for node in graph.node:
        if node.op_type == "Conv" and all(name in stored for name in node.input[1:]) and len(node.input) == 3:
            found[_module_name(node.name)] = [stored[name] for name in node.input[1:]]
    return found


def _dequantized(values: np.ndarray, scale: np.ndarray, zero_point: Any = 0) -> np.ndarray:
    """Scales are one for all, or one for each output channel, the first axis."""
    column = (-1, *[1] * (values.ndim - 1)) if np.ndim(scale) else ()
    steps = values.astype(np.float32) - np.reshape(zero_point, column if np.ndim(zero_point) else ()).astype(np.float32)
    return steps * np.reshape(scale, column)


def _module_name(node: str) -> str:
    """ "/network/blocks.0/body/body.1/Conv", as the tracer names a node, to "blocks.0.body.1"."""
    parts, before = [], ""
    for part in node.strip("/").split("/")[1:-1]:
        parts.append(part.removeprefix(f"{before}.") if before else part)
        before = part
    return ".".join(parts)


def _fits(arrays: list[np.ndarray], module: nn.Conv2d) -> bool:
    """Whether the shapes agree, but for output maps that are left out."""
    weight, has = arrays[0], tuple(module.weight.shape)
    return weight.shape[1:] == has[1:] and (len(weight) == has[0] or (len(weight) < has[0] and module.bias is not None))


def _normalization_after(network: nn.Module, name: str) -> nn.BatchNorm2d | None:
    """What a file has folded into the convolution `name`: the next in the sequence that both are part of."""
    parent, _, index = name.rpartition(".")
    if not index.isdecimal():
        return None
    following = getattr(network.get_submodule(parent), str(int(index) + 1), None)
    return following if isinstance(following, nn.BatchNorm2d) else None


def _lengths(weight: torch.Tensor) -> torch.Tensor:
    return weight.flatten(1).norm(dim=1)


def _set(normalization: nn.BatchNorm2d, mean: torch.Tensor, variance: torch.Tensor, bias: torch.Tensor, scale: torch.Tensor | float = 1.0) -> None:
    """So that, in evaluation mode, x becomes (x - mean) * scale + bias."""
    cast(torch.Tensor, normalization.running_mean).copy_(mean)
    cast(torch.Tensor, normalization.running_var).copy_(variance)
    normalization.weight.copy_((variance + normalization.eps).sqrt() * scale)
    normalization.bias.copy_(bias)


def _measure(network: nn.Module, modules: dict[str, nn.Conv2d], images: torch.Tensor) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Mean and variance of each output channel of each convolution over all images and pixels."""
    measured: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}

    def note(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
            variance, mean = torch.var_mean(output, (0, 2, 3), correction=0)
            measured[name] = mean.clone(), variance.clone()

        return hook

    hooks = [module.register_forward_hook(note(name)) for name, module in modules.items()]
    training = network.training
    try:
        network.eval()(images)
    finally:
        for hook in hooks:
            hook.remove()
        network.train(training)
    return measured
