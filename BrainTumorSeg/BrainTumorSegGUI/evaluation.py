"""Comparing a segmentation with a reference, as a table node. Main thread only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from BrainTumorSegGUI.publish import PROVENANCE_PREFIX
from BrainTumorSegGUI.volumes import volumeFromImage, volumeFromNode
from BrainTumorSegLib import api, labels
from BrainTumorSegLib.api import InputError, Volume

if TYPE_CHECKING:
    from BrainTumorSegLib.api import Evaluation

COLUMNS = ("Class", "Dice", "IoU", "HD95 (mm)", "Status")


def evaluateNodes(segmentationNode: slicer.vtkMRMLSegmentationNode, referenceNode: slicer.vtkMRMLNode) -> tuple[slicer.vtkMRMLTableNode, tuple[str, ...]]:
    """Compare a segmentation with a reference segmentation or label map, on the reference's grid.

    Segments are matched by ID or name. Classes are compared as glioma sub-regions only where both sides have them, else as one tumor.

    Returns:
        A new table node with one row for each class, and notices for the user (for instance that the grids differ).

    Raises:
        InputError: nothing to compare, or segments that mean no known class.
    """
    scheme = "glioma" if schemeOf(segmentationNode) == schemeOf(referenceNode) == "glioma" else "tumor"
    prediction, reference = labelVolume(segmentationNode, scheme), labelVolume(referenceNode, scheme)
    evaluation = api.evaluate(prediction, reference, segmentationNode.GetName(), scheme)
    joined = [node.GetName() for node in (segmentationNode, referenceNode) if scheme == "tumor" and _classCount(node) > 1]
    notices = [_("{name} has several classes: all of them together are compared as tumor").format(name=name) for name in joined]
    table = tableFromEvaluation(evaluation, f"{segmentationNode.GetName()} vs {referenceNode.GetName()}")
    return table, (*notices, *evaluation.notices)


def schemeOf(node: slicer.vtkMRMLNode) -> str:
    """ "glioma" for a node that tells sub-regions apart, else "tumor"."""
    if not node.IsA("vtkMRMLSegmentationNode"):
        return "glioma" if set(np.unique(volumeFromNode(node).array)) & {2, 3, labels.BRATS_ET} else "tumor"
    stored = node.GetAttribute(PROVENANCE_PREFIX + "Scheme")
    if stored in labels.SCHEMES:
        return stored
    return "glioma" if any(_gliomaLabel(node, segmentId) for segmentId in _segmentIds(node)) else "tumor"


def labelVolume(node: slicer.vtkMRMLNode, scheme: str) -> Volume:
    """A segmentation or label map node as label values of a scheme, on its own grid, where it lies in the patient.

    Raises:
        InputError: no segments, or a segment or value that is no class of the glioma scheme.
    """
    if not node.IsA("vtkMRMLSegmentationNode"):
        volume = volumeFromNode(node)
        return volume if scheme == "glioma" else volume.like((volume.array != labels.BACKGROUND).astype(np.uint8))
    image = _mergedImage(node, {segmentId: _labelValue(node, segmentId, scheme) for segmentId in _segmentIds(node)})
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return volumeFromImage(image, matrix, node.GetName())


def tableFromEvaluation(evaluation: Evaluation, name: str) -> slicer.vtkMRMLTableNode:
    """A new table node; an undefined distance is NaN, and the status says why."""
    names = {part.key: part.name for part in (*labels.SCHEMES[evaluation.scheme], *labels.REGIONS[evaluation.scheme])}
    rows = [(names[row.class_], row.dice, row.iou, np.nan if row.hd95_mm is None else row.hd95_mm, row.status) for row in evaluation.rows]
    tableNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", slicer.mrmlScene.GenerateUniqueName(name))
    for title, values in zip(COLUMNS, zip(*rows)):
        column = vtk.vtkStringArray() if isinstance(values[0], str) else vtk.vtkDoubleArray()
        column.SetName(title)
        for value in values:
            column.InsertNextValue(value)
        tableNode.AddColumn(column)
    tableNode.SetUseColumnTitleAsColumnHeader(False)
    tableNode.SetLocked(True)  # scores are read, not typed
    return tableNode


def _classCount(node: slicer.vtkMRMLNode) -> int:
    if node.IsA("vtkMRMLSegmentationNode"):
        return node.GetSegmentation().GetNumberOfSegments()
    return len(set(np.unique(volumeFromNode(node).array).tolist()) - {labels.BACKGROUND})


def _segmentIds(node: slicer.vtkMRMLSegmentationNode) -> list[str]:
    segmentation = node.GetSegmentation()
    return [segmentation.GetNthSegmentID(index) for index in range(segmentation.GetNumberOfSegments())]


def _gliomaLabel(node: slicer.vtkMRMLSegmentationNode, segmentId: str) -> labels.Label | None:
    names = {segmentId.casefold(), node.GetSegmentation().GetSegment(segmentId).GetName().casefold()}
    return next((label for label in labels.SCHEMES["glioma"] if names & {label.key.casefold(), label.name.casefold()}), None)


def _labelValue(node: slicer.vtkMRMLSegmentationNode, segmentId: str, scheme: str) -> int:
    if scheme == "tumor":
        return labels.TUMOR.value
    label = _gliomaLabel(node, segmentId)
    if label is None:
        known = ", ".join(label.name for label in labels.SCHEMES["glioma"])
        name = node.GetSegmentation().GetSegment(segmentId).GetName()
        raise InputError(f"{node.GetName()} has a segment {name!r}, but a glioma has {known}; rename or remove it")
    return label.value


def _mergedImage(node: slicer.vtkMRMLSegmentationNode, values: dict[str, int]) -> slicer.vtkOrientedImageData:
    """All segments in one image of label values; where two overlap, the later one stays."""
    segmentIds, labelValues = vtk.vtkStringArray(), vtk.vtkIntArray()
    for segmentId, value in values.items():
        segmentIds.InsertNextValue(segmentId)
        labelValues.InsertNextValue(value)
    image = slicer.vtkOrientedImageData()
    node.CreateBinaryLabelmapRepresentation()  # a segmentation that came as surfaces has none yet
    extent = slicer.vtkSegmentation.EXTENT_UNION_OF_SEGMENTS
    merged = values and node.GenerateMergedLabelmapForAllSegments(image, extent, _referenceGeometry(node), segmentIds, labelValues)
    if not merged or image.GetPointData().GetScalars() is None:
        raise InputError(f"{node.GetName()} has no segment with voxels and no grid, but a comparison needs them; choose another segmentation")
    slicer.vtkSlicerSegmentationsModuleLogic.ApplyParentTransformToOrientedImageData(node, image)
    return image


def _referenceGeometry(node: slicer.vtkMRMLSegmentationNode) -> slicer.vtkOrientedImageData | None:
    """The grid that a segmentation was made on; it has one even where all its segments are empty."""
    converter = slicer.vtkSegmentationConverter
    text = node.GetSegmentation().GetConversionParameter(converter.GetReferenceImageGeometryParameterName())
    if not text:
        return None
    geometry = slicer.vtkOrientedImageData()
    converter.DeserializeImageGeometry(text, geometry, False)
    return geometry
