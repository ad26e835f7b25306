"""The fp32 and dynamic-range twins of a shipped int8 file: the same graph without its Q/DQ pairs, so that a clone can time them.

The twin's weights are the int8 weights written as floats, so its cost is that of the fp32 original, its accuracy is not:
Dice of the original is recorded in models.json.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from BrainTumorSegLib.bench.graph import Graph, Node, integer_attribute, read_graph, write_graph

_ONNX_FLOAT = 1
_MAKES_NEGATIVES = frozenset({"Conv", "ConvTranspose", "Add", "Sub", "BatchNormalization", "Gemm", "MatMul", "InstanceNormalization"})
"""Operations behind which a quantizer drops a ReLU, since an uint8 from zero on cannot be negative anyway."""


def float_twin(content: bytes) -> bytes:
    """An int8 ONNX file as float32: constants dequantized, Q/DQ pairs of activations bypassed.

    onnxruntime's static quantization drops a ReLU or ReLU6 before a QuantizeLinear whose zero point is its least value.
    There the pair is replaced by a Clip to the pair's range, which the float kernels fuse as they do a ReLU.

    Args:
        content: an ONNX file in Q/DQ form; a float file comes back unchanged in what it computes.

    Raises:
        ModelError: the file is no ONNX model.
    """
    graph = read_graph(content)
    return write_graph(_without_pairs(_with_float_constants(graph)))


def dynamic_twin(content: bytes) -> bytes:
    """A float32 ONNX file with dynamic-range quantized convolutions, as `onnxruntime.quantization.quantize_dynamic` makes them.

    Weights are uint8 with one scale; activations are quantized batch by batch at run time (DynamicQuantizeLinear,
    ConvInteger). A tensor that feeds several convolutions is quantized once.
    """
    graph = read_graph(content)
    nodes: list[Node] = []
    quantized: dict[str, _Quantized] = {}
    for node in graph.nodes:
        if node.op != "Conv" or node.inputs[1] not in graph.tensors:
            nodes.append(node)
            continue
        source = node.inputs[0]
        if source not in quantized:
            quantized[source] = _Quantized(f"{source}_u8", f"{source}_scale", f"{source}_zero")
            made = quantized[source]
            nodes.append(Node("DynamicQuantizeLinear", [source], [made.values, made.scale, made.zero], f"{source}_DynamicQuantizeLinear"))
        nodes += _integer_convolution(node, quantized[source], graph)
    graph.nodes = nodes
    return write_graph(graph)


@dataclass(frozen=True)
class _Quantized:
    values: str
    scale: str
    zero: str


def _integer_convolution(node: Node, source: _Quantized, graph: Graph) -> list[Node]:
    weight = node.inputs[1]
    values, scale, zero = _to_uint8(graph.tensors[weight])
    names = _Quantized(f"{weight}_u8", f"{weight}_scale", f"{weight}_zero")
    graph.tensors |= {names.values: values, names.scale: scale, names.zero: zero}
    out, bias = node.outputs[0], node.inputs[2] if len(node.inputs) > 2 else ""
    product = f"{out}_unbiased" if bias else out
    nodes = [
        Node("ConvInteger", [source.values, names.values, source.zero, names.zero], [f"{out}_i32"], f"{out}_quant", node.attributes),
        Node("Cast", [f"{out}_i32"], [f"{out}_f32"], f"{out}_cast", [integer_attribute("to", _ONNX_FLOAT)]),
        Node("Mul", [source.scale, names.scale], [f"{out}_scales"], f"{out}_scales_Mul"),
        Node("Mul", [f"{out}_f32", f"{out}_scales"], [product], f"{out}_rescale"),
    ]
    if bias:
        shaped = f"{out}_bias"  # of this convolution alone: two may share a bias of other ranks
        graph.tensors[shaped] = graph.tensors[bias].reshape(1, -1, *[1] * (values.ndim - 2))
        nodes.append(Node("Add", [product, shaped], [out], f"{out}_bias_Add"))
    return nodes


def _to_uint8(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(values, scale, zero point) with 0 exactly representable, as onnxruntime's asymmetric quantizer."""
    low, high = min(float(weight.min()), 0.0), max(float(weight.max()), 0.0)
    scale = np.float32((high - low) / 255 or 1.0)
    zero = np.uint8(np.clip(round(-low / float(scale)), 0, 255))
    values = np.clip(np.rint(weight / scale) + zero, 0, 255).astype(np.uint8)
    return values, np.array(scale), np.array(zero)


def _with_float_constants(graph: Graph) -> Graph:
    kept = []
    for node in graph.nodes:
        if node.op != "DequantizeLinear" or node.inputs[0] not in graph.tensors:
            kept.append(node)
            continue
        values, scale = (graph.tensors[name] for name in node.inputs[:2])
        zero = graph.tensors[node.inputs[2]] if len(node.inputs) > 2 else np.zeros((), values.dtype)
        if scale.size > 1:  # per channel
            axis = node.integer("axis", 1) % values.ndim
            shape = [-1 if i == axis else 1 for i in range(values.ndim)]
            scale, zero = scale.reshape(shape), zero.reshape(shape)
        else:
            scale, zero = scale.reshape(()), zero.reshape(())
        graph.tensors[node.outputs[0]] = ((values.astype(np.int64) - zero.astype(np.int64)) * scale).astype(np.float32)
    graph.nodes = kept
    return graph


def _without_pairs(graph: Graph) -> Graph:
    makers = {name: node.op for node in graph.nodes for name in node.outputs}
    stands_for: dict[str, str] = {}  # output of a Q or DQ -> the float tensor it stands for
    nodes = []
    for node in graph.nodes:
        node.inputs = [stands_for.get(name, name) for name in node.inputs]
        if node.op == "QuantizeLinear":
            source, limits = node.inputs[0], _limits(node, graph)
            if makers.get(source) in _MAKES_NEGATIVES and limits is not None:
                clipped = f"{source}_clipped"
                names = [f"{source}_low", f"{source}_high"]
                graph.tensors |= {name: np.array(limit, np.float32) for name, limit in zip(names, limits)}
                nodes.append(Node("Clip", [source, *names], [clipped], f"{source}_Clip"))
                source = clipped
            stands_for[node.outputs[0]] = source
        elif node.op == "DequantizeLinear":
            stands_for[node.outputs[0]] = node.inputs[0]
            if node.outputs[0] in graph.outputs:
                nodes.append(Node("Identity", [node.inputs[0]], node.outputs, f"{node.outputs[0]}_Identity"))
        else:
            nodes.append(node)
    graph.nodes = nodes
    return graph


def _limits(node: Node, graph: Graph) -> tuple[float, float] | None:
    """(0, largest value) of a QuantizeLinear that lets no negative value through, else None."""
    scale = float(graph.tensors[node.inputs[1]].reshape(-1)[0])
    zero = graph.tensors[node.inputs[2]].reshape(-1)[0] if len(node.inputs) > 2 else np.uint8(0)
    limits = np.iinfo(zero.dtype)
    return (0.0, (limits.max - int(zero)) * scale) if int(zero) == limits.min else None
