"""Multiplications and bytes of small graphs, counted by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from BrainTumorSegLib.bench.limits import Rates, Work, as_limits, count_work, measure_rates
from BrainTumorSegLib.bench.twins import dynamic_twin

onnx = pytest.importorskip("onnx", reason="the graphs are made with the package onnx")
make = onnx.helper.make_node
FLOAT, IMAGE = onnx.TensorProto.FLOAT, (1, 8, 8)
SCALES = {"s": np.array(0.1, np.float32), "u0": np.array(0, np.uint8), "i0": np.array(0, np.int8)}


def model(nodes: list[Any], **constants: np.ndarray) -> bytes:
    """A graph from "x" [n, 1, 8, 8] to "y"."""
    value = [onnx.helper.make_tensor_value_info("x", FLOAT, ["n", *IMAGE]), onnx.helper.make_tensor_value_info("y", FLOAT, None)]
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = onnx.helper.make_graph(nodes, "g", value[:1], value[1:], tensors)
    return onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17)]).SerializeToString()


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


def test_a_convolution_multiplies_every_tap_for_every_output() -> None:
    content = model([make("Conv", ["x", "w"], ["c"], pads=[1] * 4), make("Relu", ["c"], ["y"])], w=ones(4, 1, 3, 3))
    # 4 channels x 64 pixels x 9 taps; 64 read, 36 weights and 256 written, four bytes each; the ReLU is fused
    assert count_work(content, IMAGE) == Work(float_macs=4 * 64 * 9, int8_macs=0, moved_bytes=4 * (64 + 36 + 256))


def test_strides_and_groups_multiply_less() -> None:
    nodes = [make("Conv", ["x", "w"], ["c"], strides=[2, 2], pads=[1] * 4), make("Conv", ["c", "d"], ["y"], pads=[1] * 4, group=4)]
    found = count_work(model(nodes, w=ones(4, 1, 3, 3), d=ones(4, 1, 3, 3)), IMAGE)
    assert found.float_macs == 4 * 16 * 9 + 4 * 16 * 9  # each depth-wise output reads its own channel only


def test_a_transposed_convolution_multiplies_every_input_by_every_tap() -> None:
    content = model([make("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2])], w=ones(1, 3, 2, 2))
    assert count_work(content, IMAGE).float_macs == 64 * 3 * 4


def test_matrix_products_multiply_along_the_inner_length() -> None:
    assert count_work(model([make("MatMul", ["x", "w"], ["y"])], w=ones(8, 5)), IMAGE).float_macs == 8 * 5 * 8
    nodes = [make("Flatten", ["x"], ["f"]), make("Gemm", ["f", "w", "b"], ["y"])]
    assert count_work(model(nodes, w=ones(64, 3), b=ones(3)), IMAGE).float_macs == 3 * 64


def test_between_q_and_dq_a_convolution_is_int8_with_one_byte_an_element() -> None:
    nodes = [
        make("QuantizeLinear", ["x", "s", "u0"], ["xq"]),
        make("DequantizeLinear", ["xq", "s", "u0"], ["xd"]),
        make("DequantizeLinear", ["w", "s", "i0"], ["wd"]),
        make("Conv", ["xd", "wd"], ["c"], pads=[1] * 4),
        make("QuantizeLinear", ["c", "s", "u0"], ["cq"]),
        make("DequantizeLinear", ["cq", "s", "u0"], ["y"]),
    ]
    content = model(nodes, w=np.ones((4, 1, 3, 3), np.int8), **SCALES)
    assert count_work(content, IMAGE) == Work(float_macs=0, int8_macs=4 * 64 * 9, moved_bytes=64 + 36 + 256)


def test_a_dynamic_file_is_int8_and_pays_for_its_rescaling() -> None:
    content = model([make("Conv", ["x", "w"], ["y"], pads=[1] * 4)], w=ones(4, 1, 3, 3))
    found = count_work(dynamic_twin(content), IMAGE)
    assert (found.float_macs, found.int8_macs) == (0, 4 * 64 * 9)
    assert found.moved_bytes > 5 * 4 * 256  # the int32 product is cast and multiplied, each a pass over the output


def test_milliseconds_are_work_over_rate() -> None:
    limits = as_limits(Work(2_000_000_000, 1_000_000_000, 5_000_000), Rates(float_macs=1e11, int8_macs=4e11, moved_bytes=1e10))
    assert limits == {"gmac": 3.0, "int8_gmac": 1.0, "moved_mb": 5.0, "compute_ms": 22.5, "memory_ms": 0.5}


def test_the_chip_has_rates() -> None:
    rates = measure_rates(1)
    assert rates.float_macs > 1e6 and rates.int8_macs > 1e6 and rates.moved_bytes > 1e6
