"""A depth-wise convolution is its sum in NumPy, and float32 inside whatever autocast says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from BrainTumorSegLib.networks.blocks.depthwise import DepthwiseConv2d
from Testing.Python.networks.checks import count
from Testing.Python.networks.plain import array, noise, shaken


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_each_channel_is_filtered_by_its_own_kernel(stride: int, bias: bool) -> None:
    block, x = shaken(DepthwiseConv2d(3, 5, stride, bias)), noise(2, 3, 7, 8)
    weight = array(block.weight)
    padded = np.pad(array(x), ((0, 0), (0, 0), (2, 2), (2, 2)))
    expected = np.zeros((2, 3, 7, 8))
    for c in range(3):
        for i in range(7):
            for j in range(8):
                expected[:, c, i, j] = (padded[:, c, i : i + 5, j : j + 5] * weight[c, 0]).sum((1, 2)) + (array(block.bias)[c] if bias else 0)
    assert np.allclose(array(block(x)), expected[:, :, ::stride, ::stride], atol=1e-5)
    assert count(block) == 3 * 25 + 3 * bias


def test_under_autocast_it_computes_in_float32_and_gives_the_type_it_was_given() -> None:
    block, x = shaken(DepthwiseConv2d(4, 3)), noise(1, 4, 9, 9)
    exact, of_half = block(x), block(x.bfloat16().float()).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(block(x), exact)
        assert torch.equal(block(x.bfloat16()), of_half)
