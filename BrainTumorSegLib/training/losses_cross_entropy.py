"""Loss of system D: cross-entropy over classes."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean over all pixels of `-log softmax(logits)[label]` (Pan, "Deep Learning-Based Medical Image Segmentation").

    Args:
        logits: [N, K, H, W].
        labels: [N, H, W], whole numbers from 0 to K - 1.
    """
    return F.cross_entropy(logits, labels)
