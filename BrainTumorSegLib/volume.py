"""A 3-D image with its place in the patient, and the checks made at every door."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from BrainTumorSegLib.errors import InputError

_ORTHONORMAL_TOLERANCE = 1e-3  # NIfTI stores rotations as float32 quaternions or matrices


@dataclass(frozen=True)
class Volume:
    """A scalar image on a regular grid in patient space.

    Attributes:
        array: voxels, [z, y, x] (slice, row, column), any real number type.
        spacing_mm: distance between voxel centers, (x, y, z), all > 0. See `spacing_zyx_mm` for array order.
        origin: position of voxel [0, 0, 0] in LPS millimeters, (x, y, z).
        direction: 3x3, column i is the LPS unit vector of index axis i (x, y, z), as ITK has it.
        has_millimeters: False for pictures (PNG, JPEG), whose spacing is a placeholder of 1.
        name: what messages call this volume, for instance its file name.
    """

    array: np.ndarray
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    has_millimeters: bool = True
    name: str = "volume"

    def __post_init__(self) -> None:
        _check_shape(self)
        _check_geometry(self)

    @property
    def spacing_zyx_mm(self) -> tuple[float, float, float]:
        """Spacing in the order of the array's axes, in mm."""
        x, y, z = self.spacing_mm
        return z, y, x

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in milliliters."""
        return float(np.prod(self.spacing_mm)) / 1000.0

    @property
    def matrix(self) -> np.ndarray:
        """`direction` as a 3x3 array."""
        return np.asarray(self.direction, dtype=float).reshape(3, 3)

    def like(self, array: np.ndarray, name: str | None = None) -> Volume:
        """Another image on this grid; its shape must be this one's."""
        if array.shape != self.array.shape:
            raise InputError(f"an array of shape {array.shape} does not fit the grid {self.array.shape} of {self.name}; give one value for each voxel")
        return Volume(array, self.spacing_mm, self.origin, self.direction, self.has_millimeters, name or self.name)

    def same_grid(self, other: Volume, tolerance_mm: float = 1e-2) -> bool:
        """True where every voxel center of both volumes agrees to `tolerance_mm` mm."""
        if self.array.shape != other.array.shape:
            return False
        corner_index = np.array(self.array.shape[::-1], dtype=float) - 1
        for index in (np.zeros(3), *np.diag(corner_index)):
            if np.abs(_position(self, index) - _position(other, index)).max() > tolerance_mm:
                return False
        return True


def _position(volume: Volume, index_xyz: np.ndarray) -> np.ndarray:
    return np.asarray(volume.origin) + volume.matrix @ (np.asarray(volume.spacing_mm) * index_xyz)


def _check_shape(volume: Volume) -> None:
    array = volume.array
    if array.ndim != 3:
        raise InputError(f"{volume.name} has {array.ndim} dimensions, but a volume has 3 ([z, y, x]); give one time point and one channel")
    if not (np.issubdtype(array.dtype, np.number) or array.dtype == bool) or np.iscomplexobj(array):
        raise InputError(f"{volume.name} holds {array.dtype} values, but voxels are real numbers; convert it to a scalar volume")
    if array.size <= 1:
        raise InputError(f"{volume.name} has {array.size} voxels (shape {array.shape}), which is no image; give a volume with at least two voxels")


def _check_geometry(volume: Volume) -> None:
    spacing = np.asarray(volume.spacing_mm, dtype=float)
    if spacing.shape != (3,) or not np.isfinite(spacing).all() or (spacing <= 0).any():
        raise InputError(f"{volume.name} has the spacing {volume.spacing_mm} mm, but all three must be greater than 0; correct its header")
    if np.shape(volume.origin) != (3,) or not np.isfinite(volume.origin).all():
        raise InputError(f"{volume.name} has the origin {volume.origin}, but three finite positions in mm are needed; correct its header")
    matrix = np.asarray(volume.direction, dtype=float)
    if matrix.size != 9 or not np.isfinite(matrix).all():
        raise InputError(f"{volume.name} has the direction {volume.direction}, but nine finite numbers are needed; correct its header")
    matrix = matrix.reshape(3, 3)
    if np.abs(matrix.T @ matrix - np.eye(3)).max() > _ORTHONORMAL_TOLERANCE:
        raise InputError(
            f"{volume.name} has a direction matrix that is singular or not orthonormal (determinant {np.linalg.det(matrix):.3g}); "
            "resample it onto a regular grid first"
        )


def check_image(volume: Volume) -> None:
    """Refuse an image that no network can read.

    Raises:
        InputError: voxels that are NaN or infinite (with their count), or a constant image.
    """
    if np.issubdtype(volume.array.dtype, np.floating):
        bad = int(volume.array.size - np.count_nonzero(np.isfinite(volume.array)))
        if bad:
            raise InputError(f"{volume.name} has {bad} voxels that are NaN or infinite; replace them (for instance by 0) and try again")
    if volume.array.min() == volume.array.max():
        raise InputError(
            f"{volume.name} is constant (every voxel is {volume.array.flat[0]}), so there is nothing to segment; check that the right volume was chosen"
        )
