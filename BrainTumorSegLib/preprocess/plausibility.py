"""Whether a volume's size fits a head: a wrong spacing makes every millimeter and milliliter of the result wrong."""

from __future__ import annotations

from BrainTumorSegLib.volume import Volume

_SMALLEST_MM, _LARGEST_MM = 80.0, 500.0
_FINEST_MM, _COARSEST_MM = 0.2, 10.0


def unlikely_size_mm(volume: Volume) -> tuple[float, float, float] | None:
    """Extent (x, y, z) in mm where it is no usual size of a head, else None; a thin slab is usual, and a picture has no mm."""
    x, y, z = (length * spacing for length, spacing in zip(volume.array.shape[::-1], volume.spacing_mm))
    _, middle, largest = sorted((x, y, z))
    return (x, y, z) if volume.has_millimeters and (middle < _SMALLEST_MM or largest > _LARGEST_MM) else None


def unlikely_spacing_mm(volume: Volume) -> float | None:
    """The first distance between voxels that no usual head scan has, in mm, else None."""
    if not volume.has_millimeters:
        return None
    return next((spacing for spacing in volume.spacing_mm if not _FINEST_MM <= spacing <= _COARSEST_MM), None)
