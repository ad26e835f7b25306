"""How sure the network is of each voxel."""

from __future__ import annotations

import numpy as np


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Entropy of the fused probability, scaled to [0, 1]: 0 is sure, 1 is undecided.

    Args:
        probabilities: [K, Z, Y, X]; K = 1 is the probability of tumor against background, K > 1 are classes that sum to 1.

    Returns:
        float32 [Z, Y, X], Shannon entropy over its largest value (ln 2, or ln K).
    """
    if len(probabilities) == 1:
        probabilities = np.concatenate([probabilities, 1.0 - probabilities])
    safe = np.clip(probabilities, 1e-7, 1.0)
    return (-(safe * np.log(safe)).sum(axis=0) / np.log(len(safe))).clip(0.0, 1.0).astype(np.float32)
