"""What the Segment Editor effect "Tumor (AI)" does with a result: which voxels of the selected segment it sets. Main thread only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util import numpy_support

from BrainTumorSegGUI.parameters import inputNodes
from BrainTumorSegGUI.volumes import imageFromVolume
from BrainTumorSegLib import labels
from BrainTumorSegLib.api import InputError, Volume

if TYPE_CHECKING:
    from BrainTumorSegGUI.parameters import BrainTumorSegParameterNode
    from BrainTumorSegLib.api import ModelInfo, Segmentation


def effectInputs(sourceNode: slicer.vtkMRMLScalarVolumeNode, parameters: BrainTumorSegParameterNode) -> dict[str, slicer.vtkMRMLScalarVolumeNode]:
    """What is segmented, by role: the module's inputs where the editor's source volume is one of them, else that volume alone, as T1ce."""
    chosen = inputNodes(parameters)
    return chosen if sourceNode in chosen.values() else {"t1ce": sourceNode}


def effectModel(models: Sequence[ModelInfo], roles: Mapping[str, object], preferred: str) -> ModelInfo:
    """The preferred model where it reads these roles, else the first that does.

    Raises:
        InputError: none reads them.
    """
    able = [model for model in models if not model.missing(roles)]
    if not able:
        raise InputError(
            _("no installed model reads {roles} alone, but the effect has no more; choose the other sequences in Brain Tumor Segmentation first").format(
                roles=", ".join(roles)
            )
        )
    return next((model for model in able if model.name == preferred), able[0])


def structureNames(scheme: str) -> dict[str, str]:
    """What a model of this scheme can put into a segment, key -> name: one class, or a nested region."""
    return {part.key: part.name for part in (*labels.SCHEMES[scheme], *labels.REGIONS[scheme])}


def foundMask(result: Segmentation, key: str) -> Volume:
    """The voxels of a class or nested region, of all classes where `key` is none of the scheme; uint8 [z, y, x] of 0 and 1."""
    values = {label.key: (label.value,) for label in labels.SCHEMES[result.scheme]}
    values |= {region.key: region.values for region in labels.REGIONS[result.scheme]}
    everything = tuple(label.value for label in labels.SCHEMES[result.scheme])
    return result.labels.like(np.isin(result.labels.array, values.get(key, everything)).astype(np.uint8))


def fillModifier(
    modifier: slicer.vtkOrientedImageData,
    found: Volume,
    segmentationNode: slicer.vtkMRMLSegmentationNode,
    roi: slicer.vtkMRMLMarkupsROINode | None = None,
    current: slicer.vtkOrientedImageData | None = None,
) -> int:
    """Write a mask into the editor's modifier label map; returns how many voxels of the mask lie in it.

    Args:
        modifier: on the segmentation's grid, in the coordinates of its parent transform; all of it is overwritten.
        found: the mask, where it lies in the patient.
        roi: keep only what lies inside it.
        current: the selected segment, of which everything outside `roi` is written too; None to write `found` alone.
    """
    toWorld = _toWorld(modifier, segmentationNode)
    new = _onGridOf(modifier, imageFromVolume(found), segmentationNode)
    new &= _inside(new, toWorld, roi)
    scalars = numpy_support.vtk_to_numpy(modifier.GetPointData().GetScalars()).reshape(new.shape)
    scalars[:] = new
    if current is not None and roi is not None and not current.IsEmpty():
        old = _onGridOf(modifier, current)
        scalars |= old & ~_inside(old, toWorld, roi)
    modifier.Modified()
    return int(np.count_nonzero(new))


def _inside(mask: np.ndarray, toWorld: vtk.vtkAbstractTransform, roi: slicer.vtkMRMLMarkupsROINode | None) -> np.ndarray:
    """True for the voxels of a mask whose centers lie in the box of a ROI, all of them without one; uint8 [k, j, i]."""
    if roi is None:
        return np.ones_like(mask)
    index = np.argwhere(mask)
    points = vtk.vtkPoints()
    points.SetData(numpy_support.numpy_to_vtk(index[:, ::-1].astype(np.float64), deep=True))
    moved = vtk.vtkPoints()
    moved.SetDataTypeToDouble()
    toWorld.TransformPoints(points, moved)
    world = numpy_support.vtk_to_numpy(moved.GetData()) if len(index) else np.zeros((0, 3))
    toBox = np.linalg.inv(slicer.util.arrayFromVTKMatrix(roi.GetObjectToWorldMatrix()))
    distance = np.abs(world @ toBox[:3, :3].T + toBox[:3, 3])
    contained = (distance <= np.array(roi.GetSize()) / 2).all(axis=1) != roi.GetInsideOut()
    inside = np.zeros_like(mask)
    inside[tuple(index[contained].T)] = 1
    return inside


def _toWorld(image: slicer.vtkOrientedImageData, segmentationNode: slicer.vtkMRMLSegmentationNode) -> vtk.vtkGeneralTransform:
    """From the image's voxel indices to the patient (RAS mm), through the segmentation's parent transform."""
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    # An index counts from the first voxel that is stored.
    shift = np.eye(4)
    shift[:3, 3] = image.GetExtent()[::2]
    transform = _parentTransform(segmentationNode, toWorld=True)
    transform.Concatenate(slicer.util.vtkMatrixFromArray(slicer.util.arrayFromVTKMatrix(matrix) @ shift))
    return transform


def _onGridOf(grid: slicer.vtkOrientedImageData, image: slicer.vtkOrientedImageData, worldOf: slicer.vtkMRMLSegmentationNode | None = None) -> np.ndarray:
    """An image's voxels other than 0 on another image's grid, nearest neighbor; uint8 [k, j, i] of 0 and 1.

    Args:
        worldOf: the segmentation whose coordinates `grid` is in, where `image` lies in the patient's instead.
    """
    moved = slicer.vtkOrientedImageData()
    transform = _parentTransform(worldOf, toWorld=False) if worldOf is not None else None
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(image, grid, moved, False, False, transform)
    array = numpy_support.vtk_to_numpy(moved.GetPointData().GetScalars()).reshape(moved.GetDimensions()[::-1])
    return (array != 0).astype(np.uint8)


def _parentTransform(node: slicer.vtkMRMLSegmentationNode, toWorld: bool) -> vtk.vtkGeneralTransform:
    transform = vtk.vtkGeneralTransform()
    ends = (node.GetParentTransformNode(), None)
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(*(ends if toWorld else reversed(ends)), transform)
    return transform
