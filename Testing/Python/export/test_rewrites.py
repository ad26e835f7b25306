"""Rewritten graphs say what they said before, on random numbers, and hold the layers that quantize."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from BrainTumorSegLib.export.rewrites import rewrite
from BrainTumorSegLib.export.to_onnx import export_onnx
from BrainTumorSegLib.networks.table import build

pytestmark = pytest.mark.usefixtures("one_thread")
TOLERANCE = 1e-5


def model_of(nodes: list[Any], constants: dict[str, np.ndarray], channels: int) -> onnx.ModelProto:
    make = onnx.helper
    value = [make.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", c, "h", "w"]) for name, c in (("x", channels), ("y", None))]
    tensors = [onnx.numpy_helper.from_array(np.asarray(array, np.float32), name) for name, array in constants.items()]
    return make.make_model(make.make_graph(nodes, "g", value[:1], value[1:], tensors), ir_version=8, opset_imports=[make.make_opsetid("", 17)])


def run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # or it would fold by itself
    onnx.checker.check_model(model, full_check=True)
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def operations(model: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


def transposed(kernel: int, bias: bool = True, **settings: Any) -> onnx.ModelProto:
    constants = {"w": random(3, 5, kernel, kernel)} | ({"b": random(5, seed=1)} if bias else {})
    node = onnx.helper.make_node("ConvTranspose", ["x", *constants], ["y"], **{"strides": [2, 2], "kernel_shape": [kernel] * 2, **settings})
    return model_of([node], constants, 3)


@pytest.mark.parametrize(
    ("kernel", "settings", "convolutions"),
    [
        (2, {}, [(20, 1, 1)]),
        (3, {"pads": [1] * 4, "output_padding": [1, 1]}, [(5, 1, 1), (5, 1, 2), (5, 2, 1), (5, 2, 2)]),
        (3, {"pads": [0, 0, 1, 1]}, [(5, 2, 2), (5, 2, 1), (5, 1, 2), (5, 1, 1)]),  # TensorFlow's "same" drops the last row and column
        (4, {"pads": [1] * 4}, [(5, 2, 2)] * 4),
    ],
)
@pytest.mark.parametrize("bias", [True, False])
def test_doubling_transposed_convolutions_become_convolutions(kernel: int, settings: dict[str, Any], convolutions: list[Any], bias: bool) -> None:
    model = transposed(kernel, bias, **settings)
    rewritten = rewrite(model)
    shapes = [(tensor.dims[0], *tensor.dims[2:]) for tensor in rewritten.graph.initializer if len(tensor.dims) == 4]
    assert shapes == convolutions
    assert operations(rewritten)["ConvTranspose"] == 0 and operations(rewritten)["DepthToSpace"] == 1
    x = random(2, 3, 6, 7, seed=2)
    assert run(rewritten, x).shape == (2, 5, 12, 14)
    assert np.abs(run(rewritten, x) - run(model, x)).max() < TOLERANCE


@pytest.mark.parametrize(
    "settings",
    [{}, {"pads": [1] * 4}, {"strides": [1, 1]}, {"pads": [1] * 4, "output_padding": [1, 1], "dilations": [2, 2]}, {"auto_pad": "SAME_UPPER"}],
)
def test_other_transposed_convolutions_stay(settings: dict[str, Any]) -> None:
    model = transposed(3, **settings)
    assert operations(rewrite(model)) == operations(model) == {"ConvTranspose": 1}


def normalization(source: str, target: str) -> tuple[Any, dict[str, np.ndarray]]:
    constants = {f"{target}_{key}": random(4, seed=i) for i, key in enumerate(("gain", "shift", "mean"))} | {f"{target}_variance": random(4, seed=9) ** 2}
    return onnx.helper.make_node("BatchNormalization", [source, *constants], [target], epsilon=0.001), constants


@pytest.mark.parametrize("bias", [True, False])
def test_a_normalization_behind_a_convolution_folds_into_it(bias: bool) -> None:
    node, constants = normalization("c", "y")
    constants |= {"w": random(4, 3, 3, 3)} | ({"b": random(4)} if bias else {})
    convolution = onnx.helper.make_node("Conv", ["x", "w", "b"][: 3 if bias else 2], ["c"], kernel_shape=[3, 3], strides=[2, 2])
    model = model_of([convolution, node], constants, 3)
    rewritten = rewrite(model)
    assert operations(rewritten) == {"Conv": 1}
    x = random(2, 3, 8, 9)
    assert np.abs(run(rewritten, x) - run(model, x)).max() < TOLERANCE


def test_a_normalization_that_stands_alone_becomes_a_convolution_of_single_channels() -> None:
    node, constants = normalization("x", "y")
    model = model_of([node], constants, 4)
    rewritten = rewrite(model)
    assert operations(rewritten) == {"Conv": 1} and sorted(list(tensor.dims) for tensor in rewritten.graph.initializer) == [[4], [4, 1, 1, 1]]
    assert np.abs(run(rewritten, random(2, 4, 5, 5)) - run(model, random(2, 4, 5, 5))).max() < TOLERANCE


def test_a_convolution_that_others_read_too_is_left_alone() -> None:
    node, constants = normalization("c", "n")
    nodes = [onnx.helper.make_node("Conv", ["x", "w"], ["c"]), node, onnx.helper.make_node("Add", ["c", "n"], ["y"])]
    model = model_of(nodes, constants | {"w": random(4, 3, 1, 1)}, 3)
    assert operations(rewrite(model)) == {"Conv": 2, "Add": 1}
    assert np.abs(run(rewrite(model), random(2, 3, 5, 5)) - run(model, random(2, 3, 5, 5))).max() < TOLERANCE


def test_a_depthwise_convolution_that_pads_or_strides_is_no_scaling() -> None:
    nodes = [
        onnx.helper.make_node("Conv", ["x", "w"], ["c"]),
        onnx.helper.make_node("Conv", ["c", "s", "b"], ["y"], group=4, strides=[2, 2]),
    ]
    model = model_of(nodes, {"w": random(4, 3, 1, 1), "s": random(4, 1, 1, 1), "b": random(4)}, 3)
    assert operations(rewrite(model)) == {"Conv": 2}


def test_the_given_model_is_left_as_it_was() -> None:
    model = transposed(2)
    before = model.SerializeToString()
    rewrite(model)
    assert model.SerializeToString() == before


@pytest.mark.parametrize("name", ["res-unet-ag", "res-unet-cbam", "unet-d", "unet-cbam"])
def test_published_networks_are_the_same_after_it(name: str, tmp_path: Any) -> None:
    torch.manual_seed(0)
    network = build(name, width=0.125)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network(torch.rand(4, 3, 64, 96))  # statistics as after training: not 0 and 1
    logit = nn.Conv2d(2 if name.startswith("unet") else 1, 1, 1)
    nn.init.constant_(logit.weight, 0.1)  # random logits are large, and so is what float32 rounds of them
    export_onnx(nn.Sequential(network, logit).eval(), tmp_path / "a.onnx", {}, 3)
    model = onnx.load(str(tmp_path / "a.onnx"))
    rewritten = rewrite(model)
    assert {"ConvTranspose", "BatchNormalization"} & set(operations(model))
    assert not {"ConvTranspose", "BatchNormalization"} & set(operations(rewritten))
    onnx.checker.check_model(rewritten, full_check=True)
    slices = np.random.default_rng(0).uniform(0, 1, (3, 3, 64, 96)).astype(np.float32)
    before, after = (
        onnxruntime.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"slices": slices})[0] for m in (model, rewritten)
    )
    assert before.shape == after.shape == (3, 1, 64, 96) and before.std() > 1e-3
    assert np.abs(before - after).max() < TOLERANCE
