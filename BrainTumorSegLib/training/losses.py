"""Loss of the binary models: cross-entropy and soft Dice, per slice, with pixels whose truth is unknown left out."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def bce_dice(logits: torch.Tensor, target: torch.Tensor, known: torch.Tensor, smooth: float = 10.0) -> torch.Tensor:
    """Mean over slices of binary cross-entropy + soft Dice loss.

    `Dice = (2 sum(p t) + s) / (sum(p) + sum(t) + s)` is taken slice by slice, since slices are scored one by one; with
    an empty target it falls to 0 as s / (sum(p) + s), so every falsely marked pixel of a tumor-free slice costs.

    Args:
        logits, target, known: [N, C, H, W]; target 0 or 1; known 1 where the truth is known, else 0. Slices and
            channels without one known pixel add nothing.
        smooth: s, in pixels.
    """
    known_pixels = known.sum((2, 3))
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    entropy = (entropy * known).sum((2, 3)) / known_pixels.clamp_min(1)
    probability = torch.sigmoid(logits) * known
    overlap = (probability * target).sum((2, 3))
    dice = (2 * overlap + smooth) / (probability.sum((2, 3)) + (target * known).sum((2, 3)) + smooth)
    counted = (known_pixels > 0).float()
    return ((entropy + 1 - dice) * counted).sum() / counted.sum().clamp_min(1)
