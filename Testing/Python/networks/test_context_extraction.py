"""Context extraction is its formula."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.networks.blocks.context_extraction import ContextExtraction
from Testing.Python.networks.checks import count
from Testing.Python.networks.plain import array, convolve, noise, normalize, pooled, relu, shaken

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_block_is_its_formula_in_numpy() -> None:
    block, x = shaken(ContextExtraction(4)), noise(2, 4, 5, 6)
    total = convolve(array(x), block.point) + convolve(array(x), block.near, padding=1) + convolve(pooled(array(x)), block.whole)
    assert np.allclose(array(block(x)), relu(normalize(total, block.norm)), atol=1e-5)


def test_the_parameters_are_counted_by_hand() -> None:
    # 1x1, 3x3 and 1x1 convolutions between 8 channels, BN 2 a channel
    assert count(ContextExtraction(8)) == 64 + 576 + 64 + 16
