"""Large kernel attention is the paper's formula, not Guo's."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.networks.blocks.large_kernel_attention import LargeKernelAttention
from Testing.Python.networks.checks import count
from Testing.Python.networks.plain import array, convolve, noise, normalize, shaken, sigmoid

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_block_is_its_formula_in_numpy() -> None:
    block, x = shaken(LargeKernelAttention(4)), noise(2, 4, 9, 8)
    wide = convolve(convolve(array(x), block.near, padding=2), block.far, padding=3)
    attention = sigmoid(normalize(convolve(wide, block.mix), block.norm))
    assert np.allclose(array(block(x)), array(x) * attention, atol=1e-5)


def test_the_parameters_are_counted_by_hand() -> None:
    # depth-wise 5 x 5 + 1 and 7 x 7 + 1 a channel, 16 x 16 between channels, BN 2 a channel
    assert count(LargeKernelAttention(16)) == 16 * 26 + 16 * 50 + 256 + 32
