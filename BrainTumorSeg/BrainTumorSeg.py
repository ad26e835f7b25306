"""Brain Tumor Segmentation: a 3D Slicer module that segments brain tumors in MRI and measures the result."""

from __future__ import annotations

import importlib.util
import sys
import weakref
from pathlib import Path

import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleLogic, ScriptedLoadableModuleTest, ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

if importlib.util.find_spec("BrainTumorSegLib") is None:
    # In a source checkout the backend lies beside this module's folder; installed, it lies in it.
    sys.path.append(str(Path(__file__).resolve().parents[1]))

from BrainTumorSegGUI.install import pythonProblem
from BrainTumorSegGUI.parameters import BrainTumorSegParameterNode

# Everything else of ours is imported where it is used: an older Slicer must be able to load this file and to say why it cannot run it.


class BrainTumorSeg(ScriptedLoadableModule):
    """What the module selector shows."""

    def __init__(self, parent):
        super().__init__(parent)
        self.parent.title = _("Brain Tumor Segmentation")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = ["Segmentations", "SegmentEditor", "Terminologies"]
        self.parent.contributors = ["BrainTumorSeg contributors"]
        self.parent.helpText = _(
            "Segments brain tumors in MRI, for a start in a contrast-enhanced T1 volume: choose the volume, press Apply, then correct the "
            "result in the Segment Editor or compare it with a reference.<p>Research only, not a medical device."
        )
        self.parent.acknowledgementText = _("Licenses and training data of each model are in its model card.")


class BrainTumorSegWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The module's panel: a thin shell that connects the .ui file, the panels and the logic."""

    def __init__(self, parent=None):
        self.logic = None
        self._panels = []
        self._parameterNode = None
        self._parameterNodeGuiTag = None
        VTKObservationMixin.__init__(self)
        ScriptedLoadableModuleWidget.__init__(self, parent)  # last: without a parent it calls setup()

    def setup(self) -> None:
        """Called once, when the module is first opened; needs neither a main window nor a layout manager."""
        super().setup()
        if pythonProblem():
            label = qt.QLabel(pythonProblem())
            label.wordWrap = True
            self.layout.addWidget(label)
            return
        from BrainTumorSegGUI.evaluationPanel import EvaluationPanel
        from BrainTumorSegGUI.runPanel import RunPanel

        uiWidget = slicer.util.loadUI(self.resourcePath("UI/BrainTumorSeg.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = BrainTumorSegLogic()
        self.logic.loadTerminology()
        self.runPanel = RunPanel(self.ui, self.logic)
        self._panels = [self.runPanel, EvaluationPanel(self.ui, self.logic)]
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Called when the module is unloaded or Slicer closes; the widgets may be gone."""
        if self.logic is not None:
            self.runPanel.abandon()
        self.removeObservers()

    def enter(self) -> None:
        """Called each time the user opens this module."""
        if self.logic is not None:
            self.initializeParameterNode()

    def exit(self) -> None:
        """Called each time the user opens another module; a run goes on."""
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self._parameterNodeGuiTag = None

    def onSceneStartClose(self, caller, event) -> None:
        self.runPanel.abandon()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event) -> None:
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self) -> None:
        """Take up the choices stored in the scene; a first volume is chosen for the user."""
        parameterNode = self.logic.getParameterNode()
        if parameterNode.t1ce is None:
            parameterNode.t1ce = self.logic.firstVolume()
        self.setParameterNode(parameterNode)

    def setParameterNode(self, parameterNode: BrainTumorSegParameterNode | None) -> None:
        """Connect the choices to the GUI, and disconnect the former ones."""
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)
        self._parameterNode = parameterNode
        if parameterNode is not None:
            self._parameterNodeGuiTag = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)
        for panel in self._panels:
            panel.setParameters(parameterNode)

    def onParametersModified(self, caller=None, event=None) -> None:
        for panel in self._panels:
            panel.update()


class BrainTumorSegLogic(ScriptedLoadableModuleLogic):
    """Everything the module does, without a GUI: for its widget, the Python console and other modules.

    `segmentNodes({"t1ce": node})` does all in one call and blocks. `start` does it in a thread: poll the run it returns, then publish it.
    """

    def __init__(self, segment=None) -> None:
        """`segment` stands in for `api.segment`, with its signature."""
        super().__init__()
        from BrainTumorSegLib import api

        self._segment = segment or api.segment
        self._run = lambda: None  # a weak reference: the run belongs to the caller, and holds copies of the inputs
        self.userErrors = (api.InputError, api.ModelError)

    def getParameterNode(self) -> BrainTumorSegParameterNode:
        return BrainTumorSegParameterNode(super().getParameterNode())

    def models(self) -> list:
        """The installed models (`api.ModelInfo`)."""
        from BrainTumorSegLib import api

        return api.list_models()

    def firstVolume(self):
        """The first scalar volume of the scene that is no label map, or None."""
        volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        return next((node for node in volumes if not node.IsA("vtkMRMLLabelMapVolumeNode") and not node.GetHideFromEditors()), None)

    def start(self, nodes, model=None, options=None):
        """Start segmenting in a thread.

        Args:
            nodes: volume nodes by role, for instance {"t1ce": node}; a transformed one is read where it lies in the patient.
            model: name of a model, by default the first that fits.
            options: `api.SegmentOptions`.

        Returns:
            A `SegmentationRun`: `poll()` it from the main thread until finished, then `publish()`; or `cancel()` it.

        Raises:
            InputError: inputs that cannot be read, or a run that has not ended.
        """
        from BrainTumorSegGUI.run import SegmentationRun

        from BrainTumorSegLib.api import InputError

        if self._run() is not None and not self._run().poll().finished:
            raise InputError("a segmentation is running, but one can run at a time; wait for it or cancel it")
        run = SegmentationRun(nodes, model, options, segment=self._segment)
        self._run = weakref.ref(run)
        return run

    def segmentNodes(self, nodes, model=None, options=None):
        """Segment and publish in one call that blocks; returns the new segmentation node. See `start`."""
        run = self.start(nodes, model, options)
        while not run.poll(wait_s=0.05).finished:
            slicer.app.processEvents()
        return run.publish()

    def evaluate(self, segmentationNode, referenceNode):
        """Dice, IoU and HD95 as a new table node, and notices; see `evaluation.evaluateNodes`."""
        from BrainTumorSegGUI.evaluation import evaluateNodes

        return evaluateNodes(segmentationNode, referenceNode)

    def prepareSegmentEditor(self, segmentationNode):
        """Point the Segment Editor at a segmentation and its volume; returns the editor's parameter set."""
        from BrainTumorSegGUI.handover import prepareSegmentEditor

        return prepareSegmentEditor(segmentationNode)

    def loadTerminology(self) -> str:
        """Add our list to Slicer's terminology selector; returns its name."""
        from BrainTumorSegGUI.publish import loadTerminology

        return loadTerminology()


class BrainTumorSegTest(ScriptedLoadableModuleTest):
    """The self-test: a phantom made in memory is really segmented by the shipped model."""

    def setUp(self) -> None:
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        self.setUp()
        self.test_phantomIsSegmented()

    def test_phantomIsSegmented(self) -> None:
        from BrainTumorSegGUI.selfTest import segmentPhantom

        segmentPhantom(self, BrainTumorSegLogic())
        self.delayDisplay("Test passed")
