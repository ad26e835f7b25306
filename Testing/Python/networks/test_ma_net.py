"""MA-Net is its paper's two attention blocks on the encoder."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from BrainTumorSegLib.networks.blocks.squeeze_excitation import SqueezeExcitation
from BrainTumorSegLib.networks.ma_net import MultiScaleFusion, PositionAttention
from BrainTumorSegLib.networks.table import build
from Testing.Python.networks.checks import count, exported_difference, published, silent_parameters
from Testing.Python.networks.plain import array, convolve, noise, normalize, pooled, relu, shaken, sigmoid, softmax

pytestmark = pytest.mark.usefixtures("one_thread")


def test_position_attention_is_its_formula_in_numpy() -> None:
    block, x = shaken(PositionAttention(6, 4)), noise(2, 6, 3, 5)
    query, key = (convolve(array(x), layer).reshape(2, 4, 15) for layer in (block.query, block.key))
    value = convolve(array(x), block.value, padding=1).reshape(2, 6, 15)
    taken = np.zeros_like(value)
    for n in range(2):
        for place in range(15):
            weights = softmax(key[n].T @ query[n, :, place], 0)  # of all places, for this one
            taken[n, :, place] = value[n] @ weights
    expected = convolve(array(x) + taken.reshape(2, 6, 3, 5), block.output, padding=1)
    assert np.allclose(array(block(x)), expected, atol=1e-5)


def test_fusion_is_its_formula_in_numpy() -> None:
    block = shaken(MultiScaleFusion(6, 4, 5, reduction=2))
    x, skip = noise(2, 6, 3, 4), noise(2, 4, 6, 8, seed=2)

    def weights(y: np.ndarray, part: SqueezeExcitation) -> np.ndarray:
        return sigmoid(convolve(relu(convolve(pooled(y), part.squeeze)), part.excite))

    first = block.deep[0]
    y = relu(normalize(convolve(array(x), first[0], padding=1), first[1]))
    y = relu(normalize(convolve(y, block.deep[1]), block.deep[2]))
    y = y.repeat(2, 2).repeat(2, 3)
    y = np.concatenate([y * (weights(y, block.deep_weights) + weights(array(skip), block.skip_weights)), array(skip)], 1)
    for convolution, norm, _ in block.blocks:
        y = relu(normalize(convolve(y, convolution, padding=1), norm))
    assert np.allclose(array(block(x, skip)), y, atol=1e-5)


def test_the_parameters_are_counted_by_hand() -> None:
    total = 23_534_592 + 2 * (2048 * 64 + 64) + 2 * (9 * 2048**2 + 2048)  # encoder; position attention
    deep = 2048
    for s, o in ((1024, 256), (512, 128), (256, 64), (64, 32)):
        total += 9 * deep * deep + 2 * deep + deep * s + 2 * s  # deep features: 3x3 and 1x1 convolution with BN
        total += 2 * (2 * s * (s // 16) + s // 16 + s)  # channel weights of deep features and skip
        total += 9 * 2 * s * o + 9 * o * o + 4 * o
        deep = o
    total += 9 * 32 * 16 + 9 * 16 * 16 + 4 * 16 + 9 * 16 * 2 + 2
    assert count(published("ma-net")) == total == 147_466_698


def test_every_setting_changes_the_network() -> None:
    def sizes(**changes: object) -> list[tuple[int, ...]]:
        return [tuple(p.shape) for p in published("ma-net", **changes).parameters()]

    plain = sizes()
    for changes in ({"in_channels": 1}, {"out_channels": 3}, {"width": 0.5}, {"reduction": 8}):
        assert sizes(**changes) != plain, changes


def test_the_last_layer_does_not_become_narrower_than_published() -> None:
    assert [build("ma-net", width=width).head.in_channels for width in (0.125, 0.5, 2.0)] == [16, 16, 32]


def test_gradients_reach_every_parameter() -> None:
    assert silent_parameters(build("ma-net", width=0.125), torch.rand(4, 3, 64, 64)) == []


def test_logits_have_the_size_of_the_input() -> None:
    assert build("ma-net", width=0.125).eval()(torch.rand(1, 3, 64, 96)).shape == (1, 2, 64, 96)


def test_the_exported_graph_says_what_torch_says(tmp_path) -> None:
    assert exported_difference("ma-net", tmp_path) < 1e-4
