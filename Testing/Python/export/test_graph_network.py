"""A graph computes in PyTorch what onnxruntime computes, in float and with every rounding of int8 in its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from BrainTumorSegLib.export.graph_network import GraphNetwork
from BrainTumorSegLib.export.quantize import fold, quantize_folded
from BrainTumorSegLib.export.to_onnx import export_onnx
from BrainTumorSegLib.networks.attention_unet import AttentionUNet, AttentionUNetConfig
from Testing.Python.tiny import save_network

pytestmark = pytest.mark.usefixtures("one_thread")

make = onnx.helper.make_node


def pictures(n: int, size: int = 32, seed: int = 0) -> np.ndarray:
    """Noise on a slope, float32 [n, 1, size, size]."""
    numbers = np.random.default_rng(seed)
    return (numbers.uniform(0, 1, (n, 1, size, size)) + np.linspace(-0.5, 1, size)).astype(np.float32)


@pytest.fixture(scope="module")
def network() -> AttentionUNet:
    """Random weights, and normalizations that shift and scale, as after training."""
    torch.manual_seed(0)
    network = AttentionUNet(AttentionUNetConfig(decoder_channels=(16, 16, 8, 8), dropout=0.0, drop_path=0.0))
    with torch.no_grad():
        network.train()(torch.from_numpy(pictures(8, 64)))  # statistics of these pictures
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.7, 1.3)
                module.bias.uniform_(-0.2, 0.5)
    return network.eval()


@pytest.fixture(scope="module")
def files(network: AttentionUNet, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(folded, int8) of it."""
    folder = tmp_path_factory.mktemp("graph")
    export_onnx(network, folder / "fp32.onnx", {})
    fold(folder / "fp32.onnx", folder / "folded.onnx")
    quantize_folded(folder / "folded.onnx", folder / "int8.onnx", pictures(8, 64, seed=1))
    return folder / "folded.onnx", folder / "int8.onnx"


def load(files: tuple[Path, Path]) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    return onnx.load(str(files[0])), onnx.load(str(files[1]))


