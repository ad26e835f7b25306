"""Volumes between MRML (RAS millimeters, VTK images) and the backend (LPS millimeters, numpy arrays).

Main thread only, as all of MRML. Nothing here changes the scene or the nodes it is given.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util import numpy_support

from BrainTumorSegLib.api import InputError, Volume

_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def collectVolumes(nodes: Mapping[str, slicer.vtkMRMLScalarVolumeNode]) -> dict[str, Volume]:
    """The volumes that a run will read, by role ("t1ce", ...), each a copy that a worker thread may keep.

    Raises:
        InputError: no node, a node without an image, or one that is not a regular scalar volume.
    """
    return {role: copied(view) for role, view in viewsOfNodes(nodes).items()}


def viewsOfNodes(nodes: Mapping[str, slicer.vtkMRMLScalarVolumeNode]) -> dict[str, Volume]:
    """As `collectVolumes`, but of the scene's own voxels: read them before the scene changes, and write nothing to them."""
    if not nodes:
        raise InputError(_("no input volume is chosen, but the model needs one; choose a contrast-enhanced T1 volume"))
    return {role: viewOfNode(node, throughWarps=True) for role, node in nodes.items()}


def volumeFromNode(node: slicer.vtkMRMLScalarVolumeNode) -> Volume:
    """A volume node where it lies in the patient, with its own copy of the voxels: a parent transform, if any, is hardened on a copy.

    Raises:
        InputError: a node without voxels, with several components, or sheared by its transform.
    """
    return copied(viewOfNode(node, throughWarps=True))


def viewOfNode(node: slicer.vtkMRMLScalarVolumeNode, throughWarps: bool = False) -> Volume:
    """A volume node where it lies in the patient, without a copy of its voxels; they must not be written to.

    Args:
        throughWarps: resample a volume under a transform that bends, which may take seconds; else it is seen as it is stored.

    Raises:
        InputError: see `volumeFromNode`.
    """
    if node.GetImageData() is None or node.GetImageData().GetPointData().GetScalars() is None:
        raise InputError(_("{name} has no image, but voxels are needed; load its image or choose another volume").format(name=node.GetName()))
    transformNode = node.GetParentTransformNode()
    stays = transformNode is None or not (throughWarps or transformNode.IsTransformToWorldLinear())
    placed = node if stays else _inWorld(node)
    ijkToRas = vtk.vtkMatrix4x4()
    placed.GetIJKToRASMatrix(ijkToRas)
    return viewOfImage(placed.GetImageData(), ijkToRas, node.GetName())


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


def _inWorld(node: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLScalarVolumeNode:
    """A copy outside the scene with the parent transform hardened."""
    transformNode = node.GetParentTransformNode()
    copy = type(node)()
    ijkToRas = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(ijkToRas)
    copy.SetIJKToRASMatrix(ijkToRas)
    copy.SetAndObserveImageData(node.GetImageData())  # shared: a matrix leaves it alone, a warp replaces it in the copy
    if transformNode.IsTransformToWorldLinear():
        toWorld = vtk.vtkMatrix4x4()
        transformNode.GetMatrixTransformToWorld(toWorld)
        copy.ApplyTransformMatrix(toWorld)
    else:
        warp = vtk.vtkGeneralTransform()
        transformNode.GetTransformToWorld(warp)
        copy.ApplyTransform(warp)
    return copy


def _boxOfNonZero(array: np.ndarray) -> tuple[slice, ...]:
    """The slices, in array order, of the smallest box around all non-zero voxels."""
    box = []
    for axis in range(array.ndim):
        others = tuple(other for other in range(array.ndim) if other != axis)
        indices = np.flatnonzero(array.any(axis=others))
        box.append(slice(int(indices[0]), int(indices[-1]) + 1))
    return tuple(box)
