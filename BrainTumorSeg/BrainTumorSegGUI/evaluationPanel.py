"""Scores of a segmentation against a chosen reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _

if TYPE_CHECKING:
    from BrainTumorSeg import BrainTumorSegLogic
    from BrainTumorSegGUI.parameters import BrainTumorSegParameterNode


class EvaluationPanel:
    """Binds the evaluation section of the .ui file to the logic."""

    def __init__(self, ui, logic: BrainTumorSegLogic) -> None:
        self.ui = ui
        self.logic = logic
        self._parameters: BrainTumorSegParameterNode | None = None
        ui.evaluateButton.connect("clicked(bool)", self.onEvaluate)
        self.update()

    def setParameters(self, parameters: BrainTumorSegParameterNode | None) -> None:
        self._parameters = parameters
        self.ui.noticesLabel.text = ""
        self.update()

    def update(self) -> None:
        """Show what can be done now, and the table of the last comparison."""
        chosen = self._parameters is not None and None not in (self._parameters.segmentation, self._parameters.reference)
        self.ui.evaluateButton.enabled = chosen
        self.ui.evaluateButton.toolTip = _("Compute Dice, IoU and HD95.") if chosen else _("Choose a segmentation and a reference first.")
        tableNode = self._parameters.evaluation if self._parameters is not None else None
        self.ui.resultTable.setMRMLTableNode(tableNode)
        self.ui.resultTable.resizeColumnsToContents()
        self.ui.resultTable.visible = tableNode is not None

    def onEvaluate(self, checked: bool = False) -> None:
        with slicer.util.tryWithErrorDisplay(_("The segmentations could not be compared."), waitCursor=True):
            tableNode, notices = self.logic.evaluate(self._parameters.segmentation, self._parameters.reference)
            self._parameters.evaluation = tableNode
            self.ui.noticesLabel.text = "\n".join(notices)
