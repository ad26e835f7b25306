"""What is left of a Q/DQ graph without its pairs, by hand, and the shipped file's twins beside the file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from BrainTumorSegLib import api
from BrainTumorSegLib.bench.graph import read_graph
from BrainTumorSegLib.bench.twins import dynamic_twin, float_twin
from BrainTumorSegLib.inference.models import list_models
from BrainTumorSegLib.preprocess.intensity import fit_tissue_scale
from BrainTumorSegLib.resources import find_resources

onnx = pytest.importorskip("onnx", reason="the graphs of this test are made with onnx")


def run(content: bytes, slices: np.ndarray) -> np.ndarray:
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).run(None, {"slices": slices})[0]


def pair(source: str, scale: str, zero: str) -> list[Any]:
    return [
        onnx.helper.make_node("QuantizeLinear", [source, scale, zero], [f"{source}_q"]),
        onnx.helper.make_node("DequantizeLinear", [f"{source}_q", scale, zero], [f"{source}_dq"]),
    ]


def int8_model(zero: int) -> bytes:
    """slices [n, 1, h, w] -> two 1x1 convolutions beside each other, 0.5 x + 1 and -0.75 x + 1, quantized with steps of 0.25 from `zero`."""
    make = onnx.helper
    nodes = [
        *pair("slices", "step", "none"),
        make.make_node("DequantizeLinear", ["weight_q", "weight_scale", "weight_zero"], ["weight"], axis=0),
        make.make_node("DequantizeLinear", ["bias_q", "bias_scale", "bias_zero"], ["bias"], axis=0),
        make.make_node("Conv", ["slices_dq", "weight", "bias"], ["maps"]),
        *pair("maps", "step", "zero"),
        make.make_node("Identity", ["maps_dq"], ["probability"]),
    ]
    constants = {
        "step": np.float32(0.25),
        "none": np.uint8(0),
        "zero": np.uint8(zero),
        "weight_q": np.array([50, -25], np.int8).reshape(2, 1, 1, 1),
        "weight_scale": np.array([0.01, 0.03], np.float32),
        "weight_zero": np.zeros(2, np.int8),
        "bias_q": np.array([10, 100], np.int32),
        "bias_scale": np.array([0.1, 0.01], np.float32),
        "bias_zero": np.zeros(2, np.int32),
    }
    value = [make.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", c, "h", "w"]) for name, c in (("slices", 1), ("probability", 2))]
    tensors = [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
    graph = make.make_graph(nodes, "int8", value[:1], value[1:], tensors)
    return make.make_model(graph, ir_version=8, opset_imports=[make.make_opsetid("", 17)]).SerializeToString()


SLICES = np.array([1.0, 1.1, 4.0, 200.0], np.float32).reshape(1, 1, 2, 2)


def test_constants_become_floats_and_pairs_vanish_where_negatives_pass() -> None:
    twin = float_twin(int8_model(zero=128))
    assert Counter(node.op for node in read_graph(twin).nodes) == {"Conv": 1, "Identity": 1}
    # 0.5 x + 1 and -0.75 x + 1, not rounded and not limited
    assert run(twin, SLICES).ravel() == pytest.approx([1.5, 1.55, 3.0, 101.0, 0.25, 0.175, -2.0, -149.0], abs=1e-4)


def test_where_a_relu_was_dropped_the_range_of_the_pair_stands_for_it() -> None:
    twin = float_twin(int8_model(zero=0))
    assert Counter(node.op for node in read_graph(twin).nodes) == {"Conv": 1, "Clip": 1, "Identity": 1}  # none at the input, which no ReLU precedes
    # 255 steps of 0.25 are 63.75
    assert run(twin, SLICES).ravel() == pytest.approx([1.5, 1.55, 3.0, 63.75, 0.25, 0.175, 0.0, 0.0], abs=1e-4)


def test_a_float_file_comes_back_as_it_is() -> None:
    once = float_twin(int8_model(zero=0))
    assert run(float_twin(once), SLICES).tolist() == run(once, SLICES).tolist()


def test_a_pair_at_the_output_leaves_its_name() -> None:
    model = onnx.load_from_string(int8_model(zero=128))
    del model.graph.node[-1]
    model.graph.node[-1].output[0] = "probability"
    assert run(float_twin(model.SerializeToString()), SLICES).ravel()[:3] == pytest.approx([1.5, 1.55, 3.0], abs=1e-4)


def test_the_dynamic_twin_is_what_onnxruntime_makes_of_the_float_twin(tmp_path: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    twin = float_twin(int8_model(zero=0))
    (tmp_path / "twin.onnx").write_bytes(twin)
    quantize_dynamic(str(tmp_path / "twin.onnx"), str(tmp_path / "dynamic.onnx"), weight_type=QuantType.QUInt8)
    theirs, ours = (tmp_path / "dynamic.onnx").read_bytes(), dynamic_twin(twin)
    ops = Counter(node.op for node in read_graph(theirs).nodes)
    del ops["Reshape"]  # of the bias at run time, which ours has reshaped already
    assert Counter(node.op for node in read_graph(ours).nodes) == ops
    assert np.abs(run(ours, SLICES) - run(theirs, SLICES)).max() < 1e-4
    assert 0 < np.abs(run(ours, SLICES) - run(twin, SLICES)).max() < 0.9  # 200 / 255 is one step of the input


def test_a_tensor_that_feeds_two_convolutions_is_quantized_once() -> None:
    model = onnx.load_from_string(float_twin(int8_model(zero=128)))
    model.graph.node[0].output[0] = "left"
    second = onnx.helper.make_node("Conv", ["slices", "weight"], ["right"])  # without a bias
    del model.graph.node[1]
    model.graph.node.extend([second, onnx.helper.make_node("Sub", ["left", "right"], ["probability"])])
    content = dynamic_twin(model.SerializeToString())
    assert Counter(node.op for node in read_graph(content).nodes)["DynamicQuantizeLinear"] == 1
    assert run(content, SLICES).ravel() == pytest.approx([1.0] * 8)  # the bias is what is left


@pytest.mark.parametrize("model", list_models(), ids=lambda model: model.name)
def test_the_shipped_files_twins_say_nearly_the_same(model: Any) -> None:
    content = model.path.read_bytes()
    image = api.read_volume(find_resources() / "Phantom" / "t1ce.nii.gz").array
    middle = fit_tissue_scale(image).apply(image)[len(image) // 2, :160, :128]  # a whole head: toys lie outside of what the ranges were made for
    slices = np.repeat(middle[None, None].astype(np.float32), len(model.inputs), 1)
    original = run(content, slices)
    twin = float_twin(content)
    assert not {"QuantizeLinear", "DequantizeLinear"} & {node.op for node in read_graph(twin).nodes}
    assert len(twin) > 3 * len(content)
    onnx.checker.check_model(onnx.load_from_string(twin), full_check=True)
    for content in (twin, dynamic_twin(twin)):
        assert np.abs(run(content, slices) - original).mean() < 0.02
