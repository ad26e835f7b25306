"""An exported graph as a network that learns: the folded fp32 graph, or its int8 form with every rounding where onnxruntime has it.

Where to round, and over which range, is read from the QuantizeLinear nodes that onnxruntime's own quantizer wrote, so that
nothing has to be known here of its rules (a ReLU that its range replaces, one rounding for all readers of a tensor, the
sigmoids that stay in float).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn
from torch.nn import functional as F

from BrainTumorSegLib.export.fake_quant import fake_quantize, fake_round, weight_scales

_Node: TypeAlias = onnx.NodeProto


def _convolution(inputs: list[torch.Tensor], settings: dict[str, Any]) -> torch.Tensor:
    x, *weights = inputs
    top, left, bottom, right = settings.get("pads", [0] * 4)
    if (top, left) != (bottom, right):
        x, top, left = F.pad(x, (left, right, top, bottom)), 0, 0
    steps, dilations = settings.get("strides", [1, 1]), settings.get("dilations", [1, 1])
    return F.conv2d(x, *weights, stride=steps, padding=(top, left), dilation=dilations, groups=settings.get("group", 1))


_OPERATIONS: dict[str, Callable[[list[torch.Tensor], dict[str, Any]], torch.Tensor]] = {
    "Conv": _convolution,
    "Add": lambda inputs, settings: inputs[0] + inputs[1],
    "Mul": lambda inputs, settings: inputs[0] * inputs[1],
    "Relu": lambda inputs, settings: torch.relu(inputs[0]),
    "Clip": lambda inputs, settings: inputs[0].clamp(inputs[1], inputs[2]),
    "Sigmoid": lambda inputs, settings: torch.sigmoid(inputs[0]),
    "Concat": lambda inputs, settings: torch.cat(inputs, settings["axis"]),
    "DepthToSpace": lambda inputs, settings: F.pixel_shuffle(inputs[0], settings["blocksize"]),
}


class GraphNetwork(nn.Module):
    """[N, C, H, W] -> logits [N, K, H, W] of a graph that ends in a sigmoid, with the weights of its convolutions as parameters.

    A parameter holds each output channel's weights divided by the largest of them: folding left channels of very different
    size, and a learning rate is to mean the same for each. The scales of ranges are learned as logarithms.

    Args:
        graph: what `quantize.fold` left, or what `quantize.quantize_folded` made of that.
        folded: what `quantize.fold` left, for the weights in float.

    Raises:
        ValueError: a node that cannot be computed here.
    """

    def __init__(self, graph: onnx.ModelProto, folded: onnx.ModelProto) -> None:
        super().__init__()
        self._nodes = [(node, {a.name: helper.get_attribute_value(a) for a in node.attribute}) for node in graph.graph.node]
        for node, settings in self._nodes:
            _check(node, settings)
        self._input = graph.graph.input[0].name
        self._makers = {name: node for node, _ in self._nodes for name in node.output}
        self._logits = _before_sigmoid(self._makers[graph.graph.output[0].name])
        self._stored = {tensor.name: tensor for tensor in graph.graph.initializer}
        self._convolutions = [node for node, _ in self._nodes if node.op_type == "Conv"]
        self._biases = {self._rounded(node.input[2]): node for node in self._convolutions if len(node.input) > 2}
        self._read_weights(folded)
        self._read_ranges()

    def _read_weights(self, folded: onnx.ModelProto) -> None:
        convolutions = {node.name: node for node in folded.graph.node if node.op_type == "Conv"}
        learned = {name for node in convolutions.values() for name in node.input[1:]}
        # by the nodes' names, for the quantizer gives a bias that several convolutions share several names
        self._in_float = {self._rounded(name): convolutions[node.name].input[i] for node in self._convolutions for i, name in enumerate(node.input) if i}
        self._names: dict[str, int] = {}
        self._sizes: list[torch.Tensor] = []
        self.weights, self._constants = nn.ParameterList(), {}
        for tensor in folded.graph.initializer:
            value = torch.from_numpy(numpy_helper.to_array(tensor).copy())
            if tensor.name in learned:
                self._names[tensor.name] = len(self.weights)
                self._sizes.append(_largest(value) if value.ndim > 1 else torch.ones(()))
                self.weights.append(nn.Parameter(value / self._sizes[-1]))
            else:
                self._constants[tensor.name] = value

    def _read_ranges(self) -> None:
        self._ranges: dict[str, tuple[int, int]] = {}  # tensor -> (index of its scale, zero point)
        self.log_scales = nn.ParameterList()
        for node, _ in self._nodes:
            if node.op_type != "QuantizeLinear":
                continue
            scale, zero_point = (numpy_helper.to_array(self._stored[name]) for name in node.input[1:])
            index = self._index_of_moved(node.input[0], float(scale), int(zero_point))
            if index is None:
                index = len(self.log_scales)
                self.log_scales.append(nn.Parameter(torch.tensor(float(scale)).log()))
            self._ranges[node.input[0]] = index, int(zero_point)

    def _index_of_moved(self, name: str, scale: float, zero_point: int) -> int | None:
        """Of what DepthToSpace only moves, the scale of what it was: with two scales onnxruntime would round it once more."""
        maker = self._makers.get(name)
        if maker is None or maker.op_type != "DepthToSpace":
            return None
        index, before = self._ranges.get(self._rounded(maker.input[0]), (None, -1))
        same = index is not None and before == zero_point and abs(float(self.log_scales[index].detach().exp()) / scale - 1) < 1e-5
        return index if same else None

    def _rounded(self, name: str) -> str:
        """The tensor that the value `name` is the rounded form of, or `name` itself."""
        while name in self._makers and self._makers[name].op_type in ("QuantizeLinear", "DequantizeLinear"):
            name = self._makers[name].input[0]
        return name

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        values = {self._input: slices}
        for node, settings in self._nodes:
            values[node.output[0]] = self._compute(node, settings, values)
            if node.output[0] == self._logits:  # the last sigmoid is the loss's
                break
        return values[self._logits]

    def _compute(self, node: _Node, settings: dict[str, Any], values: dict[str, torch.Tensor]) -> torch.Tensor:
        first = node.input[0]
        if node.op_type == "QuantizeLinear":
            index, zero_point = self._ranges[first]
            return fake_quantize(values[first], self.log_scales[index].exp(), zero_point)
        if node.op_type == "DequantizeLinear":
            return values[first] if first in values else self._dequantized(first)
        return _OPERATIONS[node.op_type]([values[name] if name in values else self._tensor(name) for name in node.input], settings)

    def _dequantized(self, name: str) -> torch.Tensor:
        """What a stored integer tensor stands for: int8 weights, or an int32 bias in steps of its input's times its weights'."""
        values = self._tensor(self._in_float[name])
        if self._stored[name].data_type == onnx.TensorProto.INT8:
            return fake_round(values, weight_scales(values))
        convolution = self._biases[name]
        weights = self._tensor(self._in_float[self._rounded(convolution.input[1])])
        index, _ = self._ranges[self._rounded(convolution.input[0])]
        return fake_round(values, weight_scales(weights) * self.log_scales[index].exp())

    def _tensor(self, name: str) -> torch.Tensor:
        if name not in self._names:
            return self._constants[name]
        index = self._names[name]
        return self.weights[index] * self._sizes[index]

    def ranges(self) -> dict[str, tuple[float, int]]:
        """Tensor -> (scale, zero point), for `quantize.quantize_folded`."""
        return {name: (float(self.log_scales[index].detach().exp()), zero_point) for name, (index, zero_point) in self._ranges.items()}

    def write_weights(self, folded: onnx.ModelProto) -> None:
        """Put the weights, as they are now in float, into the folded graph."""
        for tensor in folded.graph.initializer:
            if tensor.name in self._names:
                value = np.ascontiguousarray(self._tensor(tensor.name).detach().numpy())  # from channels-last
                tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))


def _check(node: _Node, settings: dict[str, Any]) -> None:
    known = node.op_type in _OPERATIONS or node.op_type in ("QuantizeLinear", "DequantizeLinear")
    if not known or settings.get("auto_pad", b"NOTSET") != b"NOTSET" or settings.get("mode", b"CRD") != b"CRD":
        raise ValueError(f"{node.name} is a {node.op_type} that fine-tuning cannot compute; leave qat_steps at 0")


def _largest(weights: torch.Tensor) -> torch.Tensor:
    """The largest magnitude of each output channel [out, 1, ...], 1 where all are 0."""
    sizes = weights.abs().flatten(1).amax(1)
    return torch.where(sizes > 0, sizes, 1.0).reshape(-1, *[1] * (weights.ndim - 1))


def _before_sigmoid(node: _Node) -> str:
    if node.op_type != "Sigmoid":
        raise ValueError(f"the graph ends in {node.op_type}, but its loss is taken of what goes into a sigmoid; leave qat_steps at 0")
    return node.input[0]
