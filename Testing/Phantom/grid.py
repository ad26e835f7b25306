"""The phantom's working grid: 1 mm, RAS, the extent of the MNI152 templates plus room for a face.

Arrays are [z, y, x]; `Grid.points` gives RAS millimeters in the same order (x, y, z).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage

FIRST_MM = (-98.0, -134.0, -72.0)  # RAS of voxel [0, 0, 0] of the templates
BELOW = 24  # slices added under the templates for the face and neck


@dataclass(frozen=True)
class Grid:
    """Coordinates of every voxel, in RAS mm; each is float32 and broadcasts to [z, y, x]."""

    shape: tuple[int, int, int]

    @property
    def x(self) -> np.ndarray:
        return (np.arange(self.shape[2], dtype=np.float32) + FIRST_MM[0])[None, None, :]

    @property
    def y(self) -> np.ndarray:
        return (np.arange(self.shape[1], dtype=np.float32) + FIRST_MM[1])[None, :, None]

    @property
    def z(self) -> np.ndarray:
        return (np.arange(self.shape[0], dtype=np.float32) + FIRST_MM[2] - BELOW)[:, None, None]

    def ellipsoid(self, center: tuple[float, float, float], radii: tuple[float, float, float]) -> np.ndarray:
        """Normalized radius: < 1 inside, 1 on the surface. Both arguments in mm, (x, y, z)."""
        terms = ((axis - c) / r for axis, c, r in zip((self.x, self.y, self.z), center, radii, strict=True))
        return np.sqrt(sum(term**2 for term in terms))

    def distance_to_line(self, points: list[tuple[float, float, float]]) -> np.ndarray:
        """Distance in mm to a polyline through `points` (x, y, z)."""
        best = np.full(self.shape, np.inf, np.float32)
        for a, b in pairwise(points):
            np.minimum(best, self._distance_to_segment(np.asarray(a), np.asarray(b)), out=best)
        return best

    def _distance_to_segment(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        way = b - a
        offsets = (self.x - a[0], self.y - a[1], self.z - a[2])
        along = np.clip(sum(o * w for o, w in zip(offsets, way, strict=True)) / float(way @ way), 0, 1)
        return np.sqrt(sum((o - along * w) ** 2 for o, w in zip(offsets, way, strict=True))).astype(np.float32)


def smooth_noise(shape: tuple[int, ...], scale_mm: float, rng: np.random.Generator) -> np.ndarray:
    """A smooth random field of mean 0 and standard deviation 1; `scale_mm` is the Gaussian's sigma."""
    step = max(1, int(scale_mm / 2))  # made on a coarse grid: the field has no finer detail
    coarse = tuple(n // step + 4 for n in shape)
    field = ndimage.gaussian_filter(rng.standard_normal(coarse), scale_mm / step, mode="wrap")
    if step > 1:
        index = np.meshgrid(*[np.arange(n, dtype=np.float32) / step for n in shape], indexing="ij", sparse=False)
        field = ndimage.map_coordinates(field, index, order=1, mode="nearest")
    field = field[tuple(slice(n) for n in shape)]
    return ((field - field.mean()) / field.std()).astype(np.float32)


def step(values: np.ndarray, edge: float, width: float = 1.0) -> np.ndarray:
    """A smooth step from 0 below `edge` to 1 above it, over `width`."""
    return np.clip((values - edge) / width + 0.5, 0, 1).astype(np.float32)


def mix(image: np.ndarray, weight: np.ndarray, value: np.ndarray | float) -> np.ndarray:
    """`value` laid over `image` where `weight` (0 to 1) says."""
    return image + weight * (value - image)
