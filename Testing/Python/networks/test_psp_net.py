"""PSPNet is its paper's pyramid pooling on the encoder, at any size."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from BrainTumorSegLib.networks.psp_net import BINS, PyramidPooling, bin_means
from BrainTumorSegLib.networks.table import build
from Testing.Python.networks.checks import count, exported_difference, published, silent_parameters
from Testing.Python.networks.plain import noise, shaken

pytestmark = pytest.mark.usefixtures("one_thread")


def test_bins_are_worked_out_by_hand() -> None:
    # 4 pixels in 3 bins: 0 to ceil(4/3) = 2, 1 to ceil(8/3) = 3, 2 to 4
    assert bin_means(4, 3, torch.zeros(1)).tolist() == [[0.5, 0.5, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0.5, 0.5]]


@pytest.mark.parametrize("size", [(8, 8), (7, 12), (4, 5)])
def test_pyramid_pooling_is_pooling_reducing_and_enlarging_beside_the_map(size: tuple[int, int]) -> None:
    pyramid, x = shaken(PyramidPooling(8)), noise(2, 8, *size)
    parts = [x]
    for bins, reduce in zip(BINS, pyramid.reduce):
        parts.append(F.interpolate(reduce(F.adaptive_avg_pool2d(x, bins)), size=size, mode="bilinear", align_corners=False))
    assert torch.allclose(pyramid(x), torch.cat(parts, 1), atol=1e-5)


def test_the_parameters_are_counted_by_hand() -> None:
    # encoder as in DeepLabV3; four 1x1 convolutions 2048 -> 512 and a 3x3 one 4096 -> 512, each with BN 2 x 512; head 512 x 2 + 2
    total = 23_534_592 + 4 * (2048 * 512 + 1024) + 9 * 4096 * 512 + 1024 + 1026
    assert count(published("psp-net")) == total == 46_609_410


def test_the_last_two_stages_dilate_and_logits_are_enlarged_8_times() -> None:
    network, x = shaken(build("psp-net", width=0.125)), torch.rand(1, 3, 64, 96)
    deep = network.encoder(x)[-1]
    assert deep.shape[2:] == (8, 12)
    expected = F.interpolate(network.head(network.join(network.pyramid(deep))), size=(64, 96), mode="bilinear", align_corners=False)
    assert network(x).shape == (1, 2, 64, 96)
    assert torch.allclose(network(x), expected, atol=1e-5)


def test_every_setting_changes_the_network() -> None:
    def sizes(**changes: object) -> list[tuple[int, ...]]:
        return [tuple(p.shape) for p in published("psp-net", **changes).parameters()]

    plain = sizes()
    for changes in ({"in_channels": 1}, {"out_channels": 3}, {"width": 0.5}):
        assert sizes(**changes) != plain, changes
    assert published("psp-net", dropout=0.3).join[3].p == 0.3


def test_gradients_reach_every_parameter() -> None:
    assert silent_parameters(build("psp-net", width=0.125, dropout=0.0), torch.rand(4, 3, 64, 64)) == []


def test_the_exported_graph_says_what_torch_says(tmp_path) -> None:
    assert exported_difference("psp-net", tmp_path) < 1e-4
