"""Segments: their names, colors and codes, and their masks on the grid of their segmentation."""

from __future__ import annotations

import numpy as np
import slicer
from vtk.util import numpy_support

from BrainTumorSegLib import labels

REGION_CONTEXT = "Anatomic codes - DICOM master list"  # Slicer's own list, which has Brain
_NO_CODE = ("", "", "")


def addSegment(
    node: slicer.vtkMRMLSegmentationNode,
    part: labels.Label | labels.Region,
    contextName: str,
    image: slicer.vtkOrientedImageData | None,
    value: int = 1,
) -> slicer.vtkSegment:
    """Add a segment with the name, color and codes of a label or region; its ID is the part's key.

    Args:
        contextName: name of our terminology list (see `publish.loadTerminology`).
        image: where its voxels are, with `value`; None for an empty segment.
    """
    segment = slicer.vtkSegment()
    segment.SetName(part.name)
    segment.SetColor([channel / 255.0 for channel in part.color])
    segment.SetTerminology(terminologyEntry(part, contextName))
    segment.SetLabelValue(value)
    if image is not None:
        segment.AddRepresentation(slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName(), image)
    node.GetSegmentation().AddSegment(segment, part.key)
    return segment


def terminologyEntry(part: labels.Label | labels.Region, contextName: str) -> str:
    """A label's codes as a segment stores them."""
    codes = [(code.value, code.scheme, code.meaning) for code in (part.category, part.type)]
    region = (labels.BRAIN.value, labels.BRAIN.scheme, labels.BRAIN.meaning)
    entry = (contextName, *codes[0], *codes[1], *_NO_CODE, REGION_CONTEXT, *region, *_NO_CODE)
    return slicer.modules.terminologies.logic().SerializeTerminologyEntry(*entry)


def segmentIds(node: slicer.vtkMRMLSegmentationNode) -> list[str]:
    """The segments in the order of the list that users see."""
    segmentation = node.GetSegmentation()
    return [segmentation.GetNthSegmentID(index) for index in range(segmentation.GetNumberOfSegments())]


def referenceGeometry(node: slicer.vtkMRMLSegmentationNode) -> slicer.vtkOrientedImageData | None:
    """The grid that a segmentation lies on, without voxels; None where it never got one."""
    converter = slicer.vtkSegmentationConverter
    text = node.GetSegmentation().GetConversionParameter(converter.GetReferenceImageGeometryParameterName())
    if not text:
        return None
    geometry = slicer.vtkOrientedImageData()
    converter.DeserializeImageGeometry(text, geometry, False)
    return geometry


def segmentMask(node: slicer.vtkMRMLSegmentationNode, segmentId: str, geometry: slicer.vtkOrientedImageData) -> np.ndarray:
    """Where a segment is, bool [k, j, i] on the grid `geometry`; voxels outside of that grid are left out, a segment that is not there is nowhere."""
    mask = np.zeros(geometry.GetDimensions()[::-1], bool)
    image = slicer.vtkOrientedImageData()
    if segmentId not in segmentIds(node) or not node.GetBinaryLabelmapRepresentation(segmentId, image) or image.GetPointData().GetScalars() is None:
        return mask
    if not slicer.vtkOrientedImageDataResample.DoGeometriesMatch(image, geometry):
        slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(image, geometry, image, False)
    inner, outer = image.GetExtent(), geometry.GetExtent()
    low = [max(inner[axis], outer[axis]) for axis in (4, 2, 0)]
    high = [min(inner[axis], outer[axis]) + 1 for axis in (5, 3, 1)]
    if all(first < end for first, end in zip(low, high)):
        voxels = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
        here, there = (tuple(slice(f - extent[a], e - extent[a]) for f, e, a in zip(low, high, (4, 2, 0))) for extent in (outer, inner))
        mask[here] = voxels[there] > 0
    return mask


def imageFromMask(mask: np.ndarray, geometry: slicer.vtkOrientedImageData) -> slicer.vtkOrientedImageData:
    """A mask [k, j, i] on the grid `geometry` as an image of 0 and 1, with its own copy of the voxels."""
    image = slicer.vtkOrientedImageData()
    image.CopyStructure(geometry)
    image.CopyDirections(geometry)
    image.GetPointData().SetScalars(numpy_support.numpy_to_vtk(mask.astype(np.uint8).ravel(), deep=True))
    return image


def voxelMl(geometry: slicer.vtkOrientedImageData) -> float:
    """Volume of one voxel of a grid, in milliliters."""
    return float(np.prod(geometry.GetSpacing())) / 1000.0
