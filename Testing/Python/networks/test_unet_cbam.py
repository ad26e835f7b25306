"""System D's network: four steps up, CBAM after every block."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from BrainTumorSegLib.networks.blocks.cbam import CBAM
from BrainTumorSegLib.networks.table import build
from BrainTumorSegLib.networks.unet_cbam import AttendedBlock, UNetCBAMConfig
from Testing.Python.networks.checks import count, exported_difference, published, silent_parameters
from Testing.Python.networks.plain import array, convolve, noise, normalize, relu, shaken

pytestmark = pytest.mark.usefixtures("one_thread")

WIDTHS = (64, 128, 256, 512, 1024)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_the_parameters_are_counted_by_hand(batch_norm: bool) -> None:
    def block(i: int, o: int) -> int:
        # two 3x3 convolutions with BN's 2 vectors, or with 1 of biases; CBAM with ratio 16 and 7x7
        return 9 * i * o + 9 * o * o + (4 if batch_norm else 2) * o + 2 * o * (o // 16) + o // 16 + o + 98

    down = sum(block(i, o) for i, o in zip((3, *WIDTHS), WIDTHS))
    up = sum(9 * deep * o + o + block(2 * o, o) for deep, o in zip(WIDTHS[1:], WIDTHS))
    total = down + up + 64 * 2 + 2
    assert count(published("unet-cbam", batch_norm=batch_norm)) == total == (34_741_420 if batch_norm else 34_735_532)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_a_block_is_its_formula_in_numpy_up_to_its_attention(batch_norm: bool) -> None:
    block, x = shaken(AttendedBlock(3, 8, UNetCBAMConfig(batch_norm=batch_norm))), noise(2, 3, 5, 6)
    y = array(x)
    convolutions = [layer for layer in block if isinstance(layer, torch.nn.Conv2d)]
    norms = [layer for layer in block if isinstance(layer, torch.nn.BatchNorm2d)]
    for i, convolution in enumerate(convolutions):
        y = convolve(y, convolution, padding=1)
        y = relu(normalize(y, norms[i]) if batch_norm else y)
    assert len(convolutions) == 2
    convolved = torch.nn.Sequential(*list(block)[:-1])(x)
    assert np.allclose(array(convolved), y, atol=1e-5)
    assert torch.equal(block(x), block[-1](convolved))


def test_every_block_down_and_up_ends_in_cbam() -> None:
    network = published("unet-cbam")
    blocks = [*network.down, *network.blocks]
    assert len(blocks) == 9
    assert all(isinstance(block[-1], CBAM) for block in blocks)


def test_every_setting_changes_the_network() -> None:
    def sizes(**changes: object) -> list[tuple[int, ...]]:
        return [tuple(p.shape) for p in published("unet-cbam", **changes).parameters()]

    plain = sizes()
    for changes in ({"in_channels": 1}, {"out_channels": 3}, {"width": 0.5}, {"batch_norm": False}, {"spatial_kernel": 3}):
        assert sizes(**changes) != plain, changes


@pytest.mark.parametrize("batch_norm", [True, False])
def test_gradients_reach_every_parameter(batch_norm: bool) -> None:
    assert silent_parameters(build("unet-cbam", width=0.125, batch_norm=batch_norm), torch.rand(4, 3, 64, 64)) == []


def test_logits_have_the_size_of_the_input() -> None:
    assert build("unet-cbam", width=0.125).eval()(torch.rand(1, 3, 64, 96)).shape == (1, 2, 64, 96)


def test_the_exported_graph_says_what_torch_says(tmp_path) -> None:
    assert exported_difference("unet-cbam", tmp_path) < 1e-4
