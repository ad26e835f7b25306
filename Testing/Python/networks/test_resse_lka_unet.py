"""System C's network: counted by hand, deeply supervised in training only."""

from __future__ import annotations

import onnx
import pytest
import torch
from torch.nn import functional as F

from BrainTumorSegLib.networks.table import build
from Testing.Python.networks.checks import count, exported_difference, published, silent_parameters
from Testing.Python.networks.plain import shaken

pytestmark = pytest.mark.usefixtures("one_thread")

WIDTHS = (32, 64, 128, 256, 512)


def test_the_parameters_are_counted_by_hand() -> None:
    total = 0
    for before, c in zip((4, *WIDTHS), WIDTHS):
        total += 9 * before * c + 9 * c * c + 4 * c + before * c + c  # ResSE: two 3x3 convolutions with BN, 1x1 projection with bias
        total += 2 * c * (c // 16) + c // 16 + c  # SE
        total += 26 * c + 50 * c + c * c + 2 * c  # LKA: depth-wise 5x5 and 7x7 with bias, 1x1, BN
    total += 512**2 * (1 + 9 + 1) + 2 * 512  # context extraction
    for deep, c in zip(WIDTHS[1:], WIDTHS):
        total += deep * 4 * c + 4 * c + 9 * 2 * c * c + 9 * c * c + 4 * c  # up-sampling, two 3x3 convolutions with BN
    total += 32 * 4 + 4
    heads = (64 + 128 + 256) * 4 + 3 * 4
    assert count(published("resse-lka-unet", deep_supervision=False)) == total
    assert count(published("resse-lka-unet")) == total + heads == 11_297_742


def test_every_setting_changes_the_network() -> None:
    def sizes(**changes: object) -> list[tuple[int, ...]]:
        return [tuple(p.shape) for p in published("resse-lka-unet", **changes).parameters()]

    plain = sizes()
    for changes in ({"in_channels": 1}, {"out_channels": 2}, {"width": 0.5}, {"deep_supervision": False}):
        assert sizes(**changes) != plain, changes


def test_gradients_reach_every_parameter() -> None:
    assert silent_parameters(build("resse-lka-unet", width=0.25), torch.rand(4, 4, 64, 64)) == []


def test_training_gives_four_maps_of_full_size_and_evaluation_one() -> None:
    network = build("resse-lka-unet", width=0.125)
    x = torch.rand(2, 4, 64, 96)
    assert [tuple(y.shape) for y in network(x)] == [(2, 4, 64, 96)] * 4
    assert network.eval()(x).shape == (2, 4, 64, 96)
    assert build("resse-lka-unet", width=0.125, deep_supervision=False)(x).shape == (2, 4, 64, 96)


def test_the_main_map_comes_first_and_the_finest_head_second() -> None:
    torch.manual_seed(0)
    network, x = build("resse-lka-unet", width=0.125), torch.rand(2, 4, 64, 64)
    decoded: list[torch.Tensor] = []
    for block in network.blocks:
        block.register_forward_hook(lambda _m, _i, y: decoded.append(y))
    main, *maps = network(x)
    assert [y.shape[-1] for y in decoded] == [8, 16, 32, 64]
    assert torch.equal(main, network.head(decoded[3]))
    for given, head, y in zip(maps, network.auxiliary, decoded[2::-1]):
        assert torch.equal(given, F.interpolate(head(y), size=(64, 64), mode="bilinear"))


def test_levels_are_pooled_and_context_stands_at_the_bottom() -> None:
    network, x = shaken(build("resse-lka-unet", width=0.125)), torch.rand(1, 4, 32, 32)
    seen: list[torch.Tensor] = []
    network.context.register_forward_pre_hook(lambda _m, given: seen.append(given[0]))
    network(x)
    y = network.levels[0](x)
    for level in network.levels[1:]:
        y = level(F.max_pool2d(y, 2))
    assert torch.equal(seen[0], y)


def test_the_exported_graph_says_what_torch_says_and_has_no_auxiliary_head(tmp_path) -> None:
    assert exported_difference("resse-lka-unet", tmp_path) < 1e-4
    graph = onnx.load(tmp_path / "tiny.onnx").graph
    assert len(graph.output) == 1
    assert not [tensor.name for tensor in graph.initializer if "auxiliary" in tensor.name]
    assert not [node for node in graph.node if node.op_type == "Resize"]
