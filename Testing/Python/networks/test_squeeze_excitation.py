"""Squeeze-and-excitation is its formula."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.networks.blocks.squeeze_excitation import SqueezeExcitation
from Testing.Python.networks.checks import count
from Testing.Python.networks.plain import array, noise, shaken, sigmoid

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_block_is_its_formula_in_numpy() -> None:
    block, x = shaken(SqueezeExcitation(8, reduction=2)), noise(2, 8, 5, 6)
    w = {name: array(tensor) for name, tensor in block.named_parameters()}
    z = array(x).mean((2, 3))  # [N, C]
    hidden = np.maximum(z @ w["squeeze.weight"][:, :, 0, 0].T + w["squeeze.bias"], 0)
    s = sigmoid(hidden @ w["excite.weight"][:, :, 0, 0].T + w["excite.bias"])
    assert np.allclose(array(block(x)), array(x) * s[:, :, None, None], atol=1e-6)


def test_the_ratio_decides_the_size_and_16_is_the_default() -> None:
    # 64 x 4 + 4 and 4 x 64 + 64; with ratio 8 twice the inner units; 8 channels keep one inner unit
    assert count(SqueezeExcitation(64)) == 256 + 4 + 256 + 64
    assert count(SqueezeExcitation(64, reduction=8)) == 512 + 8 + 512 + 64
    assert count(SqueezeExcitation(8)) == 8 + 1 + 8 + 8
