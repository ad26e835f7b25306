"""What a person has changed in the model's result: overlap and volumes of each segment, before and after."""

from __future__ import annotations

from dataclasses import dataclass

import slicer
import vtk
from slicer.i18n import tr as _

from BrainTumorSegGUI.editCopy import aiResultOf
from BrainTumorSegGUI.publish import placeBeside
from BrainTumorSegGUI.resultSegments import referenceGeometry, segmentIds, segmentMask, voxelMl
from BrainTumorSegLib import api
from BrainTumorSegLib.api import InputError

CHANGES_REFERENCE = "BrainTumorSeg.Changes"
"""Role of the node reference from an edited segmentation to its table."""


@dataclass(frozen=True)
class Change:
    """One segment before and after.

    Attributes:
        name: of the segment as it is now.
        dice: between the two, 1 where both are empty.
        aiMl, editedMl, addedMl, removedMl: volumes in milliliters.
    """

    name: str
    dice: float
    aiMl: float
    editedMl: float
    addedMl: float
    removedMl: float


def changes(node: slicer.vtkMRMLSegmentationNode) -> list[Change]:
    """What was changed in each segment of the model's result, and each segment that was added to it.

    Raises:
        InputError: the model's result, or its grid, is not there to compare with.
    """
    ai = aiResultOf(node)
    geometry = referenceGeometry(ai) if ai is not None else None
    if ai is None or geometry is None:
        raise InputError(
            _("{name} did not begin as a result of a model, so there is nothing to compare it with; edit a result of Apply").format(name=node.GetName())
        )
    ids = [*segmentIds(ai), *(segmentId for segmentId in segmentIds(node) if segmentId not in segmentIds(ai))]
    return [_change(node, ai, segmentId, geometry) for segmentId in ids]


def showChanges(node: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLTableNode:
    """`changes` as the table node that belongs to a segmentation: made the first time, filled again afterwards."""
    rows = changes(node)
    table = node.GetNodeReference(CHANGES_REFERENCE)
    if table is None:
        table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", slicer.mrmlScene.GenerateUniqueName(f"{node.GetName()}: changes"))
        node.SetNodeReferenceID(CHANGES_REFERENCE, table.GetID())
        placeBeside(table, node)
    table.SetUseColumnTitleAsColumnHeader(False)
    table.SetLocked(True)  # measured, not typed
    columns = {
        _("Segment"): [row.name for row in rows],
        _("Dice"): [f"{row.dice:.3f}" for row in rows],
        _("AI mL"): [f"{row.aiMl:.2f}" for row in rows],
        _("Now mL"): [f"{row.editedMl:.2f}" for row in rows],
        _("+ mL"): [f"{row.addedMl:.2f}" for row in rows],
        _("- mL"): [f"{row.removedMl:.2f}" for row in rows],
    }
    for title, texts in columns.items():
        column = vtk.vtkStringArray()
        column.SetName(title)
        for text in texts:
            column.InsertNextValue(text)
        table.AddColumn(column)
    return table


def _change(node: slicer.vtkMRMLSegmentationNode, ai: slicer.vtkMRMLSegmentationNode, segmentId: str, geometry: slicer.vtkOrientedImageData) -> Change:
    # A segment that only one side has is empty on the other.
    masks = [segmentMask(side, segmentId, geometry) for side in (node, ai)]
    counts, ml = api.count_voxels(*masks), voxelMl(geometry)
    owner = node if segmentId in segmentIds(node) else ai
    name = owner.GetSegmentation().GetSegment(segmentId).GetName()
    return Change(name, counts.dice, counts.reference * ml, counts.prediction * ml, counts.prediction_only * ml, counts.reference_only * ml)
