"""Our reading of an ONNX file against that of the package `onnx`."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.bench.graph import integer_attribute, read_graph, write_graph
from BrainTumorSegLib.errors import ModelError

onnx = pytest.importorskip("onnx", reason="the reading is checked against the package onnx")

ARRAYS = {
    "raw": np.array([[1.5, -2.0]], np.float32),
    "scalar": np.array(3.0, np.float32),
    "bytes": np.array([0, 255], np.uint8),
    "signed": np.array([-128, 127], np.int8),
    "counts": np.array([-1, 2**40], np.int64),
}


def model_bytes(typed: bool = False) -> bytes:
    """Two nodes, with constants of every type as raw data or in typed fields."""
    make = onnx.helper
    kinds = {name: make.np_dtype_to_tensor_dtype(array.dtype) for name, array in ARRAYS.items()}
    constants = [
        make.make_tensor(name, kinds[name], array.shape, array.ravel().tolist()) if typed else onnx.numpy_helper.from_array(array, name)
        for name, array in ARRAYS.items()
    ]
    nodes = [
        make.make_node("Transpose", ["x"], ["y"], name="first", perm=[1, 0]),
        make.make_node("Softmax", ["y", *ARRAYS], ["z"], name="second", axis=-1, domain="ours"),
    ]
    value = [make.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", 2]) for name in ("x", "z")]
    inner = [make.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [2, "n"])]
    graph = make.make_graph(nodes, "named", value[:1], value[1:], constants, value_info=inner)
    model = make.make_model(graph, ir_version=8, opset_imports=[make.make_opsetid("", 17)])
    make.set_model_props(model, {"mark": "{}"})
    return model.SerializeToString()


@pytest.mark.parametrize("typed", [False, True])
def test_nodes_and_constants_are_read_as_they_are(typed: bool) -> None:
    graph = read_graph(model_bytes(typed))
    assert [(node.op, node.name, node.domain) for node in graph.nodes] == [("Transpose", "first", ""), ("Softmax", "second", "ours")]
    assert (graph.inputs, graph.outputs) == (["x"], ["z"])
    assert graph.nodes[1].inputs == ["y", *ARRAYS]
    assert graph.nodes[1].integer("axis", 5) == -1
    assert graph.nodes[0].integer("axis", 5) == 5
    for name, array in ARRAYS.items():
        assert graph.tensors[name].dtype == array.dtype
        assert graph.tensors[name].shape == array.shape
        assert np.array_equal(graph.tensors[name], array)


def test_writing_gives_the_same_model_without_inner_shapes_and_unread_constants() -> None:
    graph = read_graph(model_bytes())
    graph.tensors["unread"] = np.zeros(5, np.float32)
    before, after = onnx.load_from_string(model_bytes()), onnx.load_from_string(write_graph(graph))
    assert after.graph.value_info == []
    before.graph.ClearField("value_info")
    assert [tensor.name for tensor in after.graph.initializer] == list(ARRAYS)
    assert [onnx.numpy_helper.to_array(tensor).tolist() for tensor in after.graph.initializer] == [array.tolist() for array in ARRAYS.values()]
    for model in (before, after):
        model.graph.ClearField("initializer")
        for node in model.graph.node:
            node.domain = node.domain  # an empty text and none are the same
    assert after == before


def test_an_integer_attribute_is_onnxs() -> None:
    found = onnx.AttributeProto.FromString(integer_attribute("to", 1))
    assert found == onnx.helper.make_attribute("to", 1)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(ModelError, match="holds no graph"):
        read_graph(b"\x08\x08")
    half = onnx.load_from_string(model_bytes())
    half.graph.initializer[0].data_type = onnx.TensorProto.FLOAT16
    with pytest.raises(ModelError, match="the constant raw has the ONNX type 10"):
        read_graph(half.SerializeToString())
