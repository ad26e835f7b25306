"""ResSE is its formula."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.networks.blocks.residual_squeeze_excitation import ResidualSqueezeExcitation
from Testing.Python.networks.checks import count
from Testing.Python.networks.plain import array, convolve, noise, normalize, relu, shaken, squeeze_excite

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("in_channels", [6, 8])
def test_the_block_is_its_formula_in_numpy(in_channels: int) -> None:
    block, x = shaken(ResidualSqueezeExcitation(in_channels, 8, reduction=2)), noise(2, in_channels, 5, 7)
    y = array(x)
    for convolution, norm, _ in block.body:
        y = relu(normalize(convolve(y, convolution, padding=1), norm))
    shortcut = array(x) if in_channels == 8 else convolve(array(x), block.shortcut)
    assert np.allclose(array(block(x)), squeeze_excite(shortcut + y, block.attention), atol=1e-5)


def test_the_parameters_are_counted_by_hand() -> None:
    # 3x3 convolutions 8 x 32 and 32 x 32, BN 2 x 2 x 32, SE 32 x 2 + 2 and 2 x 32 + 32; a 1x1 projection with bias where channels change
    block = 9 * 8 * 32 + 9 * 32 * 32 + 128 + 66 + 96
    assert count(ResidualSqueezeExcitation(8, 32)) == block + 8 * 32 + 32
    assert count(ResidualSqueezeExcitation(32, 32)) == block + 9 * 24 * 32
