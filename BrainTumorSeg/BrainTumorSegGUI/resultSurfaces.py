"""Closed surfaces of a segmentation, segment by segment, so that the application stays alive meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import slicer
import vtk
from slicer.i18n import tr as _

from BrainTumorSegGUI.resultSegments import segmentIds


def surfaceSteps(node: slicer.vtkMRMLSegmentationNode) -> Iterator[str]:
    """Give each segment that has voxels its closed surface, which 3-D views then show; each `next` makes one surface.

    The surfaces are made aside and added together: once one segment has its surface, Slicer takes all of them to have theirs.
    From then on Slicer itself keeps them up to date while segments are edited.
    """
    name = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    surfaces = {}
    for segmentId in filter(lambda segmentId: _hasVoxels(node, segmentId), segmentIds(node)):
        yield _("Making the surface of {segment}").format(segment=node.GetSegmentation().GetSegment(segmentId).GetName())
        surface = vtk.vtkPolyData()
        if slicer.vtkSlicerSegmentationsModuleLogic.GetSegmentClosedSurfaceRepresentation(node, segmentId, surface):
            surfaces[segmentId] = surface
    yield _("Showing the surfaces")
    for segmentId in segmentIds(node):  # an empty segment gets an empty surface
        node.GetSegmentation().GetSegment(segmentId).AddRepresentation(name, surfaces.get(segmentId) or vtk.vtkPolyData())


def _hasVoxels(node: slicer.vtkMRMLSegmentationNode, segmentId: str) -> bool:
    image = slicer.vtkOrientedImageData()
    if not node.GetBinaryLabelmapRepresentation(segmentId, image) or image.IsEmpty():  # VTK says that the range of no voxels is 0 to 1
        return False
    return image.GetScalarRange()[1] > 0
