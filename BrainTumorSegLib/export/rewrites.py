"""Exact rewrites of an exported graph into layers that quantize: the same numbers up to rounding, by kernels that exist in int8.

onnxruntime has no int8 kernel for transposed convolutions and none for BatchNormalization. A transposed convolution with
stride 2 is a convolution for each of the four places (row, column) of a 2x2 block of its output, interleaved by
DepthToSpace; with kernel 2 all four are 1x1 and make one convolution. A BatchNormalization that no convolution precedes
(pre-activation networks) is a 1x1 convolution of every channel by itself.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import onnx
from onnx import helper, numpy_helper

_Node: TypeAlias = onnx.NodeProto
_PHASES = [(row, column) for row in (0, 1) for column in (0, 1)]


def rewrite(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of `model` with every rewrite that applies.

    Args:
        model: two-dimensional, with constant weights as initializers; other nodes stay as they are.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in result.graph.initializer}
    nodes: list[_Node] = []
    for node in result.graph.node:
        if node.op_type == "Identity" and node.input[0] in constants:  # PyTorch stores equal weights once
            constants[node.output[0]] = constants[node.input[0]]
            continue
        new = _transposed(node, constants) if node.op_type == "ConvTranspose" else None
        new = _normalization(node, constants) if node.op_type == "BatchNormalization" else new
        nodes += [node] if new is None else new
    nodes = _fold_into_convolutions(nodes, constants, {value.name for value in result.graph.output})
    used = {name for node in nodes for name in node.input}
    _replace(result.graph.node, nodes)
    _replace(result.graph.initializer, [numpy_helper.from_array(array, name) for name, array in constants.items() if name in used])
    del result.graph.value_info[:]  # shapes of values that are no more
    return result


def _transposed(node: _Node, constants: dict[str, np.ndarray]) -> list[_Node] | None:
    """A stride-2 transposed convolution that doubles the size exactly, as convolutions and DepthToSpace; None for any other."""
    settings = _attributes(node)
    weight = constants.get(node.input[1])  # [in, out, height, width]
    if weight is None or weight.ndim != 4 or settings.get("strides") != [2, 2] or settings.get("group", 1) != 1:
        return None
    if settings.get("dilations", [1, 1]) != [1, 1] or "output_shape" in settings or settings.get("auto_pad", b"NOTSET") != b"NOTSET":
        return None
    pads, extra = settings.get("pads", [0] * 4), settings.get("output_padding", [0, 0])
    if any(weight.shape[2 + axis] - pads[axis] - pads[2 + axis] + extra[axis] != 2 for axis in (0, 1)):
        return None
    phases = [_phase(weight, pads, phase) for phase in _PHASES]
    bias = constants.get(node.input[2]) if len(node.input) > 2 else None
    if any(taps == 0 for kernel, _ in phases for taps in kernel.shape[2:]) or (bias is None and len(node.input) > 2):
        return None
    if all(ends == phases[0][1] for _, ends in phases):  # the same pixels for all four: one convolution to four times the channels
        phases = [(np.concatenate([kernel for kernel, _ in phases]), phases[0][1])]
    return _convolutions(node, phases, bias, constants)


def _phase(weight: np.ndarray, pads: list[int], phase: tuple[int, int]) -> tuple[np.ndarray, list[int]]:
    """(kernel [out, in, height, width], padding [top, left, bottom, right]) that gives one place of every 2x2 block.

    Output 2m + a takes the tap k of input m + t where 2 (m + t) + k - pad = 2m + a, so k = a + pad - 2t.
    """
    offsets = []
    for axis, a in enumerate(phase):
        reach, taps = a + pads[axis], weight.shape[2 + axis]
        offsets.append([t for t in range(-taps, taps + 1) if 0 <= reach - 2 * t < taps])
    rows, columns = ([phase[axis] + pads[axis] - 2 * t for t in offsets[axis]] for axis in (0, 1))
    kernel = weight[:, :, rows][:, :, :, columns].transpose(1, 0, 2, 3)
    ends = [-min(offsets[0], default=0), -min(offsets[1], default=0), max(offsets[0], default=0), max(offsets[1], default=0)]
    return np.ascontiguousarray(kernel), ends


def _convolutions(node: _Node, phases: list[tuple[np.ndarray, list[int]]], bias: np.ndarray | None, constants: dict[str, np.ndarray]) -> list[_Node]:
    out, nodes = node.output[0], []
    for i, (kernel, ends) in enumerate(phases):
        names = [f"{out}_weight{i}"] + ([f"{out}_bias{i}"] if bias is not None else [])
        constants[names[0]] = kernel
        if bias is not None:
            constants[names[1]] = np.tile(bias, len(kernel) // len(bias))
        nodes.append(helper.make_node("Conv", [node.input[0], *names], [f"{out}_phase{i}"], f"{out}_Conv{i}", kernel_shape=list(kernel.shape[2:]), pads=ends))
    source = nodes[0].output[0]
    if len(nodes) > 1:
        source = f"{out}_phases"
        nodes.append(helper.make_node("Concat", [n.output[0] for n in nodes], [source], f"{out}_Concat", axis=1))
    # DCR: the four places are the slowest part of the channels
    return [*nodes, helper.make_node("DepthToSpace", [source], [out], f"{out}_DepthToSpace", blocksize=2, mode="DCR")]


def _normalization(node: _Node, constants: dict[str, np.ndarray]) -> list[_Node] | None:
    """BatchNormalization as a 1x1 convolution of every channel by itself; None where its numbers are no constants."""
    if any(name not in constants for name in node.input[1:]) or len(node.output) != 1:
        return None
    gain, shift, mean, variance = (constants[name].astype(np.float64) for name in node.input[1:])
    slope = gain / np.sqrt(variance + _attributes(node).get("epsilon", 1e-5))
    names = [f"{node.output[0]}_slope", f"{node.output[0]}_shift"]
    constants |= {names[0]: slope.astype(np.float32).reshape(-1, 1, 1, 1), names[1]: (shift - mean * slope).astype(np.float32)}
    made = helper.make_node("Conv", [node.input[0], *names], list(node.output), f"{node.output[0]}_Conv", kernel_shape=[1, 1], group=len(slope))
    return [made]


def _fold_into_convolutions(nodes: list[_Node], constants: dict[str, np.ndarray], outputs: set[str]) -> list[_Node]:
    """Without the 1x1 convolutions of single channels that only scale and shift what a convolution before them gives."""
    makers = {name: node for node in nodes for name in node.output}
    readers = [name for node in nodes for name in node.input]
    kept = []
    for node in nodes:
        before = makers.get(node.input[0]) if node.input else None
        if before is None or not _scales_channels(node, constants) or before.op_type != "Conv" or before.input[1] not in constants:
            kept.append(node)
            continue
        if readers.count(node.input[0]) > 1 or node.input[0] in outputs:
            kept.append(node)
            continue
        slope, shift = constants[node.input[1]], constants[node.input[2]]
        weight = constants[before.input[1]]
        bias = constants[before.input[2]] if len(before.input) > 2 else np.zeros(len(weight), np.float32)
        names = [f"{node.output[0]}_weight", f"{node.output[0]}_bias"]
        constants |= {names[0]: weight * slope, names[1]: bias * slope.ravel() + shift}
        _replace(before.input, [before.input[0], *names])
        _replace(before.output, list(node.output))
        makers[node.output[0]] = before
    return kept


def _scales_channels(node: _Node, constants: dict[str, np.ndarray]) -> bool:
    if node.op_type != "Conv" or len(node.input) != 3 or any(name not in constants for name in node.input[1:]):
        return False
    settings, weight = _attributes(node), constants[node.input[1]]
    plain = settings.get("strides", [1, 1]) == [1, 1] and not any(settings.get("pads", [0]))
    return plain and weight.shape[1:] == (1, 1, 1) and settings.get("group", 1) == len(weight)


def _attributes(node: _Node) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _replace(field: Any, values: list[Any]) -> None:
    """New content of a repeated field of a message."""
    del field[:]
    field.extend(values)
