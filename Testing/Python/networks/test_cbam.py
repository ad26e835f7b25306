"""CBAM is its two formulas, one after the other."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.networks.blocks.cbam import CBAM, ChannelAttention, SpatialAttention
from Testing.Python.networks.checks import count
from Testing.Python.networks.plain import array, convolve, noise, shaken, sigmoid

pytestmark = pytest.mark.usefixtures("one_thread")


def channel_attention(x: np.ndarray, block: ChannelAttention) -> np.ndarray:
    w = {name: array(tensor) for name, tensor in block.named_parameters()}

    def mlp(z: np.ndarray) -> np.ndarray:
        hidden = np.maximum(z @ w["mlp.0.weight"][:, :, 0, 0].T + w["mlp.0.bias"], 0)
        return hidden @ w["mlp.2.weight"][:, :, 0, 0].T + w["mlp.2.bias"]

    weights = sigmoid(mlp(x.mean((2, 3))) + mlp(x.max((2, 3))))
    return x * weights[:, :, None, None]


def spatial_attention(x: np.ndarray, block: SpatialAttention) -> np.ndarray:
    summary = np.stack([x.mean(1), x.max(1)], 1)
    padding = block.convolution.weight.shape[-1] // 2
    return x * sigmoid(convolve(summary, block.convolution, padding))


def test_channel_attention_is_its_formula_in_numpy() -> None:
    block, x = shaken(ChannelAttention(8, reduction=2)), noise(2, 8, 5, 6)
    assert np.allclose(array(block(x)), channel_attention(array(x), block), atol=1e-6)


@pytest.mark.parametrize("kernel", [3, 7])
def test_spatial_attention_is_its_formula_in_numpy(kernel: int) -> None:
    block, x = shaken(SpatialAttention(kernel)), noise(2, 4, 9, 8)
    assert np.allclose(array(block(x)), spatial_attention(array(x), block), atol=1e-6)


def test_channels_are_weighed_before_places() -> None:
    block, x = shaken(CBAM(8, reduction=2)), noise(2, 8, 5, 6)
    expected = spatial_attention(channel_attention(array(x), block[0]), block[1])
    other_order = channel_attention(spatial_attention(array(x), block[1]), block[0])
    assert np.allclose(array(block(x)), expected, atol=1e-6)
    assert not np.allclose(expected, other_order, atol=1e-3)


def test_the_parameters_are_counted_by_hand() -> None:
    # MLP 32 x 4 + 4 and 4 x 32 + 32, once for both poolings; 7 x 7 x 2 without bias; ratio 16 and kernel 7 by default
    assert count(CBAM(32, reduction=8, kernel=3)) == 132 + 160 + 18
    assert count(CBAM(32)) == 32 * 2 + 2 + 2 * 32 + 32 + 98
