"""Handing a segmentation to Slicer's Segment Editor."""

from __future__ import annotations

import slicer

EMBEDDED_TAG = "BrainTumorSeg"
"""Singleton tag of the parameter set of the editor inside our own panel."""
_MODULE_TAG = "SegmentEditor"  # that of the Segment Editor module


def prepareSegmentEditor(segmentationNode: slicer.vtkMRMLSegmentationNode, tag: str = _MODULE_TAG) -> slicer.vtkMRMLSegmentEditorNode:
    """Set a segmentation, and the volume it was made from, on an editor's parameter set; the Segment Editor module need not be open yet."""
    scene = slicer.mrmlScene
    editorNode = scene.GetSingletonNode(tag, "vtkMRMLSegmentEditorNode")
    if editorNode is None:
        editorNode = slicer.vtkMRMLSegmentEditorNode()
        editorNode.SetSingletonTag(tag)
        editorNode = scene.AddNode(editorNode)
    editorNode.SetAndObserveSegmentationNode(segmentationNode)
    editorNode.SetAndObserveSourceVolumeNode(sourceVolume(segmentationNode))
    return editorNode


def sourceVolume(segmentationNode: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The volume that a segmentation takes its grid from, if it is still in the scene."""
    return segmentationNode.GetNodeReference(slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole())
