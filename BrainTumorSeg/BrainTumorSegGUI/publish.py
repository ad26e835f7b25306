"""A result of the backend as a new segmentation node. Main thread only."""

from __future__ import annotations

import datetime
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _

from BrainTumorSegGUI.resultSegments import addSegment
from BrainTumorSegGUI.resultSurfaces import surfaceSteps
from BrainTumorSegGUI.resultUncertainty import COLORS_TAG, addUncertainty, uncertaintyColors
from BrainTumorSegGUI.volumes import imageFromVolume
from BrainTumorSegLib import __version__, labels
from BrainTumorSegLib.api import Volume

if TYPE_CHECKING:
    from BrainTumorSegLib.api import Segmentation

PROVENANCE_PREFIX = "BrainTumorSeg."
FILL_OPACITY = 0.3
"""Of segments in slice views: the image stays readable below."""
TERMINOLOGY_FILE = Path(labels.__file__).parents[1] / "Resources" / "Terminology" / "BrainTumorSeg.term.json"


def loadTerminology() -> str:
    """Give Slicer's terminology selector our list; returns its name, which each segment's entry begins with."""
    return slicer.modules.terminologies.logic().LoadTerminologyFromFile(str(TERMINOLOGY_FILE))


def publishSegmentation(
    result: Segmentation, referenceNode: slicer.vtkMRMLScalarVolumeNode, inputs: Mapping[str, slicer.vtkMRMLScalarVolumeNode]
) -> slicer.vtkMRMLSegmentationNode:
    """All of `publishSteps` in one call."""
    steps = publishSteps(result, referenceNode, inputs)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def publishSteps(
    result: Segmentation, referenceNode: slicer.vtkMRMLScalarVolumeNode, inputs: Mapping[str, slicer.vtkMRMLScalarVolumeNode]
) -> Generator[str, None, slicer.vtkMRMLSegmentationNode]:
    """Add a new segmentation node: one segment for each label of the scheme, empty ones too, and where it all came from.

    Each `next` makes one piece, the segmentation, the uncertainty, the brain or one surface, and yields in a short phrase what comes next; surfaces come
    last. A step shall take a quarter of a second at most for a head of 1 mm voxels, which `docs/waits.md` measures. Closed before its end, or stopped
    by an error, it takes out of the scene what it has put there.

    Args:
        result: labels in patient space; the node gets no parent transform, whatever the inputs have. With `uncertainty`, a volume of it
            is added too, which the segmentation refers to (see `resultUncertainty`); with `brain`, a segmentation of what was cut out of a
            whole head, as an outline.
        referenceNode: the input whose grid the labels lie on.
        inputs: the volumes that were read, by role; only their names are kept.

    Returns:
        The segmentation node, as the generator's value.
    """
    added: list[slicer.vtkMRMLNode] = []
    try:
        yield _("Adding the segmentation")
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", slicer.mrmlScene.GenerateUniqueName(f"{referenceNode.GetName()} tumor"))
        added.append(node)
        _fill(node, result, referenceNode, inputs)
        if result.uncertainty is not None:
            yield _("Adding the uncertainty")
            hadColors = slicer.mrmlScene.GetSingletonNode(COLORS_TAG, "vtkMRMLColorTableNode") is not None
            added += [] if hadColors else [uncertaintyColors()]
            added.append(addUncertainty(result.uncertainty, node))
            placeBeside(added[-1], referenceNode)
        if result.brain is not None:
            yield _("Adding the brain")
            added.append(_addBrain(result.brain, node, referenceNode))
        yield from surfaceSteps(node)
    except BaseException:  # GeneratorExit too: closed before its end
        _remove(added)
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
        "EverySlice": "true" if result.every_slice else "false",
        "Mirrored": "true" if result.mirrored else "false",
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


def setReferenceGeometry(node: slicer.vtkMRMLSegmentationNode, referenceNode: slicer.vtkMRMLScalarVolumeNode, labelVolume: Volume) -> None:
    """Give a segmentation the grid of its labels, and the volume it belongs to."""
    node.SetReferenceImageGeometryParameterFromVolumeNode(referenceNode)
    # Under a warp the labels lie on the grid of the hardened copy, which the node does not know.
    converter = slicer.vtkSegmentationConverter
    geometry = converter.SerializeImageGeometry(imageFromVolume(labelVolume))
    node.GetSegmentation().SetConversionParameter(converter.GetReferenceImageGeometryParameterName(), geometry)


def addLabels(node: slicer.vtkMRMLSegmentationNode, labelVolume: Volume, scheme: str, tags: Mapping[str, str]) -> None:
    """One segment for each label of a scheme. All share one image and differ by value, which is how Slicer stores segments that do not overlap.

    Args:
        tags: what made them; unlike an attribute of the node, a segment's tag is in the .seg.nrrd file too.
    """
    contextName = loadTerminology()
    image = imageFromVolume(labelVolume, crop=True) if labelVolume.array.any() else None
    for label in labels.SCHEMES[scheme]:
        segment = addSegment(node, label, contextName, image, label.value)
        for name, value in tags.items():
            segment.SetTag(PROVENANCE_PREFIX + name, value)


def _fill(
    node: slicer.vtkMRMLSegmentationNode,
    result: Segmentation,
    referenceNode: slicer.vtkMRMLScalarVolumeNode,
    inputs: Mapping[str, slicer.vtkMRMLScalarVolumeNode],
) -> None:
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetOpacity2DFill(FILL_OPACITY)
    setReferenceGeometry(node, referenceNode, result.labels)
    addLabels(node, result.labels, result.scheme, {"Model": result.model, "ModelSha256": result.sha256})
    for name, value in provenance(result, inputs).items():
        node.SetAttribute(PROVENANCE_PREFIX + name, value)
    placeBeside(node, referenceNode)


def _addBrain(brain: Volume, node: slicer.vtkMRMLSegmentationNode, referenceNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLSegmentationNode:
    """Where the brain was taken to be, so that a user sees whether a tumor at its surface was left out."""
    brainNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", slicer.mrmlScene.GenerateUniqueName(f"{node.GetName()} brain"))
    brainNode.CreateDefaultDisplayNodes()
    brainNode.GetDisplayNode().SetVisibility2DFill(False)
    setReferenceGeometry(brainNode, referenceNode, brain)
    addSegment(brainNode, labels.BRAIN_MASK, loadTerminology(), imageFromVolume(brain, crop=True))
    brainNode.SetAttribute(PROVENANCE_PREFIX + "BrainOf", node.GetName())
    placeBeside(brainNode, referenceNode)
    return brainNode


def _remove(nodes: list[slicer.vtkMRMLNode]) -> None:
    for node in reversed(nodes):
        display = node.GetDisplayNode() if node.IsA("vtkMRMLDisplayableNode") else None  # it does not go with its node
        for part in (display, node):
            if part is not None and slicer.mrmlScene.IsNodePresent(part):
                slicer.mrmlScene.RemoveNode(part)
