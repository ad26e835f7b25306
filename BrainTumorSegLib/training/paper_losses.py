"""The published losses under one form: what the network gave and the label map -> loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch

from BrainTumorSegLib.training.losses_adaptive_tversky import deeply_supervised
from BrainTumorSegLib.training.losses_bce import binary_cross_entropy
from BrainTumorSegLib.training.losses_bce_soft_dice import bce_soft_dice
from BrainTumorSegLib.training.losses_cross_entropy import cross_entropy

Maps: TypeAlias = torch.Tensor | Sequence[torch.Tensor]
"""Logits [N, K, H, W]; several of them from a network with deep supervision in training, the main ones first."""
Loss: TypeAlias = Callable[[Maps, torch.Tensor], torch.Tensor]


def main_logits(maps: Maps) -> torch.Tensor:
    """The main head's logits."""
    return maps if isinstance(maps, torch.Tensor) else maps[0]


def _binary(labels: torch.Tensor) -> torch.Tensor:
    return (labels > 0).float()[:, None]


LOSSES: dict[str, Loss] = {
    "bce": lambda maps, labels: binary_cross_entropy(main_logits(maps), _binary(labels)),
    "bce-dice": lambda maps, labels: bce_soft_dice(main_logits(maps), _binary(labels)),
    "cross-entropy": lambda maps, labels: cross_entropy(main_logits(maps), labels.long()),
    "adaptive-tversky": lambda maps, labels: deeply_supervised(maps, labels.long()),
}


def predicted_labels(maps: Maps) -> torch.Tensor:
    """The label of every pixel, uint8 [N, H, W]: the likelier of tumor and background, or the likeliest class."""
    logits = main_logits(maps)
    return ((logits[:, 0] >= 0) if logits.shape[1] == 1 else logits.argmax(1)).to(torch.uint8)
