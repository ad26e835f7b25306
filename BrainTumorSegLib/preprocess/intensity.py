"""Intensities on a common scale: MRI has no unit, so each image is measured against its own tissue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_LOW_PERCENTILE, _HIGH_PERCENTILE = 0.5, 99.8
_FOREGROUND_FRACTION = 0.1  # of the range: above the noise of air, below the darkest tissue


@dataclass(frozen=True)
class TissueScale:
    """The linear scale of one image: `low` becomes 0, the mean of the foreground 1, what is above `high` is clipped.

    Attributes:
        low: 0.5 percentile, the air (or the zero outside a stripped skull).
        high: 99.8 percentile, so that one bright vessel does not set the scale.
        mean: mean of the foreground, the voxels brighter than a tenth of the way from `low` to `high`.
    """

    low: float
    high: float
    mean: float

    def apply(self, image: np.ndarray) -> np.ndarray:
        """`image`, any shape, as float32 tissue units: 0 for air, 1 for mean tissue."""
        scaled = image.astype(np.float32)  # and then in place: a volume's double precision takes three times as long
        np.clip(scaled, self.low, self.high, out=scaled)
        scaled -= self.low
        scaled /= self.mean - self.low
        return scaled

    def gray(self, units: float) -> float:
        """The gray level of the image that becomes `units`."""
        return self.low + units * (self.mean - self.low)


def fit_tissue_scale(image: np.ndarray) -> TissueScale:
    """Measure the scale of one volume or one picture, any shape; a constant image gets a scale that maps it to 0."""
    sample = _thinned(image)
    low, high = (float(v) for v in np.percentile(sample, (_LOW_PERCENTILE, _HIGH_PERCENTILE)))
    if high <= low:  # nearly everything is air: a speck of tissue is all there is
        low, high = float(image.min()), float(image.max())
    if high <= low:
        return TissueScale(low, high, low + 1.0)
    foreground = sample[sample > low + _FOREGROUND_FRACTION * (high - low)]
    mean = float(np.minimum(foreground, high).mean()) if foreground.size else high
    return TissueScale(low, high, mean)


def _thinned(image: np.ndarray, most: int = 2_000_000) -> np.ndarray:
    """Every n-th voxel along each axis of a big volume; what the step leaves over is shared between both ends."""
    if image.size <= most:
        return image
    step = int(np.ceil((image.size / most) ** (1 / image.ndim)))
    return image[tuple(slice((n - 1) % step // 2, None, step) for n in image.shape)]
