"""What surrounds the brain: meninges, skull, scalp, orbits, sinuses, face and neck."""

from __future__ import annotations

import numpy as np
from grid import Grid, mix, smooth_noise, step
from scipy import ndimage

AIR, BONE, MARROW, MUSCLE, FAT, SKIN = 2.0, 9.0, 62.0, 82.0, 172.0, 120.0
_SCALP_MM, _SKULL_MM = 6.0, 6.0
_VAULT = 82  # slice (z = -14 mm) above which the skull bridges the dents of the brain


def outside_brain_mm(mask: np.ndarray) -> np.ndarray:
    """Signed distance in mm to the smooth hull of the brain, negative inside."""
    brain = mask > 0.5
    hull = ndimage.gaussian_filter((_closed(brain, 9) | brain).astype(np.float32), 2.0) > 0.5
    hull[_VAULT:] |= ndimage.gaussian_filter(_closed(brain[_VAULT - 30 :], 30).astype(np.float32), 4.0)[30:] > 0.5
    hull = ndimage.gaussian_filter(hull.astype(np.float32), 3.0) > 0.5
    return (ndimage.distance_transform_edt(~hull) - ndimage.distance_transform_edt(hull)).astype(np.float32)


def _closed(mask: np.ndarray, radius_mm: float) -> np.ndarray:
    """Morphological closing by a ball."""
    room = int(radius_mm) + 1
    grown = ndimage.distance_transform_edt(~np.pad(mask, room)) < radius_mm
    return (ndimage.distance_transform_edt(grown) > radius_mm)[room:-room, room:-room, room:-room]


