"""Loss of system A: binary cross-entropy."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def binary_cross_entropy(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean over all pixels of `-t log p - (1 - t) log(1 - p)`, p the sigmoid of the logits.

    Aprianto & Riana 2025 (doi:10.21512/commit.v19i2.13177). Keras takes it from probabilities cut at 1e-7; taken from
    logits it is the same elsewhere and keeps its gradient there.

    Args:
        logits, target: [N, C, H, W]; target 0 or 1, float.
    """
    return F.binary_cross_entropy_with_logits(logits, target)