def run(model: onnx.ModelProto, slices: np.ndarray, wanted: list[str] | None = None) -> list[np.ndarray]:
    """Values of a graph node by node, as it is written: with optimizations the names inside are no more."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(wanted, {"slices": slices})


def logits(probabilities: np.ndarray) -> np.ndarray:
    return np.log(probabilities.astype(float) / (1 - probabilities.astype(float)))


def test_folding_the_normalizations_changes_nothing(network: AttentionUNet, files: tuple[Path, Path]) -> None:
    folded, _ = load(files)
    assert "BatchNormalization" not in {node.op_type for node in folded.graph.node}
    slices = torch.from_numpy(pictures(2, 64, seed=2))
    with torch.no_grad():
        expected, given = network(slices), GraphNetwork(folded, folded)(slices)
    assert expected.std() > 0.1
    assert (given - expected).abs().max() < 1e-5 * max(1.0, expected.abs().max().item())


def test_every_tensor_of_the_encoder_and_decoder_is_rounded_where_onnxruntime_rounds_it(files: tuple[Path, Path]) -> None:
    # Each step is given what onnxruntime gave it: a value halfway between two levels falls one way here and the other way there,
    # and what a network makes of that one step says nothing of places and scales.
    folded, int8 = load(files)
    graph = GraphNetwork(int8, folded)
    slices = pictures(2, 64, seed=2)
    wanted = [node.output[0] for node in int8.graph.node if node.op_type != "QuantizeLinear" and node.output[0] != int8.graph.output[0].name]
    for name in wanted:
        int8.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    values = {"slices": slices, **dict(zip(wanted, run(int8, slices, wanted)))}
    compared = 0
    with torch.no_grad():
        given = {name: torch.from_numpy(np.array(value)) for name, value in values.items()}
        for node, settings in graph._nodes:
            if node.op_type == "QuantizeLinear":
                given[node.output[0]] = graph._compute(node, settings, given)
            elif node.output[0] in values and node.output[0] != int8.graph.output[0].name:
                computed, expected = graph._compute(node, settings, given).numpy(), values[node.output[0]]
                off = np.abs(computed - expected) > 1e-4 * np.abs(expected).max() + 1e-9
                assert off.sum() <= 1 + 1e-4 * off.size, node.name  # halfway between two levels
                compared += 1
    assert compared > 300  # 77 convolutions with weights and biases, and the roundings of all activations


def test_a_small_int8_file_and_its_graph_say_the_same(tmp_path: Path) -> None:
    """Everything that an attention U-Net is made of, on so few layers that a level that falls the other way stays rare."""
    numbers = np.random.default_rng(0)

    def weights(*shape: int) -> np.ndarray:
        return numbers.normal(0, 0.4, shape)

    nodes = [
        make("Conv", ["slices", "w0", "b0"], ["stem"], "/stem/Conv", strides=[2, 2], pads=[1] * 4),
        make("Clip", ["stem", "zero", "six"], ["six_steps"], "/stem/Clip"),
        make("Conv", ["six_steps", "w1", "b1"], ["deep"], "/deep/Conv", group=8, pads=[1] * 4),
        make("Relu", ["deep"], ["positive"], "/deep/Relu"),
        make("Add", ["positive", "six_steps"], ["sum"], "/Add"),
        make("Conv", ["sum", "w2", "b2"], ["attention"], "/gate/Conv"),
        make("Sigmoid", ["attention"], ["alpha"], "/gate/Sigmoid"),
        make("Mul", ["six_steps", "alpha"], ["gated"], "/gate/Mul"),
        make("Concat", ["sum", "gated"], ["both"], "/Concat", axis=1),
        make("Conv", ["both", "w3", "b3"], ["head"], "/head/Conv", pads=[0, 1, 0, 0]),
        make("DepthToSpace", ["head"], ["logit"], "/head/DepthToSpace", blocksize=2, mode="CRD"),
        make("Sigmoid", ["logit"], ["probability"], "/Sigmoid"),
    ]
    constants = {"w0": weights(8, 1, 3, 3), "w1": weights(8, 1, 3, 3), "w2": weights(1, 8, 1, 1), "w3": weights(4, 16, 1, 2)}
    constants |= {"b0": weights(8), "b1": weights(8), "b2": weights(1), "b3": weights(4), "zero": np.array(0), "six": np.array(6)}
    source = save_network(tmp_path / "fp32.onnx", nodes, constants)
    fold(source, tmp_path / "folded.onnx")
    quantize_folded(tmp_path / "folded.onnx", tmp_path / "int8.onnx", pictures(16))
    folded, int8 = load((tmp_path / "folded.onnx", tmp_path / "int8.onnx"))
    slices = pictures(4, seed=3)
    exact, quantized = logits(run(folded, slices)[0]), logits(run(int8, slices)[0])
    with torch.no_grad():
        given = GraphNetwork(int8, folded)(torch.from_numpy(slices)).numpy()
    assert given.shape == (4, 1, 32, 32)
    assert np.abs(given - quantized).std() < 0.03 * np.abs(quantized - exact).std()
    assert np.mean(np.abs(given - quantized) > 1e-4) < 0.01


def test_what_is_only_moved_has_one_scale(files: tuple[Path, Path]) -> None:
    folded, int8 = load(files)
    graph = GraphNetwork(int8, folded)
    moved = [node for node in int8.graph.node if node.op_type == "DepthToSpace" and node.output[0] in graph.ranges()]
    assert len(moved) == 4  # the head's is not rounded
    with torch.no_grad():
        for scale in graph.log_scales:
            scale.add_(torch.rand(()))
    for node in moved:
        assert graph.ranges()[node.output[0]] == graph.ranges()[node.input[0].removesuffix("_DequantizeLinear_Output")]


def test_weights_are_learned_as_shares_of_their_channel_and_written_back_as_they_are(files: tuple[Path, Path]) -> None:
    folded, int8 = load(files)
    graph = GraphNetwork(int8, folded)
    assert all(weight.abs().max() <= 1 + 1e-6 for weight in graph.weights if weight.ndim > 1)
    before = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in folded.graph.initializer}
    graph.write_weights(folded)
    after = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in folded.graph.initializer}
    assert all(np.allclose(after[name], before[name], rtol=1e-6, atol=0) for name in before)
    with torch.no_grad():
        for weight in graph.weights:
            weight.mul_(2)
    graph.write_weights(folded)
    after = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in folded.graph.initializer}
    assert all(np.allclose(after[name], 2 * before[name], rtol=1e-6, atol=0) for name in graph._names)


def test_learned_ranges_and_weights_are_in_the_file_that_is_made_of_them(files: tuple[Path, Path], tmp_path: Path) -> None:
    folded, int8 = load(files)
    graph = GraphNetwork(int8, folded)
    wanted = {name: (scale * 1.5, zero_point) for name, (scale, zero_point) in graph.ranges().items()}
    quantize_folded(files[0], tmp_path / "again.onnx", pictures(2, 64), ranges=wanted)
    again = GraphNetwork(onnx.load(str(tmp_path / "again.onnx")), folded).ranges()
    assert set(again) == set(wanted)
    for name, (scale, zero_point) in again.items():
        assert (scale, zero_point) == (pytest.approx(wanted[name][0], rel=1e-5), wanted[name][1])


@pytest.mark.parametrize("kind", ["Softplus", "ConvTranspose"])
def test_a_node_that_cannot_be_computed_is_named(tmp_path: Path, kind: str) -> None:
    nodes = [make(kind, ["slices", "w"][: 1 + (kind != "Softplus")], ["a"], "odd"), make("Sigmoid", ["a"], ["probability"], "end")]
    model = onnx.load(str(save_network(tmp_path / "odd.onnx", nodes, {"w": np.ones((1, 1, 2, 2))})))
    with pytest.raises(ValueError, match=f"odd is a {kind} that fine-tuning cannot compute"):
        GraphNetwork(model, model)
