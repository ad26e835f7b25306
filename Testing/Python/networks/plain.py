"""The equations of networks in plain NumPy, float64: what a layer should give, written without the library that gives it."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


def array(tensor: torch.Tensor) -> np.ndarray:
    """A tensor's numbers in float64."""
    return tensor.detach().double().numpy()


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def convolve(x: np.ndarray, layer: nn.Conv2d, padding: int = 0, stride: int = 1, dilation: int = 1) -> np.ndarray:
    """The weights of `layer` on [N, C, H, W]; padding, stride and dilation are the caller's word, not the layer's."""
    weight = array(layer.weight)  # [out, in / groups, h, w]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    height = (padded.shape[2] - dilation * (weight.shape[2] - 1) - 1) // stride + 1
    width = (padded.shape[3] - dilation * (weight.shape[3] - 1) - 1) // stride + 1
    groups = x.shape[1] // weight.shape[1]
    parts = []
    for group_x, group_w in zip(np.split(padded, groups, 1), np.split(weight, groups, 0)):
        total = np.zeros((len(x), len(group_w), height, width))
        for i in range(weight.shape[2]):
            for j in range(weight.shape[3]):
                seen = group_x[:, :, i * dilation :: stride, j * dilation :: stride][:, :, :height, :width]
                total += np.einsum("oc,nchw->nohw", group_w[:, :, i, j], seen)
        parts.append(total)
    bias = 0 if layer.bias is None else array(layer.bias)[:, None, None]
    return np.concatenate(parts, 1) + bias


def normalize(x: np.ndarray, layer: nn.BatchNorm2d, epsilon: float = 1e-5) -> np.ndarray:
    """BN with the stored statistics, as in evaluation."""
    mean, variance, gamma, beta = (array(t)[:, None, None] for t in (layer.running_mean, layer.running_var, layer.weight, layer.bias))
    return (x - mean) / np.sqrt(variance + epsilon) * gamma + beta


def pooled(x: np.ndarray) -> np.ndarray:
    """Global mean, [N, C, 1, 1]."""
    return x.mean((2, 3), keepdims=True)


def squeeze_excite(x: np.ndarray, block: nn.Module) -> np.ndarray:
    """`sigmoid(W2 ReLU(W1 GAP X)) X` with the weights of a `SqueezeExcitation`."""
    return x * sigmoid(convolve(relu(convolve(pooled(x), block.squeeze)), block.excite))


def shaken(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module in evaluation mode, no bias 0 and no BN neutral, so that nothing can be left out unseen."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if name.endswith("running_var"):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
            elif tensor.is_floating_point() and tensor.ndim == 1:
                tensor.add_(0.3 * torch.randn(tensor.shape, generator=generator))
    return module.eval()


def noise(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
