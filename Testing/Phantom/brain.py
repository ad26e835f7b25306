"""The brain of the phantom: MNI152 tissue made to look like one person's T1 after contrast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from grid import BELOW, Grid, mix, smooth_noise, step
from scipy import ndimage

CSF, GRAY, WHITE = 34.0, 78.0, 92.0  # after contrast gray and white matter differ little


@dataclass(frozen=True)
class Brain:
    """Maps on the working grid: fluid, white matter and brain mask in 0..1, and the picture of the brain alone."""

    fluid: np.ndarray
    white: np.ndarray
    mask: np.ndarray
    image: np.ndarray


def person(templates: dict[str, np.ndarray], displacement: np.ndarray, rng: np.random.Generator) -> Brain:
    """One person's brain: the average templates (0..1, keys t1, gm, wm) bent and sharpened.

    `displacement` [3, z, y, x] in mm (array order) is added to the position sampled, for the mass effect of the tumor.
    """
    shape = displacement.shape[1:]
    bend = np.stack([2.2 * smooth_noise(shape, 14.0, rng) for _ in range(3)])
    where = np.indices(shape, dtype=np.float32) + bend + displacement
    maps = {name: ndimage.map_coordinates(padded(array), where, order=1) for name, array in templates.items()}
    mask = ndimage.gaussian_filter(ndimage.binary_fill_holes(maps["t1"] > 0.12).astype(np.float32), 0.6)
    sharp = maps["t1"] + 1.6 * (maps["t1"] - ndimage.gaussian_filter(maps["t1"], 2.2))
    fluid = np.maximum(1 - step(sharp, 0.42, 0.24), _own_sulci(mask, maps["wm"], rng)) * mask
    white = step(maps["wm"] - maps["gm"] + 0.35 * (sharp - maps["t1"]), 0.0, 0.5)
    tissue = GRAY + (WHITE - GRAY) * white + 2.0 * smooth_noise(shape, 3.0, rng)
    return Brain(fluid, white, mask, mix(tissue, fluid, CSF))


def padded(template: np.ndarray) -> np.ndarray:
    """The template with empty slices below, on the working grid."""
    return np.pad(template.astype(np.float32), ((BELOW, 0), (0, 0), (0, 0)))


def _own_sulci(mask: np.ndarray, white: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Narrow dark sheets in the outer cortex: the average of 152 people has lost most of its sulci."""
    depth = ndimage.distance_transform_edt(mask > 0.5)
    sheets = 1 - step(np.abs(smooth_noise(mask.shape, 5.0, rng)), 0.10, 0.12)
    return sheets * (1 - step(depth, 10.0, 8.0)) * (1 - step(white, 0.35, 0.3)) * 0.9


def add_vessels(image: np.ndarray, grid: Grid, brain: Brain, outside_mm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Everything in the skull that takes up contrast without being a tumor. `outside_mm` is negative inside the brain."""
    for points, radius, value in _LINES:
        for side in (-1, 1):
            line = grid.distance_to_line([(side * x, y, z) for x, y, z in points])
            image = mix(image, 1 - step(line, radius, 1.2), value)
    for side in (-1, 1):  # dural sinuses are flat: they lie against the skull
        near = 1 - step(grid.distance_to_line([(side * x, y, z) for x, y, z in _TRANSVERSE_SINUS]), 6.0, 1.5)
        image = mix(image, near * step(outside_mm, -3.0, 1.5) * (1 - step(outside_mm, 2.0, 1.0)), 175.0)
    for points, radius in _CHOROID:
        for side in (-1, 1):
            plexus = 1 - step(grid.distance_to_line([(side * x, y, z) for x, y, z in points]), radius, 1.5)
            image = mix(image, plexus * step(ndimage.gaussian_filter(brain.fluid, 0.7), 0.35, 0.3), 135.0)
    return _small_vessels(_midline(image, grid, brain, outside_mm), grid, brain, outside_mm, rng)


def _midline(image: np.ndarray, grid: Grid, brain: Brain, outside_mm: np.ndarray) -> np.ndarray:
    """The falx, faintly, and the superior sagittal sinus along its outer edge."""
    bow = 1.2 * np.sin(grid.y / 24.0)  # no falx is quite straight
    falx = (1 - step(np.abs(grid.x - bow), 0.7, 0.8)) * step(grid.z, 14 + 0.0 * grid.y, 6) * brain.fluid
    image = mix(image, falx * step(-outside_mm, -3, 2) * (1 - step(-outside_mm, 26, 12)), 105.0)
    width = 1.0 + np.clip(outside_mm + 5, 0, 8) * 0.5
    sinus = (1 - step(np.abs(grid.x - bow), width, 1.2)) * step(outside_mm, -4.5, 1.5) * (1 - step(outside_mm, 2.2, 1.2))
    along = np.maximum(step(grid.z, 20, 10), step(-grid.y, 70, 8) * step(grid.z, -14, 5))
    return mix(image, sinus * along, 185.0)


def _small_vessels(image: np.ndarray, grid: Grid, brain: Brain, outside_mm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cortical veins and arteries: where two random sheets meet there is a random line."""
    a, b = (np.abs(smooth_noise(image.shape, 6.0, rng)) for _ in range(2))
    lines = 1 - step(np.hypot(a, b), 0.17, 0.16)
    near_surface = step(outside_mm, -12, 6) * (1 - step(outside_mm, 1.0, 1.0))
    image = mix(image, lines * near_surface * np.clip(0.25 + brain.fluid, 0, 1), 160.0)
    a, b = (np.abs(smooth_noise(image.shape, 8.0, rng)) for _ in range(2))
    deep = (1 - step(np.hypot(a, b), 0.09, 0.1)) * brain.mask * (1 - near_surface)
    return mix(image, 0.5 * deep, 135.0)


# Polylines in RAS mm on the right side (mirrored to the left), radius in mm, gray value.
_LINES = [
    ([(0, -98, -10), (0, -74, -2), (0, -46, 6)], 1.8, 165.0),  # straight sinus
    ([(2, -44, 8), (2.5, -22, 14), (2.5, -2, 14)], 0.8, 150.0),  # internal cerebral veins
    ([(13, -2, -32), (14, 4, -24), (12, 4, -18)], 2.0, 175.0),  # internal carotid
    ([(13, 4, -17), (26, 6, -16), (38, 2, -12), (42, -8, -2), (42, -20, 6)], 1.0, 165.0),  # middle cerebral artery
    ([(3, 8, -14), (2.5, 28, -2), (2.5, 34, 16), (2.5, 18, 32), (2.5, -8, 36)], 0.9, 155.0),  # anterior cerebral artery
    ([(1, -30, -52), (0.5, -22, -30)], 1.6, 170.0),  # basilar artery
    ([(5, -12, -33), (13, -10, -32)], 3.2, 150.0),  # cavernous sinus
    ([(0, -1, -36), (0, 1, -31)], 3.5, 145.0),  # pituitary gland
]
_TRANSVERSE_SINUS = [(0, -104, -8), (30, -98, -18), (54, -76, -26), (62, -52, -34), (54, -40, -50), (38, -34, -64)]
_CHOROID = [([(12, -28, 20), (21, -40, 14), (26, -36, 2), (32, -24, -10)], 2.6)]
