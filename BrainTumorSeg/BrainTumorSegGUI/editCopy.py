"""The segmentation that a person edits: a copy of the model's result, which itself stays as the model made it."""

from __future__ import annotations

import slicer

from BrainTumorSegGUI.handover import sourceVolume
from BrainTumorSegGUI.publish import PROVENANCE_PREFIX, placeBeside
from BrainTumorSegGUI.resultUncertainty import UNCERTAINTY_REFERENCE
from BrainTumorSegGUI.resultVolume import freeName

AI_REFERENCE = "BrainTumorSeg.AiResult"
"""Role of the node reference from an edited segmentation to the model's result that it began as."""

REVIEWED_ATTRIBUTE = PROVENANCE_PREFIX + "Reviewed"
"""Which slices of a segmentation are approved, see `review`."""
_EDITED = PROVENANCE_PREFIX + "Edited"
EDITED_ONLY = (REVIEWED_ATTRIBUTE, _EDITED)
"""Attributes that the model's result itself does not have."""


def aiResultOf(node: slicer.vtkMRMLSegmentationNode | None) -> slicer.vtkMRMLSegmentationNode | None:
    """The model's result that an edited segmentation began as, if it is in the scene."""
    return node.GetNodeReference(AI_REFERENCE) if node is not None else None


def isAiResult(node: slicer.vtkMRMLSegmentationNode) -> bool:
    """Whether a model made this segmentation and nobody may edit it, unlike a copy of it."""
    return bool(node.GetAttribute(PROVENANCE_PREFIX + "Model")) and not node.GetAttribute(_EDITED)


def editableNode(node: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLSegmentationNode:
    """The segmentation to edit: of a model's result its copy, made where there is none yet; any other one itself.

    The model's result is hidden, and so is never edited by mistake nor taken for what was corrected.
    """
    if not isAiResult(node):
        return node
    copies = (other for other in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if aiResultOf(other) is node)
    copy = next(copies, None) or _copy(node)
    node.GetDisplayNode().SetVisibility(False)
    copy.GetDisplayNode().SetVisibility(True)
    return copy


def showAiOutline(node: slicer.vtkMRMLSegmentationNode, shown: bool) -> None:
    """Show the model's result below an edited segmentation as outlines in the slice views, or hide it."""
    display = aiResultOf(node).GetDisplayNode()
    display.SetVisibility(shown)
    display.SetVisibility2DFill(not shown)
    display.SetVisibility3D(not shown)


def _copy(node: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLSegmentationNode:
    copy = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", freeName(f"{node.GetName()} edited"))
    copy.CreateDefaultDisplayNodes()
    copy.GetSegmentation().DeepCopy(node.GetSegmentation())
    copy.GetDisplayNode().CopyContent(node.GetDisplayNode())
    if sourceVolume(node) is not None:
        copy.SetNodeReferenceID(slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole(), sourceVolume(node).GetID())
    for name in node.GetAttributeNames():
        if name.startswith(PROVENANCE_PREFIX):
            copy.SetAttribute(name, node.GetAttribute(name))
    copy.SetAttribute(_EDITED, "true")
    copy.SetNodeReferenceID(UNCERTAINTY_REFERENCE, node.GetNodeReferenceID(UNCERTAINTY_REFERENCE))
    copy.SetNodeReferenceID(AI_REFERENCE, node.GetID())
    copy.SetAndObserveTransformNodeID(node.GetTransformNodeID())
    placeBeside(copy, node)
    return copy
