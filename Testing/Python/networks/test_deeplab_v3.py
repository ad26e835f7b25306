"""DeepLabV3 is its paper's pyramid on the encoder."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from BrainTumorSegLib.networks.deeplab_v3 import AtrousSpatialPyramid
from BrainTumorSegLib.networks.table import build
from Testing.Python.networks.checks import count, exported_difference, published, silent_parameters
from Testing.Python.networks.plain import array, convolve, noise, normalize, pooled, relu, shaken

pytestmark = pytest.mark.usefixtures("one_thread")

ENCODER = 23_534_592  # ResNet-50 v1: 23,587,712 in Keras's count less 53,120 running numbers


def test_the_pyramid_is_its_formula_in_numpy() -> None:
    pyramid, x = shaken(AtrousSpatialPyramid(4, 8, (1, 2, 3))), noise(2, 4, 9, 8)
    maps = []
    for branch, rate in zip(pyramid.branches, (0, 1, 2, 3)):
        maps.append(relu(normalize(convolve(array(x), branch[0], padding=rate, dilation=max(rate, 1)), branch[1])))
    image = relu(normalize(convolve(pooled(array(x)), pyramid.image[0]), pyramid.image[1]))
    joined = np.concatenate([*maps, np.broadcast_to(image, maps[0].shape)], 1)
    expected = relu(normalize(convolve(joined, pyramid.join[0]), pyramid.join[1]))
    assert np.allclose(array(pyramid(x)), expected, atol=1e-5)


def test_the_parameters_are_counted_by_hand() -> None:
    # two 1x1 and three 3x3 convolutions 2048 -> 256, 1x1 from 5 x 256, BN 2 x 256 each; head 256 x 2 + 2
    pyramid = 2048 * 256 * (1 + 27 + 1) + 5 * 256 * 256 + 6 * 512
    assert count(published("deeplab-v3").encoder) == ENCODER
    assert count(published("deeplab-v3")) == ENCODER + pyramid + 514 == 39_070_210


def test_the_last_stage_dilates_and_logits_are_enlarged_16_times() -> None:
    network, x = shaken(build("deeplab-v3", width=0.125)), torch.rand(1, 3, 64, 96)
    deep = network.encoder(x)[-1]
    assert deep.shape[2:] == (4, 6)
    expected = F.interpolate(network.head(network.pyramid(deep)), size=(64, 96), mode="bilinear", align_corners=False)
    assert network(x).shape == (1, 2, 64, 96)
    assert torch.allclose(network(x), expected, atol=1e-5)


def test_every_setting_changes_the_network() -> None:
    def sizes(**changes: object) -> list[tuple[int, ...]]:
        return [tuple(p.shape) for p in published("deeplab-v3", **changes).parameters()]

    plain = sizes()
    for changes in ({"in_channels": 1}, {"out_channels": 3}, {"width": 0.5}):
        assert sizes(**changes) != plain, changes
    assert [b[0].dilation[0] for b in published("deeplab-v3", rates=[2, 4, 6]).pyramid.branches] == [1, 2, 4, 6]


def test_gradients_reach_every_parameter() -> None:
    assert silent_parameters(build("deeplab-v3", width=0.125), torch.rand(4, 3, 64, 64)) == []


def test_the_exported_graph_says_what_torch_says(tmp_path) -> None:
    assert exported_difference("deeplab-v3", tmp_path) < 1e-4
