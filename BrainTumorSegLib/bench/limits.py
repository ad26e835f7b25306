"""What bounds a network's time: multiplications and bytes counted from its file, beside what this chip does of each a second.

A network cannot be faster than the larger of the two times. The bytes are counted as if every operation reads its inputs
from memory and writes its output there, which a cache or a fused operation spares: of the two numbers it is the looser.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from BrainTumorSegLib.bench.graph import Graph, Node, read_graph, write_graph
from BrainTumorSegLib.bench.protobuf import BYTES, VARINT, Field, write_fields
from BrainTumorSegLib.inference.session import open_network

_FLOAT, _UINT8 = 1, 2  # TensorProto.DataType
_QUANTIZERS = ("QuantizeLinear", "DequantizeLinear")
_IN_PLACE = ("Relu", "Clip", "LeakyRelu", "Identity", "Reshape", "Shape", "Flatten", "Unsqueeze", "Squeeze", "Constant")
"""What moves nothing of its own: fused with what gives its input, or another view of it."""
_PRODUCTS = ("Conv", "ConvInteger", "ConvTranspose", "MatMul", "MatMulInteger", "Gemm")
_SIDE, _COPIED = 1024, 1 << 24
_REPEATS = 7


@dataclass(frozen=True)
class Work:
    """What one slice costs.

    Attributes:
        float_macs, int8_macs: multiplications with an addition, by the numbers they are done in.
        moved_bytes: read and written by all operations, weights among them.
    """

    float_macs: int
    int8_macs: int
    moved_bytes: int


@dataclass(frozen=True)
class Rates:
    """What this chip does in a second: multiply-adds in float32 and in int8 (u8 x s8), and bytes moved."""

    float_macs: float
    int8_macs: float
    moved_bytes: float


def count_work(content: bytes, shape: tuple[int, int, int]) -> Work:
    """Count the operations of an ONNX file on one slice of `shape` [C, H, W].

    Multiplications are those of convolutions and matrix products. One counts as int8 where its weights and its data stand
    behind a DequantizeLinear, as onnxruntime then fuses them, or where it is an integer operation. A tensor between
    integer operations has one byte an element.

    Raises:
        ModelError: the file is no ONNX model. Otherwise onnxruntime's own exceptions, where it cannot run it.
    """
    shapes = _measured_shapes(content, shape)
    graph = read_graph(content)
    makers = {name: node for node in graph.nodes for name in node.outputs}
    readers: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    macs = {True: 0, False: 0}
    moved = 0
    for node in graph.nodes:
        if node.op in _PRODUCTS:
            macs[_is_int8(node, makers)] += _multiplications(node, shapes)
        if node.op in _IN_PLACE or node.op in _QUANTIZERS:
            continue
        for name in filter(None, node.inputs):
            moved += _elements(shapes[name]) * _read_size(name, makers, graph)
        for name in filter(None, node.outputs):
            moved += _elements(shapes[name]) * _written_size(node, name, readers)
    return Work(macs[False], macs[True], moved)


def measure_rates(threads: int) -> Rates:
    """The chip's rates by onnxruntime's own matrix products of 1024 x 1024 and the negation of 64 MiB, the best of seven each."""
    numbers = np.random.default_rng(0)
    a, b = (numbers.standard_normal((_SIDE, _SIDE)).astype(np.float32) for _ in range(2))
    u8, s8 = numbers.integers(0, 256, (_SIDE, _SIDE)).astype(np.uint8), numbers.integers(-127, 128, (_SIDE, _SIDE)).astype(np.int8)
    seconds = _best_seconds("MatMul", a, _FLOAT, b, threads), _best_seconds("MatMulInteger", u8, _UINT8, s8, threads)
    copied = _best_seconds("Neg", np.ones(_COPIED, np.float32), _FLOAT, None, threads)
    return Rates(_SIDE**3 / seconds[0], _SIDE**3 / seconds[1], 2 * 4 * _COPIED / copied)


def as_limits(work: Work, rates: Rates) -> dict[str, float]:
    """One precision's part of the JSON document.

    Returns:
        "gmac" and "int8_gmac" (of these in int8) a slice, "moved_mb"; "compute_ms" and "memory_ms" at the chip's rates.
    """
    compute = work.float_macs / rates.float_macs + work.int8_macs / rates.int8_macs
    return {
        "gmac": round((work.float_macs + work.int8_macs) / 1e9, 4),
        "int8_gmac": round(work.int8_macs / 1e9, 4),
        "moved_mb": round(work.moved_bytes / 1e6, 3),
        "compute_ms": round(1000 * compute, 3),
        "memory_ms": round(1000 * work.moved_bytes / rates.moved_bytes, 3),
    }


def _measured_shapes(content: bytes, shape: tuple[int, int, int]) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor, told by onnxruntime itself: the graph with a Shape behind each of them, run on one empty slice."""
    graph = read_graph(content)
    shapes = {name: array.shape for name, array in graph.tensors.items()} | {graph.inputs[0]: (1, *shape)}
    names = [name for node in graph.nodes for name in node.outputs if name]
    graph.nodes += [Node("Shape", [name], [f"{name}?shape"]) for name in names]
    graph.other += [(12, BYTES, write_fields([(1, BYTES, f"{name}?shape".encode())])) for name in names]
    session = open_network(write_graph(graph), 1)
    asked = [f"{name}?shape" for name in names]
    found = session.run(asked, {graph.inputs[0]: np.zeros((1, *shape), np.float32)})
    return shapes | {name: tuple(int(n) for n in value) for name, value in zip(names, found)}


