"""Both forms of a mean are the mean; the one for training writes no gradient the size of the features."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from BrainTumorSegLib.networks.blocks.averages import channel_average, global_average
from Testing.Python.networks.plain import array, noise

AXES = {global_average: (2, 3), channel_average: (1,)}


@pytest.mark.parametrize("average", AXES)
@pytest.mark.parametrize("training", [True, False])
def test_it_is_the_mean(average, training: bool) -> None:
    x = noise(2, 6, 5, 4)
    assert np.allclose(array(average(x, training)), array(x).mean(AXES[average], keepdims=True), atol=1e-6)


@pytest.mark.parametrize("average", AXES)
def test_its_gradient_is_one_over_n_and_a_view_of_one_number_for_each_mean(average) -> None:
    x = noise(2, 6, 5, 4).requires_grad_()
    mean = average(x, training=True)
    (gradient,) = torch.autograd.grad(mean, x, torch.ones_like(mean))
    assert torch.allclose(gradient, torch.full_like(x, mean.numel() / x.numel()))
    assert gradient.untyped_storage().nbytes() == mean.numel() * mean.element_size()
