"""The Segment Editor effect "Tumor (AI)". Slicer loads this file and finds the class by the file's name; see `startup.registerEffect`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import qt
import slicer
from BrainTumorSegGUI import effect, summary
from BrainTumorSegGUI.consent import confirmLicense
from BrainTumorSegGUI.install import ensureOnnxruntime
from BrainTumorSegGUI.run import optionsFrom
from BrainTumorSegGUI.sentences import errorsShown, translated
from SegmentEditorEffects import AbstractScriptedSegmentEditorEffect
from slicer.i18n import tr as _

from BrainTumorSegLib.api import InputError

ICON = Path(__file__).resolve().parents[1] / "Resources" / "Icons" / "BrainTumorSeg.png"
TICK_MS = 10
WAIT_S = 0.04
"""How long a tick lets the worker's Python run (see `BackgroundTask.poll`)."""


class SegmentEditorEffect(AbstractScriptedSegmentEditorEffect):
    """Segments the source volume in a thread and puts the tumor into the selected segment: one undo step, masking honored."""

    def __init__(self, scriptedEffect):
        scriptedEffect.name = "Tumor (AI)"  # not translated: modules find effects by name
        scriptedEffect.title = _("Tumor (AI)")
        scriptedEffect.perSegment = True
        scriptedEffect.requireSegments = True
        scriptedEffect.showEffectCursorInSliceView = False
        AbstractScriptedSegmentEditorEffect.__init__(self, scriptedEffect)
        self.logic = None
        self._run = None
        self._target = None  # segmentation and segment at Apply
        self._timer = None

    def clone(self):
        import qSlicerSegmentationsEditorEffectsPythonQt as effects

        cloned = effects.qSlicerSegmentEditorScriptedEffect(None)
        cloned.setPythonSource(__file__.replace("\\", "/"))
        return cloned

    def icon(self):
        return qt.QIcon(str(ICON))

    def helpText(self):
        return "<html>" + _(
            "Find the tumor in the source volume and put it into the selected segment.<br>Choose a region to change nothing outside it. "
            "Masking is honored, and one Undo takes everything back.<p>Research only, not a medical device."
        )

    def setupOptionsFrame(self):
        self.regionSelector = slicer.qMRMLNodeComboBox()
        self.regionSelector.nodeTypes = ["vtkMRMLMarkupsROINode"]
        self.regionSelector.noneEnabled = True
        self.regionSelector.noneDisplay = _("(whole volume)")
        self.regionSelector.addEnabled = True
        self.regionSelector.removeEnabled = False
        self.regionSelector.setMRMLScene(slicer.mrmlScene)
        self.regionSelector.toolTip = _("Box outside of which the segment is not changed. Place it with the ROI tool of the Markups toolbar.")
        self.regionSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.updateMRMLFromGUI)
        self.scriptedEffect.addLabeledOptionsWidget(_("Region:"), self.regionSelector)

        self.structureSelector = qt.QComboBox()
        self.structureSelector.toolTip = _("What is put into the segment.")
        self.structureSelector.connect("activated(int)", self.updateMRMLFromGUI)
        self.scriptedEffect.addLabeledOptionsWidget(_("Structure:"), self.structureSelector)

        self.addCheckBox = qt.QCheckBox(_("Add to the segment"))
        self.addCheckBox.toolTip = _("Keep what the segment has already; otherwise it is replaced, inside the region if there is one.")
        self.addCheckBox.connect("clicked(bool)", self.updateMRMLFromGUI)
        self.scriptedEffect.addOptionsWidget(self.addCheckBox)
        self._setupRun()

    def _setupRun(self):
        self.applyButton = qt.QPushButton(_("Apply"))
        self.applyButton.toolTip = _("Find the tumor and put it into the selected segment.")
        self.applyButton.connect("clicked(bool)", self.onApply)
        self.cancelButton = qt.QPushButton(_("Cancel"))
        self.cancelButton.toolTip = _("Stop; the segment stays as it was.")
        self.cancelButton.connect("clicked(bool)", self.onCancel)
        buttons = qt.QHBoxLayout()
        buttons.addWidget(self.applyButton)
        buttons.addWidget(self.cancelButton)
        self.scriptedEffect.addOptionsWidget(buttons)
        self.progressBar = qt.QProgressBar()
        self.progressBar.toolTip = _("Part of the work that is done.")
        self.progressBar.maximum = 100
        self.scriptedEffect.addOptionsWidget(self.progressBar)
        self.statusLabel = qt.QLabel()
        self.statusLabel.wordWrap = True
        self.scriptedEffect.addOptionsWidget(self.statusLabel)
        self._timer = qt.QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.connect("timeout()", self.onTick)

    def setMRMLDefaults(self):
        self.scriptedEffect.setParameterDefault("Structure", "")
        self.scriptedEffect.setParameterDefault("Add", 0)

    def activate(self):
        self.statusLabel.text = ""
        self.updateGUIFromMRML()

    def deactivate(self):
        """Another tool is chosen: what is found later has no segment to go to."""
        self._stop()

    def cleanup(self):
        self._stop()

    def sourceVolumeNodeChanged(self):
        self.updateGUIFromMRML()

    def updateGUIFromMRML(self):
        node = self.scriptedEffect.parameterSetNode()
        if node is None or self._timer is None:
            return
        blocked = self.regionSelector.blockSignals(True)
        self.regionSelector.setCurrentNode(self.scriptedEffect.nodeReference("Region"))
        self.regionSelector.blockSignals(blocked)
        self.addCheckBox.checked = self.scriptedEffect.integerParameter("Add") != 0
        self._fillStructures()
        ready = node.GetSourceVolumeNode() is not None and bool(node.GetSelectedSegmentID())
        self.applyButton.enabled = ready and self._run is None
        self.cancelButton.enabled = self.progressBar.visible = self._run is not None

    def updateMRMLFromGUI(self, ignored=None):
        self.scriptedEffect.setNodeReference("Region", self.regionSelector.currentNode())
        self.scriptedEffect.setParameter("Structure", self.structureSelector.itemData(self.structureSelector.currentIndex) or "")
        self.scriptedEffect.setParameter("Add", 1 if self.addCheckBox.checked else 0)

    def onApply(self, checked=False):
        if not self.scriptedEffect.confirmCurrentSegmentVisible():
            return
        with errorsShown(_("The tumor could not be segmented.")):
            inputs, model = self._choice()
            if not confirmLicense(model, qt.QSettings()):
                return
            ensureOnnxruntime()
            options = dataclasses.replace(optionsFrom(self._logic().getParameterNode()), uncertainty=False)
            self._run = self._logic().start(inputs, model.name, options)
            self._target = self._selected()
            self.statusLabel.text = _("Starting...")
            self._timer.start()
            self.updateGUIFromMRML()

    def onCancel(self, checked=False):
        if self._run is not None:
            self._run.cancel()

    def onTick(self):
        state = self._run.poll(WAIT_S)
        if not state.finished:
            self.progressBar.setValue(round(100 * state.fraction))
            self.statusLabel.text = summary.progressText(state)
            return
        run, self._run = self._run, None
        self._timer.stop()
        self.statusLabel.text = _("Cancelled; nothing was changed.") if run.cancelled else ""
        self.updateGUIFromMRML()
        if not run.cancelled:
            with errorsShown(_("The tumor could not be segmented.")):
                self.statusLabel.text = self._apply(run.result)

    def _apply(self, result):
        """Change the segment; returns what was done, in words."""
        if self._selected() != self._target:
            raise InputError(_("another segment was selected meanwhile, but the tumor was meant for the former; select it and apply again"))
        region = self.scriptedEffect.nodeReference("Region")
        adding = self.scriptedEffect.integerParameter("Add") != 0
        current = None if adding or region is None else self.scriptedEffect.selectedSegmentLabelmap()
        modifier = self.scriptedEffect.defaultModifierLabelmap()
        segmentationNode = self.scriptedEffect.parameterSetNode().GetSegmentationNode()
        found = effect.foundMask(result, self.scriptedEffect.parameter("Structure"))
        if not effect.fillModifier(modifier, found, segmentationNode, region, current):
            return _("No tumor was found; the segment was not changed.")
        self.scriptedEffect.saveStateForUndo()
        modes = slicer.qSlicerSegmentEditorAbstractEffect
        self.scriptedEffect.modifySelectedSegmentByLabelmap(modifier, modes.ModificationModeAdd if adding else modes.ModificationModeSet)
        return summary.resultText(result)

    def _choice(self):
        """The input nodes by role, and the model that reads them."""
        logic = self._logic()
        parameters = logic.getParameterNode()
        inputs = effect.effectInputs(self.scriptedEffect.parameterSetNode().GetSourceVolumeNode(), parameters)
        return inputs, effect.effectModel(logic.models(), inputs, parameters.model)

    def _fillStructures(self):
        names = {"": _("Everything that is found")}
        if self.scriptedEffect.parameterSetNode().GetSourceVolumeNode() is not None:
            try:
                names |= effect.structureNames(self._choice()[1].scheme)
            except self._logic().userErrors as error:  # told here once, and again at Apply
                self.statusLabel.text = translated(str(error))
        shown = [self.structureSelector.itemData(index) for index in range(self.structureSelector.count)]
        if shown != list(names):
            self.structureSelector.clear()
            for key, name in names.items():
                self.structureSelector.addItem(name, key)
        self.structureSelector.setCurrentIndex(max(0, self.structureSelector.findData(self.scriptedEffect.parameter("Structure"))))

    def _selected(self):
        """IDs of the segmentation and of the segment that are edited now; a scene that closed has none."""
        node = self.scriptedEffect.parameterSetNode()
        segmentationNode = node.GetSegmentationNode() if node is not None else None
        return segmentationNode and (segmentationNode.GetID(), node.GetSelectedSegmentID())

    def _logic(self):
        if self.logic is None:
            from BrainTumorSeg import BrainTumorSegLogic

            self.logic = BrainTumorSegLogic()
        return self.logic

    def _stop(self):
        if self._run is not None:
            self._run.cancel()
        if self._timer is not None:
            self._timer.stop()
        self._run = None
