"""A result of the backend as a new segmentation node. Main thread only."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import slicer

from BrainTumorSegGUI.volumes import imageFromVolume
from BrainTumorSegLib import __version__, labels
from BrainTumorSegLib.api import Volume

if TYPE_CHECKING:
    from BrainTumorSegLib.api import Segmentation

PROVENANCE_PREFIX = "BrainTumorSeg."
TERMINOLOGY_FILE = Path(labels.__file__).parents[1] / "Resources" / "Terminology" / "BrainTumorSeg.term.json"
REGION_CONTEXT = "Anatomic codes - DICOM master list"  # Slicer's own list, which has Brain
_NO_CODE = ("", "", "")


def loadTerminology() -> str:
    """Give Slicer's terminology selector our list; returns its name, which each segment's entry begins with."""
    return slicer.modules.terminologies.logic().LoadTerminologyFromFile(str(TERMINOLOGY_FILE))


def publishSegmentation(
    result: Segmentation, referenceNode: slicer.vtkMRMLScalarVolumeNode, inputs: Mapping[str, slicer.vtkMRMLScalarVolumeNode]
) -> slicer.vtkMRMLSegmentationNode:
    """Add a new segmentation node: one segment for each label of the scheme, empty ones too, and where it all came from.

    Args:
        result: labels in patient space; the node gets no parent transform, whatever the inputs have.
        referenceNode: the input whose grid the labels lie on.
        inputs: the volumes that were read, by role; only their names are kept.
    """
    scene = slicer.mrmlScene
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", scene.GenerateUniqueName(f"{referenceNode.GetName()} tumor"))
    try:
        node.CreateDefaultDisplayNodes()
        _setReferenceGeometry(node, referenceNode, result.labels)
        _addSegments(node, result)
        for name, value in provenance(result, inputs).items():
            node.SetAttribute(PROVENANCE_PREFIX + name, value)
        placeBeside(node, referenceNode)
    except Exception:
        for added in (node.GetDisplayNode(), node):  # a display node does not go with its node
            scene.RemoveNode(added)
        raise
    return node


def provenance(result: Segmentation, inputs: Mapping[str, slicer.vtkMRMLScalarVolumeNode]) -> dict[str, str]:
    """What made a segmentation, as node attributes hold it (without the prefix)."""
    used = {role: inputs[role].GetName() for role in result.inputs}
    return {
        "Model": result.model,
        "ModelSha256": result.sha256,
        "Precision": result.precision,
        "Scheme": result.scheme,
        "Inputs": ", ".join(f"{role}={name}" for role, name in used.items()),
        "Planes": ", ".join(result.planes),
        "Version": __version__,
        "Found": "true" if result.found else "false",
        "Time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def placeBeside(node: slicer.vtkMRMLNode, referenceNode: slicer.vtkMRMLNode) -> None:
    """Put a node into the subject hierarchy folder (patient, study) that holds the volume it was made from."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    item, referenceItem = hierarchy.GetItemByDataNode(node), hierarchy.GetItemByDataNode(referenceNode)
    if hierarchy.GetInvalidItemID() not in (item, referenceItem):
        hierarchy.SetItemParent(item, hierarchy.GetItemParent(referenceItem))


def terminologyEntry(label: labels.Label, contextName: str) -> str:
    """A label's codes as a segment stores them."""
    codes = [(code.value, code.scheme, code.meaning) for code in (label.category, label.type)]
    region = (labels.BRAIN.value, labels.BRAIN.scheme, labels.BRAIN.meaning)
    logic = slicer.modules.terminologies.logic()
    return logic.SerializeTerminologyEntry(contextName, *codes[0], *codes[1], *_NO_CODE, REGION_CONTEXT, *region, *_NO_CODE)


def _setReferenceGeometry(node: slicer.vtkMRMLSegmentationNode, referenceNode: slicer.vtkMRMLScalarVolumeNode, labelVolume: Volume) -> None:
    node.SetReferenceImageGeometryParameterFromVolumeNode(referenceNode)
    # Under a warp the labels lie on the grid of the hardened copy, which the node does not know.
    converter = slicer.vtkSegmentationConverter
    geometry = converter.SerializeImageGeometry(imageFromVolume(labelVolume))
    node.GetSegmentation().SetConversionParameter(converter.GetReferenceImageGeometryParameterName(), geometry)


def _addSegments(node: slicer.vtkMRMLSegmentationNode, result: Segmentation) -> None:
    """All segments share one image and differ by label value, which is how Slicer stores segments that do not overlap."""
    contextName = loadTerminology()
    representation = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    image = imageFromVolume(result.labels, crop=True) if result.labels.array.any() else None
    for label in labels.SCHEMES[result.scheme]:
        segment = slicer.vtkSegment()
        segment.SetName(label.name)
        segment.SetColor([channel / 255.0 for channel in label.color])
        segment.SetTerminology(terminologyEntry(label, contextName))
        segment.SetLabelValue(label.value)
        segment.SetTag(PROVENANCE_PREFIX + "Model", result.model)  # unlike an attribute, a tag is in the .seg.nrrd file too
        segment.SetTag(PROVENANCE_PREFIX + "ModelSha256", result.sha256)
        if image is not None:
            segment.AddRepresentation(representation, image)
        node.GetSegmentation().AddSegment(segment, label.key)
