"""What is compared: a segmentation or a label map as structures with names, and as arrays that a thread may keep. Main thread only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from BrainTumorSegGUI.volumes import volumeFromImage, volumeFromNode
from BrainTumorSegLib import labels
from BrainTumorSegLib.api import InputError, Volume

_MAXIMUM_VOXELS = 512**3


@dataclass(frozen=True)
class Structure:
    """One segment, or one value of a label map.

    Attributes:
        key: the segment's ID, or the value as text.
        name: what the user calls it.
        value: its voxels' value in the image that holds it.
    """

    key: str
    name: str
    value: int


@dataclass(frozen=True)
class Side:
    """The voxels of one node on one grid; nothing in it belongs to the scene.

    Attributes:
        name: the node's name.
        grid: the geometry; its array is not read.
        layers: by structure key, the label values that hold it and its own value. Structures that do not overlap share one array.
    """

    name: str
    grid: Volume
    layers: dict[str, tuple[Volume, int]]

    def mask(self, keys: Sequence[str]) -> Volume:
        """The voxels that belong to any of these structures, uint8 [z, y, x] of 0 and 1."""
        inside = np.zeros(self.grid.array.shape, bool)
        for key in keys:
            if key in self.layers:
                layer, value = self.layers[key]
                inside |= layer.array == value
        return self.grid.like(inside.astype(np.uint8), self.name)


def structuresOf(node: slicer.vtkMRMLNode) -> list[Structure]:
    """The structures that a segmentation or label map node holds, in its order."""
    if not node.IsA("vtkMRMLSegmentationNode"):
        return _structuresOfLabelMap(node)
    segmentation = node.GetSegmentation()
    segments = [(segmentation.GetNthSegmentID(index), segmentation.GetNthSegment(index)) for index in range(segmentation.GetNumberOfSegments())]
    return [Structure(segmentId, segment.GetName(), segment.GetLabelValue()) for segmentId, segment in segments]


def collectSide(node: slicer.vtkMRMLNode, around: slicer.vtkMRMLNode | None = None) -> Side:
    """A copy of the voxels of a segmentation or label map node, where they lie in the patient.

    Args:
        around: a node that the grid must hold too, where a segmentation was not made on a volume: its own grid ends at its segments.

    Raises:
        InputError: no image, or neither a segment nor a grid.
    """
    if node.IsA("vtkMRMLSegmentationNode"):
        return _sideOfSegmentation(node, around)
    volume = volumeFromNode(node)
    return Side(node.GetName(), volume, {structure.key: (volume, structure.value) for structure in structuresOf(node)})


def _structuresOfLabelMap(node: slicer.vtkMRMLLabelMapVolumeNode) -> list[Structure]:
    """Names come from the node's own color table; without one, values of 1 to 4 are read as BraTS writes them."""
    if node.GetImageData() is None:
        return []
    array = slicer.util.arrayFromVolume(node)
    values = [int(value) for value in np.unique(array[array != labels.BACKGROUND])]  # the background is most of it
    names = _namesByValue(values) | _namesFromColors(node, values)
    return [Structure(str(value), name, value) for value, name in sorted(names.items())]


def _namesByValue(values: Sequence[int]) -> dict[int, str]:
    if set(values) <= {labels.TUMOR.value}:
        return dict.fromkeys(values, labels.TUMOR.name)
    enhancing = {label.value for label in labels.SCHEMES["glioma"] if label.key == "ET"} | {labels.BRATS_ET}
    known = {label.value: label.name for label in labels.SCHEMES["glioma"]}
    if not set(values) <= set(known) | enhancing or enhancing <= set(values):
        return {value: _("Label {value}").format(value=value) for value in values}
    if labels.BRATS_ET in values:
        known = {value: name for value, name in known.items() if value not in enhancing} | {labels.BRATS_ET: known[max(known)]}
    return known  # a class without voxels too: it was looked for and not found


