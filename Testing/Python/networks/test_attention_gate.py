"""The gate is the paper's formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from BrainTumorSegLib.networks.blocks.attention_gate import AttentionGate

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_the_gate_is_its_formula_in_numpy(slope: float) -> None:
    torch.manual_seed(0)
    gate = AttentionGate(skip_channels=3, gate_channels=5, inner_channels=4, negative_slope=slope)
    x, g = torch.randn(2, 3, 6, 7), torch.randn(2, 5, 6, 7)
    w = {name: tensor.detach().double().numpy() for name, tensor in gate.named_parameters()}
    theta = np.einsum("oi,nihw->nohw", w["skip_projection.weight"][:, :, 0, 0], x.double().numpy())
    phi = np.einsum("oi,nihw->nohw", w["gate_projection.weight"][:, :, 0, 0], g.double().numpy()) + w["gate_projection.bias"][:, None, None]
    q = theta + phi
    q = np.where(q > 0, q, slope * q)
    attention = np.einsum("oi,nihw->nohw", w["attention.weight"][:, :, 0, 0], q) + w["attention.bias"][:, None, None]
    expected = x.double().numpy() / (1 + np.exp(-attention))
    assert attention.shape == (2, 1, 6, 7)
    assert np.allclose(gate(x, g).detach().numpy(), expected, atol=1e-5)


def test_the_parameters_are_counted_by_hand() -> None:
    # W_x 3 x 4, W_g 5 x 4 + 4, W_f 4 + 1
    assert sum(p.numel() for p in AttentionGate(3, 5, 4).parameters()) == 12 + 24 + 5
    # two normalizations of 2 x 4 stand for the bias of W_g
    assert sum(p.numel() for p in AttentionGate(3, 5, 4, normalize=True).parameters()) == 12 + 20 + 5 + 16


def test_a_normalized_gate_does_not_mind_the_size_of_its_inputs() -> None:
    torch.manual_seed(0)
    gate = AttentionGate(3, 5, 4, normalize=True)
    x, g = torch.randn(8, 3, 6, 7), torch.randn(8, 5, 6, 7)
    assert torch.allclose(gate(x * 100, g * 1000) / 100, gate(x, g), atol=1e-3)
    plain = AttentionGate(3, 5, 4)
    assert not torch.allclose(plain(x * 100, g * 1000) / 100, plain(x, g), atol=1e-3)


def test_the_paper_slope_is_the_default_and_0_is_a_plain_relu() -> None:
    assert AttentionGate(1, 1, 1).activation.negative_slope == 0.1
    assert isinstance(AttentionGate(1, 1, 1, negative_slope=0).activation, torch.nn.ReLU)
