"""Apply, Cancel, progress, and what few users change."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import qt
import slicer
from slicer.i18n import tr as _

from BrainTumorSegGUI import modelCard, summary
from BrainTumorSegGUI.consent import confirmLicense
from BrainTumorSegGUI.install import ensureOnnxruntime, installWheel
from BrainTumorSegGUI.panel import Panel
from BrainTumorSegGUI.parameters import inputNodes
from BrainTumorSegGUI.run import optionsFrom
from BrainTumorSegGUI.sentences import errorsShown, translated

if TYPE_CHECKING:
    from BrainTumorSegGUI.run import SegmentationRun
    from BrainTumorSegLib.api import ModelInfo

TICK_MS = 10
WAIT_S = 0.04
"""How long a tick lets the worker's Python run (see `BackgroundTask.poll`): most of the time for the worker, and still about 20 pictures a second."""
_PUBLISHING = 97
"""Percent from which the result is put into the scene."""


class RunPanel(Panel):
    """Segments the chosen volumes in a thread, which a timer watches, and puts the result into the scene step by step."""

    def __init__(self, parentLayout, logic, parameterNode=None) -> None:
        self._run: SegmentationRun | None = None
        self._publishing: Generator | None = None
        super().__init__(parentLayout, logic, parameterNode)

    def setup(self) -> None:
        self._timer = qt.QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.connect("timeout()", self.onTick)
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.ui.cancelButton.connect("clicked(bool)", self.onCancel)
        self.ui.wheelButton.connect("clicked(bool)", self.onInstallWheel)

    def update(self) -> None:
        running = self._run is not None
        problem = self._problem()
        self.ui.applyButton.enabled = not running and not problem
        self.ui.applyButton.toolTip = problem or _("Segment the tumor; the result is a new segmentation.")
        self.ui.problemLabel.text = "" if running else problem
        self.ui.problemLabel.visible = bool(problem) and not running
        self.ui.cancelButton.enabled = running
        self.ui.progressBar.visible = running
        ownCleanUp = self.parameterNode is not None and not self.parameterNode.modelCleanUp
        for widget in (self.ui.minIslandSpinBox, self.ui.maxHoleSpinBox):
            widget.enabled = ownCleanUp

    def onSceneClosed(self) -> None:
        self._abandon()
        self.ui.statusLabel.text = ""

    def cleanup(self) -> None:
        self._abandon()

    def onApply(self, checked: bool = False) -> None:
        with errorsShown(_("The segmentation could not be started.")):
            model = self._model()
            if not confirmLicense(model, qt.QSettings()):
                return
            ensureOnnxruntime()
            read = {role: node for role, node in inputNodes(self.parameterNode).items() if role in model.inputs}
            self._run = self.logic.start(read, model.name, optionsFrom(self.parameterNode))
            self.ui.statusLabel.text = _("Starting...")
            self.ui.progressBar.value = 0
            self._timer.start()
        self.update()

    def onCancel(self, checked: bool = False) -> None:
        if self._run is not None:
            self._run.cancel()
            self.ui.statusLabel.text = _("Cancelling...")

    def onInstallWheel(self, checked: bool = False) -> None:
        path = qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), _("Install onnxruntime from a file"), "", _("Python wheels (*.whl)"))
        if not path:
            return
        with errorsShown(_("onnxruntime could not be installed.")):
            installWheel(path)
            self.ui.statusLabel.text = _("onnxruntime is installed.")

    def onTick(self) -> None:
        """One short step: look at the thread, or put a piece of the result into the scene."""
        try:
            if self._publishing is None:
                self._watch()
            else:
                self._publish()
        except Exception as error:
            self._end(translated(str(error)))
            with errorsShown(_("The segmentation failed.")):
                raise

    def _watch(self) -> None:
        state = self._run.poll(WAIT_S)
        if not state.finished:
            self.ui.progressBar.value = round(_PUBLISHING * state.fraction)
            if not self._run.cancelled:
                self.ui.statusLabel.text = summary.progressText(state)
        elif self._run.cancelled:
            self._endCancelled()
        else:
            self._publishing = self._run.publishSteps()

    def _publish(self) -> None:
        if self._run.cancelled:
            self._publishing.close()
            self._endCancelled()
            return
        try:
            self.ui.statusLabel.text = next(self._publishing) + "..."
        except StopIteration as end:
            run = self._run
            self._end(summary.resultText(run.result))
            self.parameterNode.segmentation = end.value
            return
        self.ui.progressBar.value = min(99, self.ui.progressBar.value + 1)

    def _endCancelled(self) -> None:
        self._end(_("Cancelled; nothing was changed."))

    def _end(self, text: str) -> None:
        self._timer.stop()
        self._run, self._publishing = None, None
        self.ui.statusLabel.text = text
        self.update()

    def _abandon(self) -> None:
        """Stop a run and forget it: its scene or its module is about to go, perhaps its widgets already have."""
        self._timer.stop()
        if self._run is not None:
            self._run.cancel()
        if self._publishing is not None:
            self._publishing.close()
        self._run, self._publishing = None, None

    def _model(self) -> ModelInfo | None:
        inputs = inputNodes(self.parameterNode) if self.parameterNode is not None else {}
        return modelCard.chosenModel(self.logic.models(), self.parameterNode.model if self.parameterNode is not None else "", inputs)

    def _problem(self) -> str:
        """Why Apply cannot be pressed, "" if it can."""
        if self.parameterNode is None:
            return _("No scene is open.")
        try:
            model = self._model()
        except self.logic.userErrors as error:  # the module still opens, to say why it cannot run
            return translated(str(error))
        if model is None:
            return _("No model is installed.")
        problem = modelCard.problemText(model, inputNodes(self.parameterNode))
        return _("{model} {problem}.").format(model=model.title, problem=problem) if problem else ""
