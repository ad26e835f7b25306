"""What two segmentations agree on and what each has alone, as a segmentation to look at. Main thread only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import slicer
from slicer.i18n import tr as _

from BrainTumorSegGUI.publish import PROVENANCE_PREFIX, placeBeside
from BrainTumorSegGUI.volumes import imageFromVolume

if TYPE_CHECKING:
    from BrainTumorSegGUI.evaluation import Comparison
    from BrainTumorSegGUI.evaluationMatch import Pair
    from BrainTumorSegLib.api import Volume

AGREED, MISSED, FALSE = 1, 2, 3
COLORS = {AGREED: (240, 228, 66), MISSED: (0, 114, 178), FALSE: (213, 94, 0)}
"""sRGB 0-255: yellow, blue and vermilion of Okabe and Ito (https://jfly.uni-koeln.de/color/), which everybody tells apart."""


def partNames() -> dict[int, str]:
    """What each part of a difference is called."""
    return {AGREED: _("Agreed"), MISSED: _("Missed"), FALSE: _("False")}


def differenceLabels(prediction: Volume, reference: Volume) -> Volume:
    """`AGREED` where both masks are set, `MISSED` where only the reference is, `FALSE` where only the prediction is; uint8 [z, y, x]."""
    found, true = prediction.array.astype(bool), reference.array.astype(bool)
    return reference.like(np.select([found & true, true, found], [AGREED, MISSED, FALSE]).astype(np.uint8))


def publishDifference(comparison: Comparison, pair: Pair, referenceNode: slicer.vtkMRMLNode | None) -> slicer.vtkMRMLSegmentationNode:
    """Add a new segmentation node with the agreed, missed and false voxels of a pair, on the reference's grid.

    Args:
        referenceNode: its place in the subject hierarchy is the new node's too; None where it is no longer in the scene.
    """
    names = {"prediction": comparison.prediction.name, "reference": comparison.reference.name, "structure": pair.name}
    scene = slicer.mrmlScene
    name = _("{structure}: {prediction} vs {reference}").format(**names)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", scene.GenerateUniqueName(name))
    node.CreateDefaultDisplayNodes()
    difference = differenceLabels(*comparison.masks(pair))
    _setGeometry(node, difference)
    _addParts(node, difference)
    for role, value in names.items():
        node.SetAttribute(PROVENANCE_PREFIX + role.capitalize(), value)
    if referenceNode is not None:
        placeBeside(node, referenceNode)
    return node


def _setGeometry(node: slicer.vtkMRMLSegmentationNode, volume: Volume) -> None:
    converter = slicer.vtkSegmentationConverter
    text = converter.SerializeImageGeometry(imageFromVolume(volume))
    node.GetSegmentation().SetConversionParameter(converter.GetReferenceImageGeometryParameterName(), text)


def _addParts(node: slicer.vtkMRMLSegmentationNode, difference: Volume) -> None:
    """One segment for each part, empty ones too: that nothing was missed is a result."""
    representation = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    image = imageFromVolume(difference, crop=True) if difference.array.any() else None
    for value, name in partNames().items():
        segment = slicer.vtkSegment()
        segment.SetName(name)
        segment.SetColor([channel / 255.0 for channel in COLORS[value]])
        segment.SetLabelValue(value)
        if image is not None:
            segment.AddRepresentation(representation, image)
        node.GetSegmentation().AddSegment(segment)
