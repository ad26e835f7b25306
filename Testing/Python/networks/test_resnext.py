"""The ResNeXt block is its formula."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.networks.blocks.resnext import ResNeXtBlock
from Testing.Python.networks.checks import count
from Testing.Python.networks.plain import array, convolve, noise, normalize, relu, shaken

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_block_is_its_formula_in_numpy() -> None:
    block, x = shaken(ResNeXtBlock(6, 8)), noise(2, 6, 5, 7)
    y = relu(normalize(convolve(array(x), block.branch[0]), block.branch[1]))
    y = relu(normalize(convolve(y, block.branch[3], padding=1), block.branch[4]))
    y = normalize(convolve(y, block.branch[6]), block.branch[7])
    shortcut = normalize(convolve(array(x), block.shortcut[0]), block.shortcut[1])
    assert np.allclose(array(block(x)), relu(y + shortcut), atol=1e-5)


def test_the_parameters_are_counted_by_hand() -> None:
    # reduce 6 x 4, one 3 x 3 kernel for each of 4, expand 4 x 8, shortcut 6 x 8, BN 2 x (4 + 4 + 8 + 8)
    assert count(ResNeXtBlock(6, 8)) == 24 + 36 + 32 + 48 + 48
