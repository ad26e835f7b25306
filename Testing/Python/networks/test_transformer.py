"""The transformer is its formulas, and takes a map of any size."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from BrainTumorSegLib.networks.blocks.transformer import SelfAttention, TransformerBlock, TransformerBottleneck, sinusoidal_positions
from Testing.Python.networks.checks import count
from Testing.Python.networks.plain import array, noise, relu, shaken, softmax

pytestmark = pytest.mark.usefixtures("one_thread")


def linear(x: np.ndarray, layer: nn.Linear) -> np.ndarray:
    return x @ array(layer.weight).T + array(layer.bias)


def layer_norm(x: np.ndarray, layer: nn.LayerNorm) -> np.ndarray:
    scaled = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return scaled * array(layer.weight) + array(layer.bias)


def self_attention(x: np.ndarray, block: SelfAttention, heads: int) -> np.ndarray:
    """`softmax(Q K^T / sqrt(d_k)) V` head by head; Q, K and V of all heads come from one linear layer, in this order."""
    channels = x.shape[-1]
    d_k = channels // heads
    queries, keys, values = np.split(linear(x, block.queries_keys_values), 3, -1)
    joined = np.zeros_like(x)
    for head in range(heads):
        part = slice(head * d_k, (head + 1) * d_k)
        weights = softmax(queries[..., part] @ keys[..., part].transpose(0, 2, 1) / math.sqrt(d_k), -1)
        joined[..., part] = weights @ values[..., part]
    return linear(joined, block.output)


def transformer_block(x: np.ndarray, block: TransformerBlock, heads: int) -> np.ndarray:
    x = x + self_attention(layer_norm(x, block.attention_norm), block.attention, heads)
    hidden = relu(linear(layer_norm(x, block.feed_forward_norm), block.feed_forward[0]))
    return x + linear(hidden, block.feed_forward[3])


def positions(height: int, width: int, channels: int) -> np.ndarray:
    table = np.zeros((height, width, channels))
    for i in range(channels // 4):
        frequency = 10000 ** (-4 * i / channels)
        for y in range(height):
            for x in range(width):
                values = (math.sin(y * frequency), math.cos(y * frequency), math.sin(x * frequency), math.cos(x * frequency))
                for quarter, value in enumerate(values):
                    table[y, x, quarter * channels // 4 + i] = value
    return table.reshape(1, height * width, channels)


def test_self_attention_is_its_formula_in_numpy() -> None:
    block, x = shaken(SelfAttention(16, heads=4)), noise(2, 5, 16)
    assert np.allclose(array(block(x)), self_attention(array(x), block, 4), atol=1e-5)
    assert not np.allclose(array(block(x)), self_attention(array(x), block, 2), atol=1e-3)


def test_a_block_is_its_formula_in_numpy() -> None:
    block, x = shaken(TransformerBlock(16, heads=4, hidden=24, dropout=0.5)), noise(2, 5, 16)
    assert np.allclose(array(block(x)), transformer_block(array(x), block, 4), atol=1e-5)


def test_positions_are_sines_and_cosines_of_row_and_column() -> None:
    assert np.allclose(array(sinusoidal_positions(3, 5, 8, torch.zeros(1))), positions(3, 5, 8), atol=1e-6)
    together = sinusoidal_positions(16, 16, 32, torch.zeros(1))[0]
    assert len({tuple(row) for row in together.tolist()}) == 256  # every place has a code of its own


def test_the_bottleneck_is_a_stack_of_blocks_on_tokens_with_positions() -> None:
    bottleneck, x = shaken(TransformerBottleneck(16, blocks=2, heads=4, hidden=24)), noise(2, 16, 3, 5)
    tokens = array(x).reshape(2, 16, 15).transpose(0, 2, 1) + positions(3, 5, 16)
    for block in bottleneck.blocks:
        tokens = transformer_block(tokens, block, 4)
    expected = layer_norm(tokens, bottleneck.norm).transpose(0, 2, 1).reshape(2, 16, 3, 5)
    assert np.allclose(array(bottleneck(x)), expected, atol=1e-5)


def test_dropout_works_in_training_only() -> None:
    torch.manual_seed(0)
    block, x = TransformerBlock(16, heads=4, hidden=16, dropout=0.5), noise(2, 5, 16)
    assert not torch.equal(block(x), block(x))
    assert torch.equal(block.eval()(x), block(x))


def test_the_parameters_are_counted_by_hand() -> None:
    # a block: Q, K, V 16 x 48 + 48, output 16 x 16 + 16, feed-forward 16 x 24 + 24 and 24 x 16 + 16, 2 norms of 2 x 16; a norm at the end
    assert count(TransformerBottleneck(16, blocks=3, heads=4, hidden=24)) == 3 * (816 + 272 + 408 + 400 + 64) + 32


@pytest.mark.parametrize(("channels", "heads"), [(12, 8), (18, 9)])
def test_channels_that_heads_or_positions_do_not_divide_are_refused(channels: int, heads: int) -> None:
    with pytest.raises(ValueError, match=f"a token has {channels} channels, but a multiple of its {heads} heads and of 4"):
        TransformerBottleneck(channels, heads=heads)
