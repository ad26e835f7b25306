"""The choices that a saved scene brings back."""

from __future__ import annotations

from typing import Union

from slicer import vtkMRMLLabelMapVolumeNode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLTableNode
from slicer.parameterNodeWrapper import parameterNodeWrapper

from BrainTumorSegLib.labels import ROLES


@parameterNodeWrapper
class BrainTumorSegParameterNode:
    """What the user chose and what came of it.

    Attributes:
        t1ce: the contrast-enhanced T1 volume. An input parameter is named after its role (see `labels.ROLES`).
        model: name of the model, "" for the first one.
        segmentation: the segmentation to edit and to evaluate; the newest result, until another is chosen.
        reference: what it is compared with.
        evaluation: the table of the last comparison.
    """

    t1ce: vtkMRMLScalarVolumeNode
    model: str
    segmentation: vtkMRMLSegmentationNode
    # The wrapper needs the None, and its GUI connection a typing.Union even where Python has |.
    reference: Union[vtkMRMLSegmentationNode, vtkMRMLLabelMapVolumeNode, None]  # noqa: UP007
    evaluation: vtkMRMLTableNode


def inputNodes(parameters: BrainTumorSegParameterNode) -> dict[str, vtkMRMLScalarVolumeNode]:
    """The chosen input volumes by role."""
    chosen = {role: getattr(parameters, role, None) for role in ROLES}
    return {role: node for role, node in chosen.items() if node is not None}
