"""The nested regions of a glioma (whole tumor, tumor core, enhancing tumor), as BraTS scores them, as a segmentation of their own."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from BrainTumorSegGUI.handover import sourceVolume
from BrainTumorSegGUI.publish import PROVENANCE_PREFIX, loadTerminology, placeBeside
from BrainTumorSegGUI.resultSegments import addSegment, imageFromMask, referenceGeometry, segmentIds, segmentMask
from BrainTumorSegGUI.resultSurfaces import surfaceSteps
from BrainTumorSegLib import labels
from BrainTumorSegLib.api import InputError


def hasRegions(node: slicer.vtkMRMLSegmentationNode | None) -> bool:
    """Whether a segmentation has the sub-regions that nested regions are made of."""
    return node is not None and all(label.key in segmentIds(node) for label in labels.SCHEMES["glioma"])


def addRegions(node: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLSegmentationNode:
    """Add a segmentation with one segment for each nested region, from the segments as they are now; the given node is left as it is.

    Raises:
        InputError: a sub-region's segment is missing.
    """
    geometry = referenceGeometry(node)
    if not hasRegions(node) or geometry is None:
        known = ", ".join(label.name for label in labels.SCHEMES["glioma"])
        raise InputError(
            _("{name} lacks one of the segments {known}, but nested regions are made of them; choose the result of a glioma model").format(
                name=node.GetName(), known=known
            )
        )
    masks = {label.value: segmentMask(node, label.key, geometry) for label in labels.SCHEMES["glioma"]}
    scene = slicer.mrmlScene
    regionsNode = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", scene.GenerateUniqueName(f"{node.GetName()} nested regions"))
    regionsNode.CreateDefaultDisplayNodes()
    regionsNode.GetDisplayNode().SetVisibility2DFill(False)  # nested: each outline is seen, a fill would hide the inner ones
    _copyGeometry(node, regionsNode)
    contextName = loadTerminology()
    for region in labels.REGIONS["glioma"]:
        union = sum(masks[value] for value in region.values) > 0
        addSegment(regionsNode, region, contextName, imageFromMask(union, geometry) if union.any() else None)
    regionsNode.SetAttribute(PROVENANCE_PREFIX + "RegionsOf", node.GetName())
    placeBeside(regionsNode, node)
    list(surfaceSteps(regionsNode))
    regionsNode.GetDisplayNode().SetOpacity3D(0.5)
    return regionsNode


def _copyGeometry(node: slicer.vtkMRMLSegmentationNode, other: slicer.vtkMRMLSegmentationNode) -> None:
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    if sourceVolume(node) is not None:
        other.SetReferenceImageGeometryParameterFromVolumeNode(sourceVolume(node))
    other.GetSegmentation().SetConversionParameter(name, node.GetSegmentation().GetConversionParameter(name))
    other.SetAndObserveTransformNodeID(node.GetTransformNodeID())
