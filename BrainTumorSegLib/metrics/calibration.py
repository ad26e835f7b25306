"""Whether a probability means what it says, and whether doubt lies where the errors are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_BINS = 15  # as Guo et al. 2017
_NEVER_SURE = 1e-6  # keeps a logit finite
_LARGEST = 10.0


@dataclass(frozen=True)
class Retention:
    """How errors fall when the most doubtful voxels are left to a person.

    Attributes:
        kept: shares of the voxels that are kept, rising to 1.
        error: share of wrong voxels among those kept.
        area: mean of `error` over `kept`, the area under the curve (lower is better).
        best: the same where doubt would rank every wrong voxel above every right one; chance: where doubt says nothing.
    """

    kept: np.ndarray
    error: np.ndarray
    area: float
    best: float
    chance: float

    @property
    def gain(self) -> float:
        """Part of the way from chance (0) to the best possible order (1)."""
        return (self.chance - self.area) / (self.chance - self.best) if self.chance > self.best else 0.0


def expected_calibration_error(probability: np.ndarray, truth: np.ndarray, bins: int = _BINS) -> float:
    """Mean absolute difference between the probability of tumor and its frequency, over bins of equal width.

    `ECE = sum_b n_b / n |mean(p in b) - mean(truth in b)|` (Guo et al. 2017, arXiv:1706.04599, eq. 3, with the probability
    of tumor in place of the confidence of either answer).

    Args:
        probability: [n], in [0, 1]. truth: [n], bool.

    Raises:
        ValueError: no voxel, or arrays of different sizes.
    """
    n, predicted, found = reliability(probability, truth, bins)
    filled = n > 0
    return float((n[filled] * np.abs(predicted - found)[filled]).sum() / n.sum())


def reliability(probability: np.ndarray, truth: np.ndarray, bins: int = _BINS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(voxels, mean probability, frequency of tumor) of each bin of equal width, [bins] each; NaN where a bin is empty."""
    probability, truth = _checked(probability, truth)
    which = np.minimum((probability * bins).astype(int), bins - 1)
    n = np.bincount(which, minlength=bins)
    with np.errstate(invalid="ignore"):
        return n, np.bincount(which, probability, bins) / n, np.bincount(which, truth, bins) / n


def tempered(probability: np.ndarray, temperature: float) -> np.ndarray:
    """`sigmoid(logit(p) / T)`: T > 1 makes the answers less sure; 0.5 stays 0.5, so that no mask changes.

    Args:
        probability: any shape. temperature: T > 0.

    Returns:
        float32 of the same shape.
    """
    if temperature == 1.0:
        return np.asarray(probability, np.float32)
    odds = np.clip(probability, _NEVER_SURE, 1 - _NEVER_SURE)
    odds = (odds / (1 - odds)) ** (1 / temperature)
    return (odds / (1 + odds)).astype(np.float32)


def tempered_classes(probability: np.ndarray, temperature: float) -> np.ndarray:
    """`softmax(log(p) / T)` over classes: `tempered` for more than two answers; the likeliest stays the likeliest.

    Args:
        probability: [K, ...], sums to 1 over the first axis. temperature: T > 0.

    Returns:
        float32 of the same shape, sums to 1 over the first axis.
    """
    if temperature == 1.0:
        return np.asarray(probability, np.float32)
    powers = np.clip(probability, _NEVER_SURE, 1.0) ** (1 / temperature)
    return (powers / powers.sum(axis=0)).astype(np.float32)


def fit_temperature(probability: np.ndarray, truth: np.ndarray) -> float:
    """The T of `tempered` with the least cross-entropy on these voxels, between 0.1 and 10 (Guo et al. 2017, section 4.2).

    Args:
        probability: [n]. truth: [n], bool.
    """
    from scipy.optimize import minimize_scalar

    probability, truth = _checked(probability, truth)
    clipped = np.clip(probability, _NEVER_SURE, 1 - _NEVER_SURE)
    signed = np.where(truth, 1.0, -1.0) * np.log(clipped / (1 - clipped))  # logit of the true answer
    limits = (-np.log(_LARGEST), np.log(_LARGEST))
    found = minimize_scalar(lambda log_t: float(np.logaddexp(0.0, -signed * np.exp(-log_t)).mean()), bounds=limits, method="bounded")
    return float(np.exp(found.x))


def retention(doubt: np.ndarray, wrong: np.ndarray, points: int = 100) -> Retention:
    """The retention curve of `doubt` [n] against `wrong` [n] (bool); of equal doubt, the errors count as evenly spread.

    Malinin et al. 2021 (arXiv:2107.07455), with the share of wrong voxels as the error.
    """
    doubt, wrong = _checked(doubt, wrong)
    _, group = np.unique(doubt, return_inverse=True)
    share = np.bincount(group, wrong) / np.bincount(group)  # errors of a group of equal doubt, spread over it
    kept = np.arange(1, points + 1) / points
    last = np.maximum((kept * len(doubt)).round().astype(int), 1) - 1

    def curve(errors: np.ndarray) -> np.ndarray:
        return np.cumsum(errors)[last] / (last + 1)

    error = curve(share[group][np.argsort(doubt, kind="stable")])
    best = curve(np.sort(wrong.astype(float)))
    return Retention(kept, error, float(error.mean()), float(best.mean()), float(wrong.mean()))


def _checked(values: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, truth = np.ravel(values).astype(np.float64), np.ravel(truth).astype(bool)
    if len(values) != len(truth) or not len(values):
        raise ValueError(f"there are {len(values)} values and {len(truth)} truths, but each voxel needs both")
    return values, truth
