"""The transposed convolution doubles the size exactly."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.networks.blocks.up_convolution import UpConvolution
from Testing.Python.networks.checks import count
from Testing.Python.networks.plain import array, noise, shaken

pytestmark = pytest.mark.usefixtures("one_thread")


def test_every_pixel_paints_its_kernel_two_pixels_from_the_last_one() -> None:
    up, x = shaken(UpConvolution(3, 2)), noise(1, 3, 4, 5)
    canvas = np.zeros((2, 9, 11))
    for row in range(4):
        for column in range(5):
            stamp = np.einsum("i,iohw->ohw", array(x)[0, :, row, column], array(up.weight))
            canvas[:, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3] += stamp
    expected = canvas[:, 1:, 1:] + array(up.bias)[:, None, None]
    assert up(x).shape == (1, 2, 8, 10)
    assert np.allclose(array(up(x))[0], expected, atol=1e-6)


def test_the_parameters_are_counted_by_hand() -> None:
    assert count(UpConvolution(3, 2)) == 9 * 3 * 2 + 2
