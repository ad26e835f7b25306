"""Bringing an image or a label map onto another grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from BrainTumorSegLib.volume import Volume

_WIDER = 1.2
"""How many times wider a voxel has to be before finer ones are smoothed to its width."""


def resample_labels_to(volume: Volume, grid: Volume) -> Volume:
    """A label map on the grid of another volume: each voxel takes the nearest label, 0 outside of `volume`.

    Any spacing, origin and direction is honored on both sides, flipped, permuted and oblique ones included.

    Returns:
        [z, y, x] of `grid`'s shape, with `volume`'s type of numbers and name.
    """
    import SimpleITK as sitk

    labels = _resampled(as_image(volume), grid, sitk.sitkNearestNeighbor)
    return grid.like(labels.astype(volume.array.dtype.newbyteorder("="), copy=False), volume.name)


def resample_image_to(volume: Volume, grid: Volume) -> Volume:
    """An image on the grid of another volume, linearly interpolated, 0 outside of `volume`.

    Where voxels of `grid` are wider than those of `volume` it is smoothed to their width first, or fine detail would alias.

    Returns:
        float32 [z, y, x] of `grid`'s shape, with `volume`'s name.
    """
    import SimpleITK as sitk

    image = sitk.Cast(as_image(volume), sitk.sitkFloat32)
    sigma = _smoothing_mm(volume, grid)
    if sigma.any():
        # a width of 0 is not allowed; a hundredth of a voxel changes nothing
        image = sitk.DiscreteGaussian(image, np.maximum(sigma, 0.01 * np.asarray(volume.spacing_mm)) ** 2, useImageSpacing=True)
    return grid.like(_resampled(image, grid, sitk.sitkLinear), volume.name)


def shared_part(volume: Volume, grid: Volume) -> float:
    """Which part of `grid`'s box lies in `volume`'s, 0 to 1, by a lattice of 11 points an axis."""
    lattice = np.stack(np.meshgrid(*[np.linspace(0, n - 1, 11) for n in grid.array.shape[::-1]], indexing="ij"), -1).reshape(-1, 3)
    points = lattice * np.asarray(grid.spacing_mm) @ grid.matrix.T + np.asarray(grid.origin)
    indices = (points - np.asarray(volume.origin)) @ volume.matrix / np.asarray(volume.spacing_mm)  # the inverse of a rotation is its transpose
    inside = (indices >= -0.5) & (indices <= np.asarray(volume.array.shape[::-1]) - 0.5)
    return float(inside.all(axis=1).mean())


def _resampled(image: Any, grid: Volume, interpolator: int) -> np.ndarray:
    """The voxels of an ITK image on the grid of a volume, 0 outside of the image."""
    import SimpleITK as sitk

    resampler = sitk.ResampleImageFilter()
    resampler.SetReferenceImage(as_image(grid.like(np.zeros(grid.array.shape, dtype=np.uint8))))
    resampler.SetInterpolator(interpolator)
    resampler.SetDefaultPixelValue(0)
    return sitk.GetArrayFromImage(resampler.Execute(image))


def _smoothing_mm(volume: Volume, grid: Volume) -> np.ndarray:
    """Standard deviation along each axis of `volume`, (x, y, z): a Gaussian of half the width of `grid`'s voxel, 0 where it is no wider."""
    width = np.max(np.abs(volume.matrix.T @ grid.matrix) * np.asarray(grid.spacing_mm), axis=1)
    spacing = np.asarray(volume.spacing_mm)
    return np.where(width > _WIDER * spacing, np.sqrt(np.maximum(width**2 - spacing**2, 0)) / 2.355, 0.0)


def as_image(volume: Volume) -> Any:
    """A volume as SimpleITK's image of the same voxels in the same place."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(_storable(volume.array))
    image.SetSpacing([float(step) for step in volume.spacing_mm])
    image.SetOrigin([float(position) for position in volume.origin])
    image.SetDirection([float(cosine) for cosine in np.ravel(volume.direction)])
    return image


def _storable(array: np.ndarray) -> np.ndarray:
    """The same values in a type that ITK has: no booleans, no half floats, native byte order."""
    if array.dtype == bool:
        return array.astype(np.uint8)
    if array.dtype == np.float16:
        return array.astype(np.float32)
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
