"""System A's decoder block is its formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from BrainTumorSegLib.networks.blocks.leaky_residual import LeakyResidualBlock
from BrainTumorSegLib.networks.blocks.squeeze_excitation import SqueezeExcitation
from Testing.Python.networks.checks import count, keras_count
from Testing.Python.networks.plain import array, convolve, noise, normalize, shaken, squeeze_excite

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("attended", [False, True])
def test_the_block_is_its_formula_in_numpy(attended: bool) -> None:
    block = shaken(LeakyResidualBlock(6, 8, SqueezeExcitation(8, 2) if attended else nn.Identity(), dropout=0.5))
    x = noise(2, 6, 5, 7)
    y = array(x)
    for convolution, norm, _ in block.body:
        y = normalize(convolve(y, convolution, padding=1), norm, epsilon=1e-3)
        y = np.where(y > 0, y, 0.1 * y)
    if attended:
        y = squeeze_excite(y, block.attention)
    assert np.allclose(array(block(x)), y + convolve(array(x), block.shortcut), atol=1e-5)


def test_dropout_takes_whole_maps_in_training_only() -> None:
    torch.manual_seed(0)
    block = LeakyResidualBlock(2, 32, nn.Identity(), dropout=0.5)
    empty = (block(noise(8, 2, 5, 5)) == 0).flatten(2).all(2).float().mean()
    assert 0.35 < empty < 0.65
    assert not (block.eval()(noise(8, 2, 5, 5)) == 0).flatten(2).all(2).any()


def test_the_parameters_are_counted_by_hand() -> None:
    # 3x3 convolutions 6 x 4 and 4 x 4 and the shortcut 6 x 4, all with bias, 2 BN of 2 x 4; Keras counts 4 x 4 for each BN
    block = LeakyResidualBlock(6, 4, nn.Identity(), 0.0)
    assert count(block) == 9 * 24 + 4 + 9 * 16 + 4 + 24 + 4 + 16
    assert keras_count(block) == count(block) + 16
