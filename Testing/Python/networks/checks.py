"""What every network of the table is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn
from torch.nn import functional as F

from BrainTumorSegLib.export.to_onnx import export_onnx
from BrainTumorSegLib.networks.table import NETWORKS, build
from Testing.Python.networks.plain import shaken


def count(module: nn.Module) -> int:
    """Trainable parameters."""
    return sum(parameter.numel() for parameter in module.parameters())


def keras_count(module: nn.Module) -> int:
    """As Keras counts: the two running vectors of each BN are parameters too."""
    return count(module) + sum(b.numel() for name, b in module.named_buffers() if name.endswith(("running_mean", "running_var")))


def published(name: str, **settings: Any) -> nn.Module:
    """The network of a row without memory for its numbers: for counting."""
    with torch.device("meta"):
        return build(name, **settings)


def pictures(count: int, channels: int, size: tuple[int, int]) -> torch.Tensor:
    """Smooth images of strong contrast, 0 to 1: deep maps of noise are nearly constant, and BN would enlarge their rounding."""
    coarse = torch.rand(count, channels, 4, 4, generator=torch.Generator().manual_seed(count))
    return F.interpolate(coarse, size=size, mode="bilinear")


def settled(network: nn.Module, in_channels: int) -> nn.Module:
    """The network in evaluation mode, as tame as a trained one: BN knows the statistics of a batch, residual branches and logits are weak.

    Fifty random layers would enlarge the rounding of the first one a thousand times.
    """
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith(("conv3.weight", "bn3.weight", "query.weight", "head.weight")):
                parameter.mul_(0.2)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        network.train()(pictures(4, in_channels, (64, 64)))
    for norm, momentum in zip(norms, usual):
        norm.momentum = momentum
    return network.eval()


def silent_parameters(network: nn.Module, x: torch.Tensor) -> list[str]:
    """Names of the parameters that no gradient reaches in a training step; dead units of narrow attention are woken first."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, layer in network.named_modules():
            if name.endswith(("squeeze", "mlp.0", "weights.1")):
                layer.weight.mul_(0.1)
                layer.bias.fill_(1.0)
    outputs = network.train()(x)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    sum((y * torch.randn_like(y)).sum() for y in outputs).backward()
    return [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


def exported_difference(name: str, folder: Path, size: tuple[int, int] = (64, 96), **settings: Any) -> float:
    """Largest difference between a tiny network's probabilities in torch and in its ONNX file, at another size than it was traced at."""
    torch.manual_seed(0)
    in_channels = NETWORKS[name].config.in_channels
    network = settled(shaken(build(name, width=0.125, **settings)), in_channels)
    path = folder / "tiny.onnx"
    export_onnx(network, path, {"name": "tiny"}, in_channels)
    assert onnx.load(path).opset_import[0].version == 17
    x = pictures(3, in_channels, size)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (given,) = session.run(None, {"slices": x.numpy()})
    with torch.no_grad():
        expected = torch.sigmoid(network(x)).numpy()
    assert expected.std() > 1e-3, "the network says the same everywhere, so that the comparison would say nothing"
    return float(np.abs(given - expected).max())
