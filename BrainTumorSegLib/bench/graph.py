"""An ONNX file as nodes and constants that can be changed, without the package `onnx`.

Field numbers are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). What is not understood is
kept as it stands, apart from the shapes of inner values, which a changed graph makes stale and which are optional.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from BrainTumorSegLib.bench.protobuf import BYTES, VARINT, Field, read_fields, read_varints, signed, write_fields
from BrainTumorSegLib.errors import ModelError

_GRAPH = 7
_NODE, _TENSOR, _INPUT, _OUTPUT, _VALUE_INFO = 1, 5, 11, 12, 13
_IN, _OUT, _NAME, _OP, _ATTRIBUTE, _DOMAIN = 1, 2, 3, 4, 5, 7
_DIMS, _TYPE, _FLOATS, _INT32S, _INT64S, _TENSOR_NAME, _RAW = 1, 2, 4, 5, 7, 8, 9
_DTYPES: dict[int, np.dtype[Any]] = {1: np.dtype("<f4"), 2: np.dtype("u1"), 3: np.dtype("i1"), 6: np.dtype("<i4"), 7: np.dtype("<i8"), 11: np.dtype("<f8")}
_ATTRIBUTE_INT = 2  # AttributeProto.type of an integer


@dataclass
class Node:
    """One operation. `attributes` are AttributeProto messages as they stand in the file."""

    op: str
    inputs: list[str]
    outputs: list[str]
    name: str = ""
    attributes: list[bytes] = field(default_factory=list)
    domain: str = ""

    def integer(self, name: str, default: int) -> int:
        """The value of an integer attribute."""
        for message in self.attributes:
            values = {number: value for number, _, value in read_fields(message)}
            if values.get(1) == name.encode():
                return signed(int(values.get(3, 0)))
        return default


@dataclass
class Graph:
    """A model: its nodes in order, its constants by name, and what else the file holds."""

    nodes: list[Node]
    tensors: dict[str, np.ndarray]
    inputs: list[str]
    outputs: list[str]
    other: list[Field]
    model: list[Field]


def integer_attribute(name: str, value: int) -> bytes:
    """An AttributeProto."""
    return write_fields([(1, BYTES, name.encode()), (3, VARINT, value), (20, VARINT, _ATTRIBUTE_INT)])


def read_graph(content: bytes) -> Graph:
    """The graph of an ONNX file.

    Raises:
        ModelError: it is none, or a constant has a type that no model of ours uses.
    """
    model = read_fields(content)
    graphs = [value for number, _, value in model if number == _GRAPH and isinstance(value, bytes)]
    if len(graphs) != 1:
        raise ModelError("the file holds no graph, so it is no ONNX model; install it again")
    fields = read_fields(graphs[0])

    def messages(wanted: int) -> list[bytes]:
        return [value for number, _, value in fields if number == wanted and isinstance(value, bytes)]

    return Graph(
        nodes=[_read_node(message) for message in messages(_NODE)],
        tensors=dict(_read_tensor(message) for message in messages(_TENSOR)),
        inputs=[_name(message) for message in messages(_INPUT)],
        outputs=[_name(message) for message in messages(_OUTPUT)],
        other=[entry for entry in fields if entry[0] not in (_NODE, _TENSOR, _VALUE_INFO)],
        model=[entry for entry in model if entry[0] != _GRAPH],
    )


def write_graph(graph: Graph) -> bytes:
    """The ONNX file; constants that no node reads are left out."""
    used = {name for node in graph.nodes for name in node.inputs} | set(graph.outputs)
    fields: list[Field] = [(_NODE, BYTES, _write_node(node)) for node in graph.nodes]
    fields += [(_TENSOR, BYTES, _write_tensor(name, array)) for name, array in graph.tensors.items() if name in used]
    return write_fields([*graph.model, (_GRAPH, BYTES, write_fields([*fields, *graph.other]))])


def _name(message: bytes) -> str:
    return next((value.decode() for number, _, value in read_fields(message) if number == 1 and isinstance(value, bytes)), "")


def _read_node(message: bytes) -> Node:
    fields = [(number, value) for number, _, value in read_fields(message) if isinstance(value, bytes)]

    def texts(wanted: int) -> list[str]:
        return [value.decode() for number, value in fields if number == wanted]

    return Node(
        op="".join(texts(_OP)),
        inputs=texts(_IN),
        outputs=texts(_OUT),
        name="".join(texts(_NAME)),
        attributes=[value for number, value in fields if number == _ATTRIBUTE],
        domain="".join(texts(_DOMAIN)),
    )


def _write_node(node: Node) -> bytes:
    fields: list[Field] = [(_IN, BYTES, name.encode()) for name in node.inputs]
    fields += [(_OUT, BYTES, name.encode()) for name in node.outputs]
    fields += [(_NAME, BYTES, node.name.encode()), (_OP, BYTES, node.op.encode())]
    fields += [(_ATTRIBUTE, BYTES, message) for message in node.attributes]
    return write_fields([*fields, (_DOMAIN, BYTES, node.domain.encode())])


def _read_tensor(message: bytes) -> tuple[str, np.ndarray]:
    dims: list[int] = []
    kind, name, raw = 0, "", b""
    typed: list[int] = []
    for number, wire, value in read_fields(message):
        if number == _DIMS:
            dims += [value] if isinstance(value, int) else read_varints(value)
        elif number == _TYPE and isinstance(value, int):
            kind = value
        elif number in (_INT32S, _INT64S):
            typed += [value] if isinstance(value, int) else read_varints(value)
        elif number == _TENSOR_NAME and isinstance(value, bytes):
            name = value.decode()
        elif number in (_RAW, _FLOATS) and wire != VARINT and isinstance(value, bytes):  # floats are packed as raw data is
            raw += value
    if kind not in _DTYPES:
        raise ModelError(f"the constant {name} has the ONNX type {kind}, which models of BrainTumorSeg do not have; give one made by `braintumorseg export`")
    dtype = _DTYPES[kind]
    array = np.array([signed(number) for number in typed], dtype) if typed else np.frombuffer(raw, dtype)
    return name, array.reshape(dims)


def _write_tensor(name: str, array: np.ndarray) -> bytes:
    kind = next(number for number, dtype in _DTYPES.items() if dtype == array.dtype.newbyteorder("<"))
    fields: list[Field] = [(_DIMS, VARINT, size) for size in array.shape]
    data = np.ascontiguousarray(array, dtype=_DTYPES[kind]).tobytes()
    return write_fields([*fields, (_TYPE, VARINT, kind), (_TENSOR_NAME, BYTES, name.encode()), (_RAW, BYTES, data)])