def _multiplications(node: Node, shapes: dict[str, tuple[int, ...]]) -> int:
    data, weight, out = (shapes[name] for name in (node.inputs[0], node.inputs[1], node.outputs[0]))
    if node.op in ("Conv", "ConvInteger"):  # weight [out, in / group, height, width]
        return _elements(out) * _elements(weight[1:])
    if node.op == "ConvTranspose":  # weight [in, out / group, height, width]
        return _elements(data) * _elements(weight[1:])
    inner = data[0] if node.op == "Gemm" and node.integer("transA", 0) else data[-1]
    return _elements(out) * inner


def _is_int8(node: Node, makers: dict[str, Node]) -> bool:
    if node.op.endswith("Integer"):
        return True
    return node.op != "ConvTranspose" and all(name in makers and makers[name].op == "DequantizeLinear" for name in node.inputs[:2])


def _read_size(name: str, makers: dict[str, Node], graph: Graph) -> int:
    if name in graph.tensors:
        return graph.tensors[name].itemsize
    maker = makers.get(name)
    if maker is None:
        return 4
    if maker.op == "DequantizeLinear":
        return graph.tensors[maker.inputs[0]].itemsize if maker.inputs[0] in graph.tensors else 1
    return 1 if maker.op == "DynamicQuantizeLinear" and name == maker.outputs[0] else 4


def _written_size(node: Node, name: str, readers: dict[str, list[Node]]) -> int:
    if node.op == "DynamicQuantizeLinear" and name == node.outputs[0]:
        return 1
    after = readers.get(name, [])
    return 1 if after and all(reader.op == "QuantizeLinear" for reader in after) else 4


def _elements(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))


def _best_seconds(op: str, data: np.ndarray, kind: int, constant: np.ndarray | None, threads: int) -> float:
    """Of one run of one operation on `data`, with `constant` as its second input."""
    dims: list[Field] = [(1, BYTES, write_fields([(1, VARINT, n)])) for n in data.shape]
    tensor = write_fields([(1, VARINT, kind), (2, BYTES, write_fields(dims))])
    value = write_fields([(1, BYTES, b"data"), (2, BYTES, write_fields([(1, BYTES, tensor)]))])
    other: list[Field] = [(2, BYTES, b"rate"), (11, BYTES, value), (12, BYTES, write_fields([(1, BYTES, b"out")]))]
    model: list[Field] = [(1, VARINT, 8), (8, BYTES, write_fields([(1, BYTES, b""), (2, VARINT, 17)]))]
    inputs = ["data"] + (["constant"] if constant is not None else [])
    graph: dict[str, Any] = {"tensors": {} if constant is None else {"constant": constant}, "inputs": ["data"], "outputs": ["out"]}
    session = open_network(write_graph(Graph(nodes=[Node(op, inputs, ["out"])], other=other, model=model, **graph)), threads)
    best = float("inf")
    for _ in range(_REPEATS):
        began = time.perf_counter()
        session.run(None, {"data": data})
        best = min(best, time.perf_counter() - began)
    return best
