"""MONAI's networks with the widths of what they are compared with."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from BrainTumorSegLib.networks.table import build
from Testing.Python.networks.checks import count, exported_difference, published, silent_parameters

pytestmark = pytest.mark.usefixtures("one_thread")

NAMES = ["unet-c", "unet-d", "attention-unet"]


def double(i: int, o: int) -> int:
    """Two 3x3 convolutions with bias and BN."""
    return 9 * i * o + o + 9 * o * o + o + 4 * o


@pytest.mark.parametrize(("name", "inputs", "classes", "w", "total"), [
    ("unet-c", 4, 4, (32, 64, 128, 256, 512), 7_783_812),
    ("unet-d", 3, 2, (64, 128, 256, 512, 1024), 31_113_282),
])  # fmt: skip
def test_the_unets_are_counted_by_hand(name: str, inputs: int, classes: int, w: tuple[int, ...], total: int) -> None:
    down = sum(double(i, o) for i, o in zip((inputs, *w), w))
    # 2x2 transposed convolutions, which keep the channels of the last step (MONAI halves them in the others, as the skip has)
    ups = [4 * deep * o + o + double(2 * o, o) for deep, o in zip(w[:1:-1], w[-2:0:-1])]
    last = 4 * w[1] * w[1] + w[1] + double(w[1] + w[0], w[0])
    assert count(published(name)) == down + sum(ups) + last + w[0] * classes + classes == total


def test_the_attention_unet_is_counted_by_hand() -> None:
    w = (32, 64, 128, 256, 512)
    total = sum(double(i, o) for i, o in zip((4, *w), w)) + 32 * 4 + 4
    for c, deep in pairwise(w):
        f = c // 2
        total += 9 * deep * c + c + 2 * c  # 3x3 transposed convolution with BN
        total += 2 * (c * f + f + 2 * f) + f + 1 + 2  # W_x, W_g and psi, each with bias and BN
        total += 9 * 2 * c * c + c + 1  # merging 3x3 convolution with bias, instance norm without, one PReLU slope
    assert count(published("attention-unet")) == total == 7_940_708


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_every_parameter(name: str) -> None:
    network = build(name, width=0.25)
    inputs = 3 if name == "unet-d" else 4
    assert silent_parameters(network, torch.rand(4, inputs, 64, 64)) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_changes_the_network_and_logits_have_the_size_of_the_input(name: str) -> None:
    network = build(name, width=0.125, in_channels=2, out_channels=5, channels=[64, 64, 64, 64, 128]).eval()
    assert network(torch.rand(1, 2, 64, 96)).shape == (1, 5, 64, 96)
    weights = [p for p in network.parameters() if p.ndim == 4]
    assert max(p.shape[0] for p in weights) == 16  # 128 / 8
    assert sorted({p.shape[0] for p in weights} - {1, 5}) in ([8, 16], [4, 8, 16])


@pytest.mark.parametrize("name", NAMES)
def test_the_exported_graph_says_what_torch_says(name: str, tmp_path) -> None:
    assert exported_difference(name, tmp_path) < 1e-4
