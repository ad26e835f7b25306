"""A case of the queue between its files and the scene. `readCase` and `api.save_corrected` may run in a thread; all else is for the main thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from BrainTumorSegGUI.editChanges import CHANGES_REFERENCE
from BrainTumorSegGUI.editCopy import EDITED_ONLY, aiResultOf, editableNode
from BrainTumorSegGUI.handover import sourceVolume
from BrainTumorSegGUI.publish import FILL_OPACITY, PROVENANCE_PREFIX, addLabels, setReferenceGeometry
from BrainTumorSegGUI.queueLabels import labelsOf, setLabels
from BrainTumorSegGUI.resultUncertainty import addUncertainty, uncertaintyOf
from BrainTumorSegGUI.resultVolume import addVolume, freeName
from BrainTumorSegGUI.volumes import volumeFromNode
from BrainTumorSegLib import api, labels
from BrainTumorSegLib.api import CorrectedCase, InputError, Volume

CASE_ATTRIBUTE = PROVENANCE_PREFIX + "Case"
FILE_ATTRIBUTE = PROVENANCE_PREFIX + "File"


@dataclass(frozen=True)
class ReadCase:
    """A case in memory: its images by file name, and what was kept of it before."""

    name: str
    images: Mapping[str, Volume]
    corrected: CorrectedCase | None


def readCase(name: str, files: tuple[Path, ...], correctedFolder: Path) -> ReadCase:
    """Read a case's files.

    Raises:
        InputError: a file cannot be read.
    """
    return ReadCase(name, api.read_volumes({path.name: path for path in files}), api.read_corrected(correctedFolder, name))


def addCase(case: ReadCase) -> tuple[dict[str, slicer.vtkMRMLScalarVolumeNode], slicer.vtkMRMLSegmentationNode | None]:
    """Add a case's images, and the mask that was kept of it.

    Returns:
        The volume nodes by role, as far as roles are known (they were kept, or a file is named by its role), and the segmentation to go on with,
        None where nothing was kept.

    Raises:
        InputError: the kept mask fits none of the images; nothing is added then.
    """
    kept = case.corrected
    grid = next((name for name, volume in case.images.items() if kept is not None and volume.same_grid(kept.labels)), None)
    if kept is not None and grid is None:
        raise InputError(
            _("the mask kept of {case} lies on the grid of none of its images, so they do not belong together; move the mask away").format(case=case.name)
        )
    nodes = {name: _addImage(case.name, name, volume) for name, volume in case.images.items()}
    named = {name.partition(".")[0].casefold(): name for name in nodes}
    files = {role: named[role] for role in labels.ROLES if role in named} | (dict(kept.details.get("inputs", {})) if kept is not None else {})
    roles = {role: nodes[name] for role, name in files.items() if name in nodes}
    return roles, _addKept(kept, nodes[grid]) if kept is not None else None


def imagesOf(case: str) -> list[slicer.vtkMRMLScalarVolumeNode]:
    """The images of a case that are in the scene."""
    return [node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if node.GetAttribute(CASE_ATTRIBUTE) == case]


def belongsTo(node: slicer.vtkMRMLSegmentationNode | None, case: str) -> bool:
    """Whether a segmentation was made from an image of this case."""
    volumeNode = sourceVolume(node) if node is not None else None
    return volumeNode is not None and volumeNode.GetAttribute(CASE_ATTRIBUTE) == case


def collectCase(
    node: slicer.vtkMRMLSegmentationNode, inputs: Mapping[str, slicer.vtkMRMLScalarVolumeNode], case: str, folder: Path
) -> tuple[CorrectedCase, tuple[str, ...]]:
    """What to save of the case that is open, with copies of all voxels, and the names of segments that no label of training stands for.

    Args:
        node: its segmentation. inputs: the chosen volumes by role; those of other cases are left out.
        folder: the corrected folder; images that lie there already are not copied again.

    Raises:
        InputError: see `queueLabels.labelsOf`.
    """
    mask, scheme, ignored = labelsOf(node)
    own = {role: volume for role, volume in inputs.items() if volume.GetAttribute(CASE_ATTRIBUTE) == case}
    images = {role: volumeFromNode(volume) for role, volume in own.items() if not (folder / case / f"{role}.nii.gz").exists()}
    ai = aiResultOf(node) or node
    uncertaintyNode = uncertaintyOf(ai)
    details = {
        "inputs": {role: volume.GetAttribute(FILE_ATTRIBUTE) for role, volume in own.items()},
        "attributes": {name: node.GetAttribute(name) for name in node.GetAttributeNames() if name.startswith(PROVENANCE_PREFIX)},
    }
    return CorrectedCase(
        mask,
        scheme,
        ai=labelsOf(ai)[0] if ai.GetAttribute(PROVENANCE_PREFIX + "Model") else None,
        uncertainty=volumeFromNode(uncertaintyNode) if uncertaintyNode is not None else None,
        images=images,
        details=details,
    ), ignored


def removeCase(case: str) -> None:
    """Take a case's images out of the scene, and all that was made from them."""
    scene = slicer.mrmlScene
    volumes = imagesOf(case)
    segmentations = [node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if sourceVolume(node) in volumes]
    others = [other for node in segmentations for other in (uncertaintyOf(node), node.GetNodeReference(CHANGES_REFERENCE)) if other is not None]
    for node in [*segmentations, *others, *volumes]:
        display = node.GetDisplayNode() if node.IsA("vtkMRMLDisplayableNode") else None
        for part in (display, node.GetStorageNode(), node):
            if part is not None and scene.IsNodePresent(part):
                scene.RemoveNode(part)


def _addImage(case: str, fileName: str, volume: Volume) -> slicer.vtkMRMLScalarVolumeNode:
    node = addVolume(volume, f"{case} {fileName.partition('.')[0]}")
    node.SetAttribute(CASE_ATTRIBUTE, case)
    node.SetAttribute(FILE_ATTRIBUTE, fileName)
    return node


def _addKept(kept: CorrectedCase, gridNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLSegmentationNode:
    """The mask of the model and its edited copy; only one segmentation where no model made one."""
    attributes = kept.details.get("attributes", {})
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", freeName(f"{gridNode.GetName()} tumor"))
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetOpacity2DFill(FILL_OPACITY)
    setReferenceGeometry(node, gridNode, kept.labels)
    tags = {name: attributes[PROVENANCE_PREFIX + name] for name in ("Model", "ModelSha256") if PROVENANCE_PREFIX + name in attributes}
    addLabels(node, kept.ai or kept.labels, kept.scheme, tags)
    if kept.uncertainty is not None:
        addUncertainty(kept.uncertainty, node)
    if kept.ai is None:
        _setAttributes(node, attributes)
        return node
    _setAttributes(node, {name: value for name, value in attributes.items() if name.startswith(PROVENANCE_PREFIX) and name not in EDITED_ONLY})
    edited = editableNode(node)
    setLabels(edited, kept.labels, kept.scheme)
    _setAttributes(edited, attributes)
    return edited


def _setAttributes(node: slicer.vtkMRMLNode, attributes: Mapping[str, str]) -> None:
    for name, value in attributes.items():
        node.SetAttribute(name, value)
