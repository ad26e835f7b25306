"""Loss of system B: binary cross-entropy and soft Dice."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def bce_soft_dice(logits: torch.Tensor, target: torch.Tensor, weight: float = 1.0, smooth: float = 1.0) -> torch.Tensor:
    """`BCE + weight (1 - (2 sum(p t) + smooth) / (sum(p) + sum(t) + smooth))`, p the sigmoid of the logits.

    Ali et al. 2025, who print neither the weight (their lambda) nor the smoothing (their epsilon) nor whether the sums
    run over a slice or the batch. Here they run over the batch, as the usual code flattens all of it, and a batch is
    large enough that a smoothing of one pixel matters only where it has no tumor at all. The weight is 1, so that both
    terms, of about the same size at the start, count alike.

    Args:
        logits, target: [N, 1, H, W]; target 0 or 1, float.
        weight: of the Dice term.
        smooth: in pixels.
    """
    probability = torch.sigmoid(logits)
    overlap = (probability * target).sum()
    dice = (2 * overlap + smooth) / (probability.sum() + target.sum() + smooth)
    return F.binary_cross_entropy_with_logits(logits, target) + weight * (1 - dice)
