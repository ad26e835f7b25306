"""Model choice, Apply, Cancel, progress and the way to the Segment Editor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import qt
import slicer
from slicer.i18n import tr as _

from BrainTumorSegGUI import summary
from BrainTumorSegGUI.consent import confirmLicense
from BrainTumorSegGUI.install import ensureOnnxruntime
from BrainTumorSegGUI.parameters import inputNodes

if TYPE_CHECKING:
    from BrainTumorSeg import BrainTumorSegLogic
    from BrainTumorSegGUI.parameters import BrainTumorSegParameterNode
    from BrainTumorSegGUI.run import SegmentationRun
    from BrainTumorSegLib.api import ModelInfo

TICK_MS = 10
WAIT_S = 0.04
"""How long a tick lets the worker's Python run (see `BackgroundTask.poll`): most of the time for the worker, and still about 20 pictures a second."""


class RunPanel:
    """Binds the run section of the .ui file to the logic."""

    def __init__(self, ui, logic: BrainTumorSegLogic) -> None:
        self.ui = ui
        self.logic = logic
        self._parameters: BrainTumorSegParameterNode | None = None
        self._run: SegmentationRun | None = None
        self._models: dict[str, ModelInfo] = {}
        self._timer = qt.QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.connect("timeout()", self.onTick)
        self._fillModels()
        ui.modelSelector.connect("currentIndexChanged(int)", self.onModelChosen)
        ui.applyButton.connect("clicked(bool)", self.onApply)
        ui.cancelButton.connect("clicked(bool)", self.onCancel)
        ui.editButton.connect("clicked(bool)", self.onEdit)
        self.update()

    def setParameters(self, parameters: BrainTumorSegParameterNode | None) -> None:
        self._parameters = parameters
        self.update()

    def update(self) -> None:
        """Show what can be done now."""
        model, running = self.model(), self._run is not None
        if model and self._parameters and self._parameters.model != model.name and self._parameters.model in self._models:
            self.ui.modelSelector.setCurrentIndex(list(self._models).index(self._parameters.model))
            model = self.model()
        missing = summary.missingText(model, set(self._inputs())) if model else _("No model is installed.")
        self.ui.modelLabel.text = summary.modelText(model) if model else ""
        self.ui.applyButton.enabled = not running and not missing
        self.ui.applyButton.toolTip = missing or _("Segment the tumor; the result is a new segmentation.")
        self.ui.cancelButton.enabled = running
        self.ui.progressBar.visible = running
        self.ui.editButton.enabled = self._parameters is not None and self._parameters.segmentation is not None

    def model(self) -> ModelInfo | None:
        """The chosen model, None where none is installed."""
        index = self.ui.modelSelector.currentIndex
        return list(self._models.values())[index] if 0 <= index < len(self._models) else None

    def abandon(self) -> None:
        """Stop a run and forget it: its scene or its module is about to go, perhaps its widgets already have."""
        if self._run is not None:
            self._run.cancel()
        self._timer.stop()
        self._run = None

    def onModelChosen(self, index: int) -> None:
        if self._parameters is not None and self.model() is not None:
            self._parameters.model = self.model().name
        self.update()

    def onApply(self, checked: bool = False) -> None:
        with slicer.util.tryWithErrorDisplay(_("The segmentation could not be started.")):
            model = self.model()
            if not confirmLicense(model, qt.QSettings()):
                return
            ensureOnnxruntime()
            self._run = self.logic.start(self._inputs(), model.name)
            self.ui.statusLabel.text = _("Starting...")
            self.ui.progressBar.setValue(0)
            self._timer.start()
        self.update()

    def onCancel(self, checked: bool = False) -> None:
        if self._run is not None:
            self._run.cancel()

    def onEdit(self, checked: bool = False) -> None:
        with slicer.util.tryWithErrorDisplay(_("The Segment Editor could not be opened.")):
            self.logic.prepareSegmentEditor(self._parameters.segmentation)
            slicer.util.selectModule("SegmentEditor")

    def onTick(self) -> None:
        state = self._run.poll(WAIT_S)
        if not state.finished:
            self.ui.progressBar.setValue(round(100 * state.fraction))
            self.ui.statusLabel.text = summary.progressText(state)
            return
        run, self._run = self._run, None
        self._timer.stop()
        self.ui.statusLabel.text = _("Cancelled; nothing was changed.") if run.cancelled else ""
        self.update()
        if run.cancelled:
            return
        with slicer.util.tryWithErrorDisplay(_("The segmentation failed.")):
            self._parameters.segmentation = run.publish()
            self.ui.statusLabel.text = summary.resultText(run.result)

    def _inputs(self) -> dict[str, slicer.vtkMRMLScalarVolumeNode]:
        return inputNodes(self._parameters) if self._parameters is not None else {}

    def _fillModels(self) -> None:
        try:
            self._models = {model.name: model for model in self.logic.models()}
        except self.logic.userErrors as error:  # the module still opens, to say why it cannot run
            self.ui.statusLabel.text = str(error)
        for model in self._models.values():
            self.ui.modelSelector.addItem(model.title)
