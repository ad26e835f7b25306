"""What starts from a file says what the file says, and learns as any network does."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.export.int8 import write_int8
from BrainTumorSegLib.export.quantize import fold
from BrainTumorSegLib.export.to_onnx import export_onnx
from BrainTumorSegLib.networks.attention_unet import AttentionUNet, AttentionUNetConfig
from BrainTumorSegLib.training.unfold import unfold

pytestmark = pytest.mark.usefixtures("one_thread")

CONFIG = AttentionUNetConfig(out_channels=2, decoder_channels=(16, 16, 8, 8), dropout=0.0, drop_path=0.0)


def hills(n: int, seed: int, size: int = 64) -> np.ndarray:
    """Smooth pictures in tissue units, float32 [n, 1, size, size]."""
    numbers = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    centers = numbers.uniform(0, size, (n, 2, 1, 1))
    return (1 + numbers.uniform(0.3, 1.5, (n, 1, 1)) * np.exp(-((y - centers[:, 0]) ** 2 + (x - centers[:, 1]) ** 2) / 200)).astype(np.float32)[:, None]


@pytest.fixture(scope="module")
def network() -> AttentionUNet:
    """Normalizations that differ from channel to channel, in the order of magnitude that training leaves."""
    torch.manual_seed(1)
    network = AttentionUNet(CONFIG)
    with torch.no_grad():
        for _ in range(60):  # running statistics
            network(torch.from_numpy(hills(4, 0)))
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 0.5
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.5, 0.5)
        for _ in range(8):
            network(torch.from_numpy(hills(4, 0)))
    return network.eval()


@pytest.fixture(scope="module")
def files(network: AttentionUNet, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    shipped = copy.deepcopy(network)
    shipped.keep_outputs(1)
    export_onnx(shipped, folder / "fp32.onnx", {})
    fold(folder / "fp32.onnx", folder / "folded.onnx")
    write_int8(folder / "fp32.onnx", folder / "int8.onnx", hills(16, 1), {}, lambda fraction, message: None)
    return {path.stem: path for path in folder.glob("*.onnx")}


def answers(path: Path, slices: np.ndarray) -> np.ndarray:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"slices": slices})[0]


def unfolded(path: Path, seed: int = 5) -> AttentionUNet:
    torch.manual_seed(seed)
    fresh = AttentionUNet(CONFIG)
    unfold(path, fresh, torch.from_numpy(hills(8, 2)))
    return fresh


def test_it_says_what_the_file_says(files: dict[str, Path]) -> None:
    slices = hills(4, 3)
    with torch.no_grad():
        given = torch.sigmoid(unfolded(files["folded"]).eval()(torch.from_numpy(slices))).numpy()
    expected = answers(files["folded"], slices)
    assert given.shape == (4, 2, 64, 64) and expected.shape == (4, 1, 64, 64)
    assert expected.std() > 0.05
    assert np.abs(given[:, :1] - expected).max() < 1e-4


def effective(network: AttentionUNet, first: str, second: str) -> torch.Tensor:
    """Weights of the convolution `first` with the normalization `second` folded in, [out, n]."""
    convolution, normalization = network.get_submodule(first), network.get_submodule(second)
    return convolution.weight.flatten(1) * (normalization.weight / (normalization.running_var + normalization.eps).sqrt())[:, None]


@pytest.mark.parametrize(("first", "second"), [("encoder.stages.3.0.layers.0", "encoder.stages.3.0.layers.1"), ("blocks.2.body.1", "blocks.2.body.2")])
def test_of_int8_weights_it_has_each_within_half_a_step(files: dict[str, Path], first: str, second: str) -> None:
    exact, rounded = (effective(unfolded(files[name]), first, second) for name in ("folded", "int8"))
    steps = exact.abs().amax(1) / 127  # one scale for each output channel
    away = (rounded - exact).abs().amax(1) / steps
    assert (away < 0.51).all()
    assert away.max() > 0.2  # int8 it is


def test_an_output_that_the_file_has_not_stays_as_it_was(files: dict[str, Path]) -> None:
    torch.manual_seed(5)
    fresh, loaded = AttentionUNet(CONFIG), unfolded(files["folded"])
    assert torch.equal(loaded.head[0].weight[4:], fresh.head[0].weight[4:])  # four maps of each output
    assert not torch.equal(loaded.head[0].weight[:4], fresh.head[0].weight[:4])


def test_weights_are_as_long_as_those_of_a_network_that_begins_anew_and_normalizations_do_what_they_do_in_training(files: dict[str, Path]) -> None:
    torch.manual_seed(5)
    fresh, loaded = dict(AttentionUNet(CONFIG).named_modules()), unfolded(files["folded"])
    modules = dict(loaded.named_modules())
    seen: dict[str, torch.Tensor] = {}
    for name in ("encoder.stem", "encoder.stages.3.0.layers", "blocks.1.body", "gates.2.skip_projection", "up.0"):
        first, second = (f"{name}.0", f"{name}.1") if name != "blocks.1.body" else (f"{name}.1", f"{name}.2")
        lengths = [m[first].weight.flatten(1).norm(dim=1) for m in (modules, fresh)]
        assert torch.allclose(*lengths, rtol=1e-4)
        modules[first].register_forward_hook(lambda module, inputs, output, key=second: seen.update({key: output.detach()}))
    with torch.no_grad():
        loaded.eval()(torch.from_numpy(hills(8, 2)))
    assert len(seen) == 5
    for name, output in seen.items():
        assert torch.allclose(modules[name].running_mean, output.mean((0, 2, 3)), atol=2e-3)
        assert torch.allclose(modules[name].running_var, output.var((0, 2, 3), correction=0), rtol=2e-3, atol=1e-5)


def test_the_same_file_and_slices_give_the_same_weights(files: dict[str, Path]) -> None:
    one, two = (unfolded(files["int8"]).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_another_network_or_no_file_is_refused(files: dict[str, Path], tmp_path: Path) -> None:
    wider = AttentionUNet(AttentionUNetConfig(out_channels=2, decoder_channels=(24, 16, 8, 8)))
    with pytest.raises(InputError, match=r"folded.onnx is no int8 file of this recipe's network; give one"):
        unfold(files["folded"], wider, torch.zeros(1, 1, 64, 64))
    two_inputs = AttentionUNet(AttentionUNetConfig(in_channels=2, out_channels=2, decoder_channels=(16, 16, 8, 8)))
    with pytest.raises(InputError, match="is no int8 file of this recipe's network"):
        unfold(files["fp32"], two_inputs, torch.zeros(1, 2, 64, 64))
    model = onnx.load(str(files["folded"]))
    del model.graph.node[-3:]
    onnx.save(model, str(tmp_path / "cut.onnx"))
    with pytest.raises(InputError, match="is no int8 file of this recipe's network"):
        unfold(files["fp32"], AttentionUNet(CONFIG), torch.zeros(1, 1, 64, 64))  # its normalizations are still there
    with pytest.raises(InputError, match="is no int8 file of this recipe's network"):
        unfold(tmp_path / "cut.onnx", AttentionUNet(CONFIG), torch.zeros(1, 1, 64, 64))
    (tmp_path / "text.onnx").write_text("no network")
    for name in ("text.onnx", "missing.onnx"):
        with pytest.raises(InputError, match=f"{name} is no ONNX file that can be read; give one that export has written"):
            unfold(tmp_path / name, AttentionUNet(CONFIG), torch.zeros(1, 1, 64, 64))
