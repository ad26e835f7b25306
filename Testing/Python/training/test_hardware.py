"""Where a run computes is chosen openly, and a placed network answers as plain arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.training.hardware import Hardware, choose_hardware, maps_predictor, network_predictor

CPU = Hardware(torch.device("cpu"), bf16=False)


def test_hardware_is_never_taken_silently() -> None:
    assert choose_hardware("cpu", bf16=True) == Hardware(torch.device("cpu"), True)
    assert choose_hardware("cpu", bf16=False) == CPU
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="--device cuda was asked for, but PyTorch finds no CUDA device; use --device cpu"):
            choose_hardware("cuda")


@pytest.mark.parametrize("hardware", [CPU, Hardware(torch.device("cpu"), bf16=True)])
def test_a_network_answers_with_probabilities_as_it_does_outside_of_training(hardware: Hardware) -> None:
    network = nn.Sequential(nn.Dropout(0.9), nn.Conv2d(1, 2, 1))
    with torch.no_grad():
        network[1].weight.copy_(torch.tensor([0.0, 1.0]).reshape(2, 1, 1, 1))
        network[1].bias.copy_(torch.tensor([0.0, -2.0]))
    pictures = np.full((3, 1, 4, 5), 2, np.float32)
    maps = maps_predictor(network.train(), hardware)(pictures)
    assert (maps.shape, maps.dtype) == ((3, 2, 4, 5), np.float32)
    assert np.all(maps == 0.5)  # sigmoid(0) and sigmoid(1 * 2 - 2): nothing was dropped
    assert np.array_equal(network_predictor(network, hardware)(pictures), maps[:, 0])