def add_head(image: np.ndarray, grid: Grid, brain_mask: np.ndarray, outside_mm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The brain's picture with a head around it; `outside_mm` comes from `outside_brain_mm`."""
    depth = _depth(grid, outside_mm, rng)
    head = _soft_tissue(grid, rng)
    head = _cavities(head, grid, rng)
    wobble = 0.9 * smooth_noise(image.shape, 12.0, rng)
    skull = step(outside_mm, 2.4) * (1 - step(outside_mm + wobble, 2.4 + _SKULL_MM)) * step(depth, _SCALP_MM - 1.5)
    marrow = step(outside_mm + wobble, 4.2) * (1 - step(outside_mm + wobble, 6.8)) * step(smooth_noise(image.shape, 4.0, rng), -0.6, 1.6)
    head = mix(head, skull, BONE)
    head = mix(head, skull * marrow * step(depth, _SCALP_MM + 1.0), MARROW + 8 * smooth_noise(image.shape, 2.0, rng))
    fatty = np.clip(0.85 + 0.25 * smooth_noise(image.shape, 5.0, rng), 0.25, 1)
    head = mix(head, (1 - step(depth, _SCALP_MM - 0.5)), MUSCLE + (FAT - MUSCLE) * fatty)
    head = mix(head, (1 - step(depth, 2.0)), SKIN)
    inside = 1 - step(outside_mm, 1.4)
    meninges = 1 - step(np.abs(outside_mm - 1.8), 0.55, 0.6)
    head = mix(head, inside, mix(np.full_like(image, 34.0), brain_mask, image))
    head = mix(head, meninges * step(smooth_noise(image.shape, 9.0, rng), -0.4, 1.2) * 0.6, 120.0)
    return head * step(depth, 0.5)


def _depth(grid: Grid, outside_mm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Distance in mm below the skin; 0 outside the head."""
    thickness = 2.4 + _SKULL_MM + _SCALP_MM + 1.0 * smooth_noise(grid.shape, 20.0, rng)
    face = grid.ellipsoid((0, 24, -62), (66, 66, 66)) < 1
    nose = grid.ellipsoid((0, 88, -58), (11, 16, 17)) < 1
    neck = ((grid.x / 60) ** 2 + ((grid.y + 34) / 62) ** 2 < 1) & (grid.z < -36)
    solid = (outside_mm < thickness) | face | nose | neck
    solid = ndimage.gaussian_filter(solid.astype(np.float32), 4.0) > 0.5
    solid |= nose
    # The field of view cuts the neck, so the array goes on below it: its lowest slice is no skin.
    return ndimage.distance_transform_edt(np.pad(solid, ((40, 0), (0, 0), (0, 0)), mode="edge"))[40:].astype(np.float32)


def _soft_tissue(grid: Grid, rng: np.random.Generator) -> np.ndarray:
    """Muscle bundles with fat between them and bone here and there."""
    tissue = np.full(grid.shape, MUSCLE, np.float32) + 9 * smooth_noise(grid.shape, 2.0, rng)
    patches = smooth_noise(grid.shape, 6.0, rng) + 0.7 * smooth_noise(grid.shape, 2.5, rng)
    tissue = mix(tissue, 0.8 * step(patches, 0.9, 1.4), FAT - 30)
    tissue = mix(tissue, step(smooth_noise(grid.shape, 6.0, rng) + 0.4 * smooth_noise(grid.shape, 2.5, rng), 1.35, 0.8), BONE + 20)
    return mix(tissue, step(smooth_noise(grid.shape, 4.0, rng) + 0.5 * smooth_noise(grid.shape, 2.0, rng), 1.7, 0.8), 145.0)  # glands, mucosa, vessels


def _cavities(head: np.ndarray, grid: Grid, rng: np.random.Generator) -> np.ndarray:
    """Air-filled cavities with enhancing mucosa, and the orbits."""
    for side in (-1, 1):
        head = _orbit(head, grid, side)
        head = _hollow(head, grid.ellipsoid((side * 27, 46, -56), (13, 15, 15)), 15.0)  # maxillary sinus
        cells = grid.ellipsoid((side * 56, -32, -46), (12, 15, 16))
        head = mix(head, (1 - step(cells, 1.0, 0.1)), BONE)
        head = mix(head, (1 - step(cells, 0.9, 0.1)) * step(smooth_noise(grid.shape, 1.5, rng), 0.9, 0.5), 70.0)  # mastoid cells
    head = _hollow(head, grid.ellipsoid((0, 22, -38), (12, 12, 8)), 12.0)  # sphenoid sinus
    head = _hollow(head, grid.ellipsoid((7, 80, -10), (14, 7, 10)), 12.0)  # frontal sinus
    nose = grid.ellipsoid((0, 58, -54), (15, 28, 20))
    head = _hollow(head, nose, 20.0)
    bent = np.abs(grid.x) + 0.25 * grid.z + 2.5 * smooth_noise(grid.shape, 5.0, rng)
    turbinates = (1 - step(np.abs(np.sin(bent / 3.2)), 0.6, 0.5)) * (1 - step(nose, 0.95, 0.1))
    head = mix(head, turbinates, 150.0)
    return _hollow(head, grid.ellipsoid((0, 8, -88), (9, 9, 30)), 10.0)  # pharynx


def _hollow(head: np.ndarray, radius: np.ndarray, size_mm: float) -> np.ndarray:
    head = mix(head, 1 - step(radius, 1.0, 1 / size_mm), 150.0)
    return mix(head, 1 - step(radius, 1 - 2.2 / size_mm, 1 / size_mm), AIR)


def _orbit(head: np.ndarray, grid: Grid, side: int) -> np.ndarray:
    """Eyeball, optic nerve and muscles in a cone of fat."""
    eye = (side * 33.0, 66.0, -34.0)
    apex = (side * 14.0, 26.0, -28.0)
    head = mix(head, 1 - step(grid.distance_to_line([apex, (side * 29.0, 54.0, -33.0)]), 15.0), FAT)
    for dx, dz in ((0.0, 0.0), (9.0, 0.0), (-9.0, 0.0), (0.0, 9.0), (0.0, -9.0)):
        muscle = grid.distance_to_line([apex, (eye[0] + dx, eye[1] - 8, eye[2] + dz)])
        head = mix(head, 1 - step(muscle, 1.9), 125.0 if dx or dz else 88.0)
    ball = grid.ellipsoid(eye, (12.5, 12.5, 12.5))
    head = mix(head, 1 - step(ball, 1.0, 0.08), 120.0)
    head = mix(head, 1 - step(ball, 0.86, 0.08), 30.0)
    return mix(head, 1 - step(grid.ellipsoid((eye[0], eye[1] + 8, eye[2]), (4.5, 2.2, 4.5)), 1.0, 0.2), 85.0)
