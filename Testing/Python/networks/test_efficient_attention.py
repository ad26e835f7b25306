"""System B's gate is its formula."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.networks.blocks.efficient_attention import EfficientAttention
from Testing.Python.networks.checks import count
from Testing.Python.networks.plain import array, convolve, noise, relu, shaken, sigmoid

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_gate_is_its_formula_in_numpy() -> None:
    gate, x, g = shaken(EfficientAttention(8, 5)), noise(2, 8, 6, 7), noise(2, 5, 6, 7, seed=2)
    features = relu(convolve(array(x), gate.skip_projection) + convolve(array(g), gate.gate_projection))
    psi = sigmoid(convolve(features, gate.attention))
    assert psi.shape == (2, 1, 6, 7)
    assert np.allclose(array(gate(x, g)), array(x) * psi, atol=1e-6)


def test_the_parameters_are_counted_by_hand() -> None:
    # a quarter of 64 inside: W_x 64 x 16, W_g 32 x 16 + 16, W_psi 16 + 1
    assert count(EfficientAttention(64, 32)) == 1024 + 528 + 17
