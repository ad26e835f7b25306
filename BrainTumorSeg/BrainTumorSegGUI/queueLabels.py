"""Segments as the label map that training reads, and back."""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from BrainTumorSegGUI.publish import PROVENANCE_PREFIX
from BrainTumorSegGUI.resultSegments import imageFromMask, referenceGeometry, segmentIds, segmentMask
from BrainTumorSegGUI.volumes import volumeFromImage
from BrainTumorSegLib import labels
from BrainTumorSegLib.api import InputError, Volume


def labelsOf(node: slicer.vtkMRMLSegmentationNode) -> tuple[Volume, str, tuple[str, ...]]:
    """The segments as a label map on the segmentation's own grid; where two overlap, the label that is listed later in its scheme stays.

    Returns:
        The label map (uint8), its scheme, and the names of segments that stand for no label of it, which are left out.

    Raises:
        InputError: the segmentation has no grid, or no segment that stands for a label.
    """
    geometry = referenceGeometry(node)
    if geometry is None:
        raise InputError(_("{name} has no grid, but a mask is saved on one; choose its source volume in the Segment Editor first").format(name=node.GetName()))
    scheme = node.GetAttribute(PROVENANCE_PREFIX + "Scheme") or _guessScheme(node)
    segments = {label: _segmentOf(node, label) for label in labels.SCHEMES[scheme]}
    if not any(segments.values()):
        known = ", ".join(label.name for label in labels.SCHEMES[scheme])
        raise InputError(
            _("{name} has no segment that stands for a label, but a mask for training needs one; name its segments {known}").format(
                name=node.GetName(), known=known
            )
        )
    array = np.zeros(geometry.GetDimensions()[::-1], np.uint8)
    for label, segmentId in segments.items():
        if segmentId is not None:
            array[segmentMask(node, segmentId, geometry)] = label.value
    matrix = vtk.vtkMatrix4x4()
    geometry.GetImageToWorldMatrix(matrix)
    volume = volumeFromImage(imageFromMask(array > 0, geometry), matrix, node.GetName()).like(array)
    others = (node.GetSegmentation().GetSegment(segmentId).GetName() for segmentId in segmentIds(node) if segmentId not in segments.values())
    return volume, scheme, tuple(others)


def setLabels(node: slicer.vtkMRMLSegmentationNode, volume: Volume, scheme: str) -> None:
    """Make a segmentation's segments those of a label map on its own grid; a segment of the scheme must be there for each label."""
    geometry = referenceGeometry(node)
    for label in labels.SCHEMES[scheme]:
        mask = volume.array == label.value
        if not np.array_equal(mask, segmentMask(node, label.key, geometry)):
            slicer.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(imageFromMask(mask, geometry), node, label.key)
    node.GetSegmentation().CollapseBinaryLabelmaps(False)  # labels of one map never overlap


def _guessScheme(node: slicer.vtkMRMLSegmentationNode) -> str:
    """Of a segmentation that no model made: "glioma" where a segment is called as one of its labels."""
    return "glioma" if any(_segmentOf(node, label) for label in labels.SCHEMES["glioma"]) else "tumor"


def _segmentOf(node: slicer.vtkMRMLSegmentationNode, label: labels.Label) -> str | None:
    """ID of the segment that stands for a label, by ID or else by name."""
    names = {segmentId: node.GetSegmentation().GetSegment(segmentId).GetName().casefold() for segmentId in segmentIds(node)}
    if label.key in names:
        return label.key
    return next((segmentId for segmentId, name in names.items() if name in (label.key.casefold(), label.name.casefold())), None)
