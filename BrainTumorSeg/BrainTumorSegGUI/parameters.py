"""The choices that a saved scene brings back."""

from __future__ import annotations

import enum
from typing import Annotated, Union

from slicer import vtkMRMLLabelMapVolumeNode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLTableNode
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

from BrainTumorSegLib.labels import ROLES


class Quality(enum.Enum):
    """How much work a volume is worth; a scene keeps the names."""

    AUTOMATIC = "auto"
    FAST = "acquisition"
    ALL_PLANES = "all"
    THOROUGH = "thorough"

    @property
    def planes(self) -> str:
        """The value of `api.SegmentOptions.planes`."""
        return "auto" if self is Quality.THOROUGH else self.value

    @property
    def earlyExit(self) -> bool | None:
        """The value of `api.SegmentOptions.early_exit`: who asks for everything gets every slice."""
        return False if self in (Quality.ALL_PLANES, Quality.THOROUGH) else None

    @property
    def mirrored(self) -> bool:
        """The value of `api.SegmentOptions.mirrored`."""
        return self is Quality.THOROUGH

    def label(self) -> str:
        """What the combo box shows."""
        return {
            Quality.AUTOMATIC: _("Automatic (all useful planes)"),
            Quality.FAST: _("Fast (one plane)"),
            Quality.ALL_PLANES: _("All planes, every slice"),
            Quality.THOROUGH: _("Thorough (also mirrored)"),
        }[self]


@parameterNodeWrapper
class BrainTumorSegParameterNode:
    """What the user chose and what came of it.

    Attributes:
        t1, t1ce, t2, flair: the volumes to segment. An input parameter is named after its role (see `labels.ROLES`).
        model: name of the model, "" for the first one that can run.
        quality: in which planes, and how many slices of them.
        threads: CPU threads, 0 for all cores.
        modelCleanUp: clean up as the model says; else by the next two.
        minIslandMm3: smaller islands are removed.
        maxHoleMm3: enclosed holes up to this are filled.
        uncertainty: a run also makes a volume of its uncertainty.
        segmentation: the segmentation to edit and to evaluate; the newest result, until another is chosen.
        compared: what is compared with the reference; none means `segmentation`.
        reference: what it is compared with.
        evaluationMatches: JSON, which structures the user matched by hand, see `evaluationPanel`.
        evaluation: the table of the last comparison.
        difference: what the last comparison missed, added and agreed on.
        queueFolder: folder of the cases that the queue goes through.
        correctedFolder: where their corrected masks are kept, "" for a new folder beside the cases.
    """

    t1: vtkMRMLScalarVolumeNode
    t1ce: vtkMRMLScalarVolumeNode
    t2: vtkMRMLScalarVolumeNode
    flair: vtkMRMLScalarVolumeNode
    model: str
    quality: Quality = Quality.AUTOMATIC
    threads: Annotated[int, WithinRange(0, 256)] = 0
    modelCleanUp: bool = True
    minIslandMm3: Annotated[float, WithinRange(0.0, 1e6)] = 100.0
    maxHoleMm3: Annotated[float, WithinRange(0.0, 1e6)] = 1000.0
    uncertainty: bool = True
    segmentation: vtkMRMLSegmentationNode
    # The wrapper needs the None, and its GUI connection a typing.Union even where Python has |.
    compared: Union[vtkMRMLSegmentationNode, vtkMRMLLabelMapVolumeNode, None]  # noqa: UP007
    reference: Union[vtkMRMLSegmentationNode, vtkMRMLLabelMapVolumeNode, None]  # noqa: UP007
    evaluationMatches: str
    evaluation: vtkMRMLTableNode
    difference: vtkMRMLSegmentationNode
    queueFolder: str
    correctedFolder: str


def inputNodes(parameters: BrainTumorSegParameterNode) -> dict[str, vtkMRMLScalarVolumeNode]:
    """The chosen input volumes by role."""
    chosen = {role: getattr(parameters, role) for role in ROLES}
    return {role: node for role, node in chosen.items() if node is not None}
