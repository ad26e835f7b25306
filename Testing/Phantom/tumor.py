"""The phantom's ring-enhancing tumor: an irregular bright rim, a dark core, edema along the white matter, mass effect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from brain import WHITE
from grid import Grid, mix, smooth_noise, step

CENTER_MM = (31.0, -22.0, 33.0)  # RAS: white matter of the right frontal and parietal lobes
RADII_MM = (17.0, 20.0, 16.0)
_PUSH_MM, _PUSH_REACH_MM = 7.0, 16.0


@dataclass(frozen=True)
class Tumor:
    """Distances in mm on the working grid, negative inside: to the outer border, and to the necrotic core's."""

    outer_mm: np.ndarray
    core_mm: np.ndarray


def make(grid: Grid, rng: np.random.Generator) -> Tumor:
    """An irregular ellipsoid with a rim of 3 to 8 mm and a second, smaller core."""
    lobes = 1 + 0.13 * smooth_noise(grid.shape, 8.0, rng) + 0.04 * smooth_noise(grid.shape, 3.5, rng)
    radius = float(np.mean(RADII_MM))
    outer = (grid.ellipsoid(CENTER_MM, RADII_MM) * lobes - 1) * radius
    bud = (grid.ellipsoid((CENTER_MM[0] + 3, CENTER_MM[1] + 19, CENTER_MM[2] + 3), (9, 9, 9)) * lobes - 1) * 9
    outer = np.minimum(outer, bud)
    rim = 5.2 + 2.2 * smooth_noise(grid.shape, 6.0, rng) + 0.8 * smooth_noise(grid.shape, 2.5, rng)
    return Tumor(outer.astype(np.float32), (outer + np.clip(rim, 2.0, 11.0)).astype(np.float32))


def mass_effect(grid: Grid) -> np.ndarray:
    """[3, z, y, x] mm to add to the position sampled: tissue around the tumor comes from nearer its center."""
    offset = np.stack(np.broadcast_arrays(grid.z - CENTER_MM[2], grid.y - CENTER_MM[1], grid.x - CENTER_MM[0]))
    radius = np.sqrt((offset**2).sum(axis=0))
    push = _PUSH_MM * np.exp(-np.maximum(radius - float(np.mean(RADII_MM)), 0) / _PUSH_REACH_MM)
    return (-offset / np.maximum(radius, 1.0) * push).astype(np.float32)


def paint(image: np.ndarray, tumor: Tumor, white: np.ndarray, fluid: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture with edema, rim and core; `white` and `fluid` (0..1) steer where edema spreads."""
    shape = image.shape
    spread = 8.0 + 6.0 * white + 4.0 * smooth_noise(shape, 7.0, rng)
    edema = (1 - step(tumor.outer_mm - spread, 0.0, 12.0)) * (1 - fluid) * (0.25 + 0.75 * white)
    image = mix(image, 0.85 * edema, 0.68 * WHITE + 2.5 * smooth_noise(shape, 3.0, rng))
    rim = 150 + 15 * smooth_noise(shape, 5.0, rng) + 11 * smooth_noise(shape, 1.8, rng)
    image = mix(image, 1 - step(tumor.outer_mm, 0.0, 1.6), rim)
    core = 46 + 8 * smooth_noise(shape, 4.0, rng) + 5 * smooth_noise(shape, 1.5, rng)
    image = mix(image, 1 - step(tumor.core_mm, 0.0, 2.4), core)
    islands = step(smooth_noise(shape, 2.5, rng), 1.9, 0.5) * (1 - step(tumor.core_mm, 0.0, 1.0))
    return mix(image, 0.6 * islands, 130.0)
