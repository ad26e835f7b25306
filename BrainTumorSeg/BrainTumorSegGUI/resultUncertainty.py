"""How sure the network was, as a volume to lay over the image."""

from __future__ import annotations

import slicer
import vtk

from BrainTumorSegGUI.resultVolume import addVolume
from BrainTumorSegLib.api import Volume

UNCERTAINTY_REFERENCE = "BrainTumorSeg.Uncertainty"
"""Role of the node reference from a segmentation to its uncertainty volume."""
UNCERTAINTY_ATTRIBUTE = "BrainTumorSeg.UncertaintyOf"
"""Marks a volume as uncertainty, which is no input."""
SHOWN_FROM = 0.15
"""Below this entropy nothing is laid over the image: the network was sure there (a probability below 0.02 or above 0.98)."""

COLORS_TAG = "BrainTumorSegUncertainty"
"""Singleton tag of the color table."""

_VIRIDIS = (
    "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26818e 21908c 1f9f88 28ae80 3ebc74 5dc963 82d34c abdc32 d5e21a fde725"
)  # fmt: skip
"""Seventeen equally spaced colors of viridis (S. van der Walt and N. Smith, 2015, CC0), whose lightness rises evenly for every kind of color vision."""


def addUncertainty(uncertainty: Volume, segmentationNode: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a scalar volume in [0, 1] that the segmentation refers to; it is shown only when asked for.

    Args:
        uncertainty: entropy, 0 is sure and 1 undecided.
    """
    node = addVolume(uncertainty, f"{segmentationNode.GetName()} uncertainty")
    display = node.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(0.0, 1.0)
    display.SetAutoThreshold(False)
    display.SetThreshold(SHOWN_FROM, 1.0)
    display.SetApplyThreshold(True)
    display.SetAndObserveColorNodeID(uncertaintyColors().GetID())
    node.SetAttribute(UNCERTAINTY_ATTRIBUTE, segmentationNode.GetName())
    segmentationNode.SetNodeReferenceID(UNCERTAINTY_REFERENCE, node.GetID())
    return node


def uncertaintyOf(segmentationNode: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The uncertainty volume of a segmentation, if it is in the scene."""
    return segmentationNode.GetNodeReference(UNCERTAINTY_REFERENCE)


def uncertaintyColors() -> slicer.vtkMRMLColorTableNode:
    """The color table from 0 (sure, dark) to 1 (undecided, bright); one for the whole scene, and saved with it."""
    node = slicer.mrmlScene.GetSingletonNode(COLORS_TAG, "vtkMRMLColorTableNode")
    if node is not None:
        return node
    node = slicer.vtkMRMLColorTableNode()
    node.SetName("Uncertainty (0 sure, 1 undecided)")
    node.SetSingletonTag(COLORS_TAG)
    node.SetTypeToUser()
    node.SetNumberOfColors(256)
    ramp = vtk.vtkColorTransferFunction()
    anchors = [bytes.fromhex(color) for color in _VIRIDIS.split()]
    for index, color in enumerate(anchors):
        ramp.AddRGBPoint(255.0 * index / (len(anchors) - 1), *(channel / 255.0 for channel in color))
    for index in range(256):
        node.SetColor(index, f"{index / 255:.2f}", *ramp.GetColor(index), 1.0)
    return slicer.mrmlScene.AddNode(node)


def showUncertainty(segmentationNode: slicer.vtkMRMLSegmentationNode, shown: bool, opacity: float = 0.6) -> None:
    """Lay the uncertainty over the image in all slice views, or take it away; what else lies there is replaced, and not brought back."""
    volumeNode = uncertaintyOf(segmentationNode)
    if volumeNode is None:
        return
    for compositeNode in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        if shown:
            compositeNode.SetForegroundVolumeID(volumeNode.GetID())
            compositeNode.SetForegroundOpacity(opacity)
        elif compositeNode.GetForegroundVolumeID() == volumeNode.GetID():
            compositeNode.SetForegroundVolumeID(None)


def uncertaintyIsShown(segmentationNode: slicer.vtkMRMLSegmentationNode) -> bool:
    """Whether any slice view has the uncertainty over its image."""
    volumeNode = uncertaintyOf(segmentationNode)
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    return volumeNode is not None and any(composite.GetForegroundVolumeID() == volumeNode.GetID() for composite in composites)
