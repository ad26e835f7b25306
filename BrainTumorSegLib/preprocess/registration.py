"""A head brought to where another sequence shows it: the patient moved in between, or lay in another scanner."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from BrainTumorSegLib.preprocess.resample import as_image
from BrainTumorSegLib.progress import CancelToken
from BrainTumorSegLib.volume import Volume

_BINS, _SHARE, _SEED = 32, 0.3, 1
_SHAPE_MM = 5.0
"""Of the Gaussian that makes a brain's mask soft, so that two of them which do not meet exactly still pull at one another."""
_SHAPE_VOXELS, _GRAY_VOXELS, _GRAY_MM = 4, 2, 2.0
"""How many voxels become one along each axis, and the standard deviation of the Gaussian before that."""
_STEPS = 40


def align(moving: Volume, fixed: Volume, brain: np.ndarray, elsewhere: np.ndarray, cancel: CancelToken | None = None) -> Volume:
    """`moving` turned and shifted as a whole, so that it shows the head where `fixed` does.

    Rigid: first the shapes of the brains are laid on one another, then mutual information inside the brain decides (Mattes et al. 2003,
    doi:10.1109/TMI.2003.809072). On one thread, so that the same images give the same result.

    Args:
        moving: the sequence that lies elsewhere, on whatever grid.
        fixed: the one that stays.
        brain: of `fixed`, bool [z, y, x] on its grid. elsewhere: of `moving`, on the grid of `fixed` too.

    Returns:
        The voxels of `moving` as they are, with another origin and direction.

    Raises:
        Cancelled: `cancel` was used.
    """
    import SimpleITK as sitk

    transform = sitk.Euler3DTransform()
    middle = _middle(brain, fixed)
    transform.SetCenter(middle.tolist())
    transform.SetTranslation((_middle(elsewhere, fixed) - middle).tolist())
    shapes = [sitk.SmoothingRecursiveGaussian(sitk.Cast(as_image(fixed.like(mask)), sitk.sitkFloat32), _SHAPE_MM) for mask in (brain, elsewhere)]
    by_shape = _method(transform, _SHAPE_VOXELS, 0.0, cancel)
    by_shape.SetMetricAsMeanSquares()
    by_shape.Execute(*shapes)
    by_gray = _method(transform, _GRAY_VOXELS, _GRAY_MM, cancel)
    by_gray.SetMetricAsMattesMutualInformation(_BINS)
    by_gray.SetMetricFixedMask(as_image(fixed.like(brain)))
    by_gray.Execute(*(sitk.Cast(as_image(volume), sitk.sitkFloat32) for volume in (fixed, moving)))
    if cancel:
        cancel.raise_if_cancelled()
    # it takes a place p in `fixed` to turn (p - center) + center + translation in `moving`; here the image goes the other way
    turn, center = np.reshape(transform.GetMatrix(), (3, 3)), np.array(transform.GetCenter())
    origin = turn.T @ (np.array(moving.origin) - center - np.array(transform.GetTranslation())) + center
    place = tuple(origin.round(4).tolist()), tuple((turn.T @ moving.matrix).ravel().round(7).tolist())  # the last digits differ from run to run
    return Volume(moving.array, moving.spacing_mm, *place, name=moving.name)


def _method(transform: Any, voxels: int, sigma_mm: float, cancel: CancelToken | None) -> Any:
    """What improves a transform in place, but for what it measures."""
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(_SHARE, _SEED)  # samples are jittered, without a seed by the clock
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(transform, inPlace=True)
    method.SetOptimizerAsConjugateGradientLineSearch(1.0, _STEPS, 1e-6, 6, 0.0, 5.0, 0.01, 12)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([voxels])
    method.SetSmoothingSigmasPerLevel([sigma_mm])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()

    def look_up() -> None:
        time.sleep(0.001)  # lets the thread run that would cancel: an iteration keeps all others waiting
        if cancel and cancel.cancelled:
            method.StopRegistration()

    method.AddCommand(sitk.sitkIterationEvent, look_up)
    return method


def motion(moving: Volume, aligned: Volume) -> tuple[float, float]:
    """How far a volume was turned, in degrees, and how far its middle was shifted, in mm."""
    turn = aligned.matrix @ moving.matrix.T
    angle = np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))
    middle = (np.array(moving.array.shape) - 1) / 2
    return float(angle), float(np.linalg.norm(_position(middle, aligned) - _position(middle, moving)))


def _middle(mask: np.ndarray, grid: Volume) -> np.ndarray:
    """The center of mass of a mask, LPS in mm."""
    from scipy import ndimage

    return _position(np.array(ndimage.center_of_mass(mask)), grid)


def _position(index: np.ndarray, grid: Volume) -> np.ndarray:
    """Where a voxel [z, y, x] lies, LPS in mm."""
    return grid.matrix @ (index[::-1] * np.asarray(grid.spacing_mm)) + np.asarray(grid.origin)
