"""Both forms of a pooling are the same pooling; the forms for training have the gradients that they should."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from BrainTumorSegLib.networks.blocks.poolings import channel_average, channel_maximum, global_average
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


@pytest.mark.parametrize("training", [True, False])
def test_the_maximum_is_the_largest_channel(training: bool) -> None:
    x = noise(2, 6, 5, 4)
    assert np.array_equal(array(channel_maximum(x, training)), array(x).max(1, keepdims=True))


def test_the_gradient_of_the_maximum_goes_to_the_largest_channel_or_is_shared() -> None:
    x = torch.tensor([[3.0, 5.0, -1.0], [5.0, 2.0, 5.0], [0.0, 0.0, 0.0]]).reshape(3, 3, 1, 1).requires_grad_()
    channel_maximum(x, training=True).backward(torch.tensor([2.0, 4.0, 3.0]).reshape(3, 1, 1, 1))
    assert x.grad is not None
    assert x.grad.flatten(1).tolist() == [[0, 2, 0], [2, 0, 2], [1, 1, 1]]


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_the_gradient_of_the_maximum_is_that_of_amax_and_keeps_type_and_layout(kind: torch.dtype) -> None:
    x = (noise(2, 8, 5, 4).relu() * 1e-3).to(kind).contiguous(memory_format=torch.channels_last).requires_grad_()
    weights = noise(2, 1, 5, 4).to(kind)
    (ours,) = torch.autograd.grad(channel_maximum(x, training=True), x, weights)
    (theirs,) = torch.autograd.grad(x.amax(1, keepdim=True), x, weights)
    assert torch.equal(ours, theirs)
    assert ours.dtype == kind
    assert ours.is_contiguous(memory_format=torch.channels_last)