def _namesFromColors(node: slicer.vtkMRMLLabelMapVolumeNode, values: Sequence[int]) -> dict[int, str]:
    """The names that a color table of the user's gives; Slicer's own tables, which have a singleton tag, name anatomy at random."""
    colors = node.GetDisplayNode().GetColorNode() if node.GetDisplayNode() is not None else None
    if colors is None or colors.GetSingletonTag():
        return {}
    defined = [value for value in values if value < colors.GetNumberOfColors() and colors.GetColorDefined(value)]
    return {value: colors.GetColorName(value) for value in defined if colors.GetColorName(value)}


def _sideOfSegmentation(node: slicer.vtkMRMLSegmentationNode, around: slicer.vtkMRMLNode | None) -> Side:
    node.CreateBinaryLabelmapRepresentation()  # a segmentation that came as surfaces has none yet
    geometry = _geometry(node, around)
    grid = _volume(node, geometry, geometry)
    volumes: dict[str, Volume] = {}
    layers = {}
    for structure in structuresOf(node):
        image = node.GetBinaryLabelmapInternalRepresentation(structure.key)
        if image is None or image.IsEmpty():
            continue
        shared = image.GetAddressAsString("")
        if shared not in volumes:
            volumes[shared] = _volume(node, image, geometry)
        layers[structure.key] = (volumes[shared], structure.value)
    return Side(node.GetName(), grid, layers)


def _volume(node: slicer.vtkMRMLSegmentationNode, image: slicer.vtkOrientedImageData, geometry: slicer.vtkOrientedImageData) -> Volume:
    """A segment's image on the segmentation's whole grid (a segment is stored cropped), under its parent transform."""
    whole = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(image, geometry, whole)
    slicer.vtkSlicerSegmentationsModuleLogic.ApplyParentTransformToOrientedImageData(node, whole)
    matrix = vtk.vtkMatrix4x4()
    whole.GetImageToWorldMatrix(matrix)
    return volumeFromImage(whole, matrix, node.GetName())


def _geometry(node: slicer.vtkMRMLSegmentationNode, around: slicer.vtkMRMLNode | None) -> slicer.vtkOrientedImageData:
    """The grid that a segmentation was made on, grown to hold all its segments; it has one even where all of them are empty."""
    mode = slicer.vtkSegmentation.EXTENT_UNION_OF_EFFECTIVE_SEGMENTS_AND_REFERENCE_GEOMETRY
    converter = slicer.vtkSegmentationConverter
    segmentation = node.GetSegmentation()
    stored = segmentation.GetConversionParameter(converter.GetReferenceImageGeometryParameterName())
    text = segmentation.DetermineCommonLabelmapGeometry(mode, None) or stored
    geometry = slicer.vtkOrientedImageData()
    if not text or not converter.DeserializeImageGeometry(text, geometry, False) or geometry.IsEmpty():
        raise InputError(
            _("{name} has no segment with voxels and no grid, but a comparison needs them; choose another segmentation").format(name=node.GetName())
        )
    if around is not None and not stored:
        _growTo(geometry, node, around)
    geometry.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    slicer.vtkOrientedImageDataResample.FillImage(geometry, 0)
    return geometry


def _growTo(geometry: slicer.vtkOrientedImageData, node: slicer.vtkMRMLSegmentationNode, around: slicer.vtkMRMLNode) -> None:
    """Widen a grid, which is in the segmentation's coordinates, to the box of another node, unless it is too far away to belong to it."""
    bounds = [0.0] * 6
    around.GetRASBounds(bounds)
    toNode, toIndex = vtk.vtkGeneralTransform(), vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(None, node.GetParentTransformNode(), toNode)
    geometry.GetWorldToImageMatrix(toIndex)
    corners = [toNode.TransformPoint(x, y, z) for x in bounds[:2] for y in bounds[2:4] for z in bounds[4:]]
    index = np.array([toIndex.MultiplyPoint((*corner, 1.0))[:3] for corner in corners])
    old = np.array(geometry.GetExtent()).reshape(3, 2)
    low = np.minimum(old[:, 0], np.floor(index.min(axis=0)).astype(int))
    high = np.maximum(old[:, 1], np.ceil(index.max(axis=0)).astype(int))
    if np.prod((high - low + 1).astype(float)) <= _MAXIMUM_VOXELS:
        geometry.SetExtent([int(bound) for pair in zip(low, high) for bound in pair])
