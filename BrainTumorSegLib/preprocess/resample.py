"""Bringing a label map onto another grid without inventing values."""

from __future__ import annotations

from typing import Any

import numpy as np

from BrainTumorSegLib.volume import Volume


def resample_labels_to(volume: Volume, grid: Volume) -> Volume:
    """A label map on the grid of another volume: each voxel takes the nearest label, 0 outside of `volume`.

    Any spacing, origin and direction is honored on both sides, flipped, permuted and oblique ones included.

    Returns:
        [z, y, x] of `grid`'s shape, with `volume`'s type of numbers and name.
    """
    import SimpleITK as sitk

    resampler = sitk.ResampleImageFilter()
    resampler.SetReferenceImage(_as_image(grid.like(np.zeros(grid.array.shape, dtype=np.uint8))))
    resampler.SetInterpolator(sitk.sitkNearestNeighbor)
    resampler.SetDefaultPixelValue(0)
    labels = sitk.GetArrayFromImage(resampler.Execute(_as_image(volume)))
    return grid.like(labels.astype(volume.array.dtype.newbyteorder("="), copy=False), volume.name)


def _as_image(volume: Volume) -> Any:
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
