"""Volumes between MRML (RAS millimeters, VTK images) and the backend (LPS millimeters, numpy arrays).

Main thread only, as all of MRML. Nothing here changes the scene or the nodes it is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util import numpy_support

from BrainTumorSegGUI.warp import Warp
from BrainTumorSegLib.api import InputError, Volume

_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_BYTES_A_STEP = 32_000_000
"""Copied within a few hundredths of a second."""


def copySteps(nodes: Mapping[str, slicer.vtkMRMLScalarVolumeNode], copies: dict[str, Volume]) -> Iterator[float]:
    """Read volumes where they lie in the patient, a few slices a step, into copies that a worker thread may keep; yields the part that is done.

    The nodes are looked at now and not used afterwards. A parent transform is honored; under one that bends, the voxels are resampled.

    Args:
        nodes: by role ("t1ce", ...).
        copies: filled by role, each when it is complete.

    Raises:
        InputError: no node, a node without an image, or one that is not a regular scalar volume; in a step: see `Warp.steps`.
    """
    if not nodes:
        raise InputError(_("no input volume is chosen, but the model needs one; choose a contrast-enhanced T1 volume"))
    return _copySteps({role: (viewOfNode(node), _warpOf(node)) for role, node in nodes.items()}, copies)


def _copySteps(sources: Mapping[str, tuple[Volume, Warp | None]], copies: dict[str, Volume]) -> Iterator[float]:
    for index, (role, (view, warp)) in enumerate(sources.items()):
        array = np.empty_like(view.array)
        for part in warp.steps(array) if warp is not None else _sliceSteps(view.array, array):
            yield (index + part) / len(sources)
        copies[role] = view.like(array)


def _sliceSteps(source: np.ndarray, array: np.ndarray) -> Iterator[float]:
    slices = max(1, _BYTES_A_STEP // max(1, source[0].nbytes))
    for start in range(0, len(array), slices):
        array[start : start + slices] = source[start : start + slices]
        yield min(1.0, (start + slices) / len(array))


def volumeFromNode(node: slicer.vtkMRMLScalarVolumeNode) -> Volume:
    """All of `copySteps` in one call, which takes seconds under a transform that bends.

    Raises:
        InputError: a node without voxels, with several components, or sheared by its transform.
    """
    copies: dict[str, Volume] = {}
    for _step in copySteps({"": node}, copies):
        pass
    return copies[""]


def viewOfNode(node: slicer.vtkMRMLScalarVolumeNode) -> Volume:
    """A volume node where it lies in the patient, without a copy of its voxels; they must not be written to.

    A linear parent transform is honored. One that bends is passed over: the voxels are as they are stored.

    Raises:
        InputError: see `volumeFromNode`.
    """
    if node.GetImageData() is None or node.GetImageData().GetPointData().GetScalars() is None:
        raise InputError(_("{name} has no image, but voxels are needed; load its image or choose another volume").format(name=node.GetName()))
    ijkToRas = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(ijkToRas)
    transformNode = node.GetParentTransformNode()
    if transformNode is not None and transformNode.IsTransformToWorldLinear():
        toWorld = vtk.vtkMatrix4x4()
        transformNode.GetMatrixTransformToWorld(toWorld)
        vtk.vtkMatrix4x4.Multiply4x4(toWorld, ijkToRas, ijkToRas)
    return viewOfImage(node.GetImageData(), ijkToRas, node.GetName())


def _warpOf(node: slicer.vtkMRMLScalarVolumeNode) -> Warp | None:
    """None where no transform bends the volume."""
    transformNode = node.GetParentTransformNode()
    return None if transformNode is None or transformNode.IsTransformToWorldLinear() else Warp(node)


def copied(view: Volume) -> Volume:
    """The same volume with its own copy of the voxels."""
    return view.like(view.array.copy())


def volumeFromImage(image: vtk.vtkImageData, ijkToRas: vtk.vtkMatrix4x4, name: str) -> Volume:
    """A VTK image and its place in RAS as a `Volume` with its own copy of the voxels, [z, y, x].

    Raises:
        InputError: see `Volume`.
    """
    return copied(viewOfImage(image, ijkToRas, name))


def viewOfImage(image: vtk.vtkImageData, ijkToRas: vtk.vtkMatrix4x4, name: str) -> Volume:
    """A VTK image and its place in RAS as a `Volume` of the image's own voxels, [z, y, x], which must not be written to.

    Raises:
        InputError: see `Volume`.
    """
    scalars = image.GetPointData().GetScalars()
    components = scalars.GetNumberOfComponents()
    shape = image.GetDimensions()[::-1] + ((components,) if components > 1 else ())
    ijkToLps = _RAS_TO_LPS @ slicer.util.arrayFromVTKMatrix(ijkToRas)
    # A segment's image is cropped: its first voxel is not index 0.
    origin = ijkToLps @ np.array([*image.GetExtent()[::2], 1.0])
    spacing = np.linalg.norm(ijkToLps[:3, :3], axis=0)
    with np.errstate(invalid="ignore"):  # a spacing of 0 is refused by Volume, in words
        direction = ijkToLps[:3, :3] / spacing
    array = numpy_support.vtk_to_numpy(scalars).reshape(shape)
    return Volume(array, tuple(spacing.tolist()), tuple(origin[:3].tolist()), tuple(direction.ravel().tolist()), name=name)


def imageFromVolume(volume: Volume, crop: bool = False) -> slicer.vtkOrientedImageData:
    """A `Volume` as Slicer's oriented image, with its own copy of the voxels.

    Args:
        crop: keep only the box around the non-zero voxels (which there must be), as Slicer stores its segments.
    """
    indexToLps = np.eye(4)
    indexToLps[:3, :3] = volume.matrix * np.asarray(volume.spacing_mm)
    indexToLps[:3, 3] = volume.origin
    box = _boxOfNonZero(volume.array) if crop else tuple(slice(0, length) for length in volume.array.shape)
    array = np.ascontiguousarray(volume.array[box])
    image = slicer.vtkOrientedImageData()
    image.SetExtent([bound for axis in reversed(box) for bound in (axis.start, axis.stop - 1)])
    image.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(_RAS_TO_LPS @ indexToLps))
    image.GetPointData().SetScalars(numpy_support.numpy_to_vtk(array.ravel(), deep=True))
    return image


def _boxOfNonZero(array: np.ndarray) -> tuple[slice, ...]:
    """The slices, in array order, of the smallest box around all non-zero voxels."""
    box = []
    for axis in range(array.ndim):
        others = tuple(other for other in range(array.ndim) if other != axis)
        indices = np.flatnonzero(array.any(axis=others))
        box.append(slice(int(indices[0]), int(indices[-1]) + 1))
    return tuple(box)
