"""Loss of system C: weighted cross-entropy and adaptive Tversky-Dice, deeply supervised.

"Residual Squeeze-and-Excitation Large Kernel Attention U-Net" (ResSE-LKA-UNet), IIETA 2026.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional as F

CLASS_WEIGHTS = (0.1, 1.0, 1.0, 1.0)
"""Of background, NCR, ED and ET in the cross-entropy."""
HEAD_WEIGHTS = (1.0, 0.4, 0.3, 0.2)
"""Of the main head and of the auxiliary heads ds4 (the finest), ds3 and ds2."""


def deeply_supervised(
    heads: torch.Tensor | Sequence[torch.Tensor],
    labels: torch.Tensor,
    class_weights: Sequence[float] = CLASS_WEIGHTS,
    head_weights: Sequence[float] = HEAD_WEIGHTS,
) -> torch.Tensor:
    """`sum_i lambda_i (CE_i + T_i)` over the heads.

    `CE` is PyTorch's weighted mean, `sum(w CE) / sum(w)` over pixels, for the paper names no other; T is
    `adaptive_tversky`.

    Args:
        heads: logits [N, K, H, W] of every head, the main one first, as the network returns them in training; or the
            main ones alone, as it returns them in evaluation.
        labels: [N, H, W], whole numbers from 0 to K - 1.
        class_weights: K numbers.
        head_weights: one for each head.
    """
    maps = [heads] if isinstance(heads, torch.Tensor) else list(heads)
    weights = torch.tensor(class_weights, device=labels.device, dtype=maps[0].dtype)
    losses = [share * (F.cross_entropy(logits, labels, weights) + adaptive_tversky(logits, labels)) for share, logits in zip(head_weights, maps)]
    return torch.stack(losses).sum()


def adaptive_tversky(logits: torch.Tensor, labels: torch.Tensor, epsilon: float = 1e-5) -> torch.Tensor:
    """`1 - mean_c TP / (TP + alpha_c FP + beta_c FN + epsilon)`, equation 13, over all classes, background included.

    TP, FP and FN are soft: sums of softmax probabilities over the whole batch, for hard counts have no gradient, and
    since a class is absent from most single slices. `alpha_c = clamp(FP / (FP + FN), 0.2, 0.8)`, 0.5 where both are 0,
    and `beta_c = 1 - alpha_c`.

    alpha and beta carry no gradient: they say how the two kinds of error are weighed at the moment, and are no goal of
    their own. With a gradient the network could lower its loss by moving the weight instead of mending the error: fewer
    false positives would lower alpha, which makes those that are left cheaper still.

    A class that is absent from the batch adds 1/K whatever is predicted, for its TP is 0, and has no gradient: false
    positives of it are taught by the classes they are taken from, and by the cross-entropy. So it is published.

    Args:
        logits: [N, K, H, W].
        labels: [N, H, W], whole numbers from 0 to K - 1.
    """
    probability = torch.softmax(logits, 1)
    target = F.one_hot(labels, logits.shape[1]).permute(0, 3, 1, 2).to(probability.dtype)
    true_positive = (probability * target).sum((0, 2, 3))  # [K]
    false_positive = probability.sum((0, 2, 3)) - true_positive
    false_negative = target.sum((0, 2, 3)) - true_positive
    alpha = error_balance(false_positive.detach(), false_negative.detach())
    errors = alpha * false_positive + (1 - alpha) * false_negative
    return 1 - (true_positive / (true_positive + errors + epsilon)).mean()


def error_balance(false_positive: torch.Tensor, false_negative: torch.Tensor) -> torch.Tensor:
    """alpha of each class, [K]: the share of false positives among the errors, kept between 0.2 and 0.8."""
    errors = false_positive + false_negative
    share = torch.where(errors > 0, false_positive / errors.clamp_min(torch.finfo(errors.dtype).tiny), 0.5)
    return share.clamp(0.2, 0.8)
