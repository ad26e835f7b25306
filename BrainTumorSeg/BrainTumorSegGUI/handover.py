"""Handing a segmentation to Slicer's Segment Editor."""

from __future__ import annotations

import slicer

_TAG = "SegmentEditor"  # the singleton tag of the Segment Editor module's own parameter set


def prepareSegmentEditor(segmentationNode: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLSegmentEditorNode:
    """Set a segmentation, and the volume it was made from, on the Segment Editor's parameter set; the module need not be open yet."""
    scene = slicer.mrmlScene
    editorNode = scene.GetSingletonNode(_TAG, "vtkMRMLSegmentEditorNode")
    if editorNode is None:
        editorNode = slicer.vtkMRMLSegmentEditorNode()
        editorNode.SetSingletonTag(_TAG)
        editorNode = scene.AddNode(editorNode)
    editorNode.SetAndObserveSegmentationNode(segmentationNode)
    editorNode.SetAndObserveSourceVolumeNode(sourceVolume(segmentationNode))
    return editorNode


def sourceVolume(segmentationNode: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The volume that a segmentation takes its grid from, if it is still in the scene."""
    return segmentationNode.GetNodeReference(slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole())
