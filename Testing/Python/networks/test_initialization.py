"""Layers start with the variance of the rule."""

from __future__ import annotations

import math

import pytest
from torch import nn

from BrainTumorSegLib.networks.initialization import initialize


def test_every_kind_of_layer_starts_by_its_rule() -> None:
    convolution, transposed, linear, norm = nn.Conv2d(64, 32, 3), nn.ConvTranspose2d(64, 16, 3), nn.Linear(200, 100), nn.BatchNorm2d(4)
    initialize(nn.Sequential(convolution, transposed, linear, norm))
    # He: sqrt(2 / inputs), inputs 64 x 9; Xavier: uniform with variance 2 / (200 + 100)
    assert float(convolution.weight.detach().std()) == pytest.approx(math.sqrt(2 / 576), rel=0.03)
    assert float(transposed.weight.detach().std()) == pytest.approx(math.sqrt(2 / 576), rel=0.03)
    assert float(linear.weight.detach().std()) == pytest.approx(math.sqrt(2 / 300), rel=0.03)
    for layer in (convolution, transposed, linear):
        assert not layer.bias.any()
    assert norm.weight.tolist() == [1] * 4
