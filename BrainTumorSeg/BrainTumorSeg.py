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
        slicer.app.connect("startupCompleted()", self.onStartupCompleted)

    def onStartupCompleted(self) -> None:
        """Register the Segment Editor effect and the sample data, once all modules are there."""
        if not pythonProblem():
            from BrainTumorSegGUI.startup import registerExtras

            registerExtras()


class BrainTumorSegWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The module's widget: a thin shell that makes the panels and tells them what happens; see `panel`."""

    def __init__(self, parent=None):
        self.logic = None
        self.panels = []
        self._parameterNode = None
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
        from BrainTumorSegGUI.panels import PANELS

        self.logic = BrainTumorSegLogic()
        self.logic.loadTerminology()
        self.panels = [panelClass(self.layout, self.logic) for panelClass in PANELS]
        self.layout.addStretch(1)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.setParameterNode(self.logic.getParameterNode())

    def cleanup(self) -> None:
        """Called when the module is unloaded or Slicer closes; the widgets may be gone."""
        self.removeObservers()
        for panel in self.panels:
            panel.cleanup()

    def enter(self) -> None:
        """Called each time the user opens this module."""
        if self.logic is None:
            return
        self.setParameterNode(self.logic.getParameterNode())
        for panel in self.panels:
            panel.enter()

    def exit(self) -> None:
        """Called each time the user opens another module; a run goes on."""
        for panel in self.panels:
            panel.disconnectGui()
            panel.exit()

    def onSceneStartClose(self, caller, event) -> None:
        for panel in self.panels:
            panel.onSceneClosed()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event) -> None:
        if self.parent.isEntered:
            self.enter()

    def setParameterNode(self, parameterNode: BrainTumorSegParameterNode | None) -> None:
        """Give the panels the choices of the scene, and let go of the former ones."""
        if self._parameterNode is not None:
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)
        self._parameterNode = parameterNode
        for panel in self.panels:
            panel.setParameterNode(parameterNode)
        if parameterNode is not None:
            self.addObserver(parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)

    def onParametersModified(self, caller=None, event=None) -> None:
        for panel in self.panels:
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
        """The choices stored in the scene."""
        return BrainTumorSegParameterNode(super().getParameterNode())

    def models(self) -> list:
        """The installed models (`api.ModelInfo`)."""
        from BrainTumorSegLib import api

        return api.list_models()

    def importModels(self, path) -> list:
        """Add the models of a zip file, each proven by its sha256; returns those that are new (`api.ModelInfo`)."""
        from BrainTumorSegLib import api

        return api.import_models(path)

    def guessInputs(self, nodes=None) -> dict:
        """Volume nodes by role ("t1", "t1ce", "t2", "flair") as far as they can be told apart, by default among all of the scene."""
        from BrainTumorSegGUI.inputs import offeredVolumes, proposedInputs

        return proposedInputs(offeredVolumes() if nodes is None else nodes)

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
            raise InputError(_("a segmentation is running, but one can run at a time; wait for it or cancel it"))
        run = SegmentationRun(nodes, model, options, segment=self._segment)
        self._run = weakref.ref(run)
        return run

    def segmentNodes(self, nodes, model=None, options=None):
        """Segment and publish in one call that blocks; returns the new segmentation node. See `start`."""
        run = self.start(nodes, model, options)
        while not run.poll(wait_s=0.05).finished:
            slicer.app.processEvents()
        return run.publish()

    def evaluate(self, segmentationNode, referenceNode, matches=None, joined=None):
        """Dice, IoU and HD95 as a new table node, and notices; blocks; see `evaluation.evaluateNodes`."""
        from BrainTumorSegGUI.evaluation import evaluateNodes

        return evaluateNodes(segmentationNode, referenceNode, matches, joined)

    def compare(self, segmentationNode, referenceNode, matches=None, joined=None):
        """As `evaluate`, in a thread: poll what it returns; see `evaluation.ComparisonRun`."""
        from BrainTumorSegGUI.evaluation import ComparisonRun

        return ComparisonRun(segmentationNode, referenceNode, matches, joined)

    def editableNode(self, segmentationNode):
        """A copy of a result to correct, so that the result stays as it is; see `editCopy.editableNode`."""
        from BrainTumorSegGUI.editCopy import editableNode

        return editableNode(segmentationNode)

    def changes(self, segmentationNode):
        """Dice and mL between a model's result and its corrected copy, as a table node; see `editChanges.showChanges`."""
        from BrainTumorSegGUI.editChanges import showChanges

        return showChanges(segmentationNode)

    def addRegions(self, segmentationNode):
        """Whole tumor, tumor core and enhancing tumor as a new segmentation; see `resultRegions.addRegions`."""
        from BrainTumorSegGUI.resultRegions import addRegions

        return addRegions(segmentationNode)

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
