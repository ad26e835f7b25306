"""NOT Slicer: the least of it that lets pytest run BrainTumorSeg.py on the real MRML of slicer-core, and its panels on PySide6.

slicer-core is the part of 3D Slicer without Qt: scene, nodes, storage, module logics and `slicer.util` are the real ones. Missing are the
application (`slicer.app`, `slicer.modules`), the base classes of scripted modules and translation, all here; the parameter node wrapper,
Qt, CTK and the qMRML widgets, in `standin_*.py`. The stand-ins are written from the public documentation and do only what these tests need;
every other name raises AttributeError.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import re
import sys
import tempfile
import types
import typing
import unittest
from pathlib import Path

import slicer
import slicer.util
import standin_parameters
import vtk

HAS_WIDGETS = importlib.util.find_spec("PySide6") is not None
ROOT = Path(__file__).resolve().parents[2]
MODULE_FILE = ROOT / "BrainTumorSeg" / "BrainTumorSeg.py"


class Application:
    """`slicer.app` of an application without a main window, in testing mode."""

    applicationName = "not Slicer"

    def __init__(self, qApplication: typing.Any = None) -> None:
        self._qApplication = qApplication
        self.startupSlots: list[typing.Callable[[], None]] = []
        self.translator: typing.Callable[[str, str], str] = lambda context, text: text  # a test may install another, as one does with a QTranslator

    def translate(self, context: str, text: str) -> str:
        return self.translator(context, text)

    def testingEnabled(self) -> bool:
        return True

    def processEvents(self) -> None:
        if self._qApplication is not None:
            self._qApplication.processEvents()

    def sendPostedDeletes(self) -> None:
        """Delete what was to be deleted later; not in Slicer, whose event loop does it."""
        self._qApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete

    def layoutManager(self) -> None:
        """As with --no-main-window."""

    def connect(self, signature: str, slot: typing.Callable[[], None]) -> bool:
        """The application never ends its start here; a test may call what was connected."""
        if signature != "startupCompleted()":
            raise ValueError(f"slicer.app has no signal {signature}")
        self.startupSlots.append(slot)
        return True

    def topLevelWidgets(self) -> list[typing.Any]:
        """There is no main window among them."""
        return []

    def setOverrideCursor(self, cursor: typing.Any) -> None:
        self._qApplication.setOverrideCursor(cursor)

    def restoreOverrideCursor(self) -> None:
        self._qApplication.restoreOverrideCursor()


class Module:
    """An entry of `slicer.modules`."""

    def __init__(self, logic: typing.Any = None, path: str = "") -> None:
        self._logic = logic
        self.path = path

    def logic(self) -> typing.Any:
        return self._logic


class ScriptedLoadableModule:
    def __init__(self, parent: typing.Any) -> None:
        self.parent = parent


class ScriptedLoadableModuleWidget:
    """Owns the widget that the module's panels are put into, and calls setup() where nobody else does."""

    def __init__(self, parent: typing.Any = None) -> None:
        import qt

        self.parent = parent
        if parent is None:
            self.parent = slicer.qMRMLWidget()
            self.parent.setLayout(qt.QVBoxLayout())
            self.parent.setMRMLScene(slicer.mrmlScene)
        self.layout = self.parent.layout()
        if parent is None:
            self.setup()

    def setup(self) -> None:
        """The developer's buttons are left out."""

    def resourcePath(self, name: str) -> str:
        return str(MODULE_FILE.parent / "Resources" / name)


class ScriptedLoadableModuleLogic:
    """Keeps one vtkMRMLScriptedModuleNode for the module in the scene."""

    def __init__(self) -> None:
        self.moduleName = type(self).__name__.removesuffix("Logic")

    def getParameterNode(self) -> slicer.vtkMRMLScriptedModuleNode:
        node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        if node is None:
            node = slicer.vtkMRMLScriptedModuleNode()
            node.SetSingletonTag(self.moduleName)
            node.SetAttribute("ModuleName", self.moduleName)
            node = slicer.mrmlScene.AddNode(node)
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    def delayDisplay(self, message: str) -> None:
        logging.getLogger(__name__).info(message)


def install() -> None:
    """Fill the gaps in `slicer` and `sys.modules`, and make the scene; once for each process."""
    scene = slicer.vtkMRMLScene()
    slicer.mrmlScene = scene
    slicer.app = Application(_installWidgets())
    applicationLogic = slicer.vtkSlicerApplicationLogic()
    applicationLogic.SetMRMLScene(scene)
    colors = _logic(slicer.vtkMRMLColorLogic(), "Colors", applicationLogic)
    colors.AddDefaultColorNodes()
    slicer.modules = types.SimpleNamespace(  # the logics live as long as these
        colors=Module(colors),
        braintumorseg=Module(path=str(MODULE_FILE)),
        segmentations=Module(_logic(slicer.vtkSlicerSegmentationsModuleLogic(), "Segmentations", applicationLogic)),
        terminologies=Module(_logic(slicer.vtkSlicerTerminologiesModuleLogic(), "Terminologies", applicationLogic, _terminologyFolder())),
    )
    slicer.applicationLogic = applicationLogic  # kept alive here
    _module("slicer.ScriptedLoadableModule", ScriptedLoadableModule, ScriptedLoadableModuleWidget, ScriptedLoadableModuleLogic, ScriptedLoadableModuleTest)
    _module("slicer.parameterNodeWrapper", *(getattr(standin_parameters, name) for name in ("Choice", "Default", "WithinRange", "parameterNodeWrapper")))
    _module("slicer.i18n", tr, translate)
    sys.path.insert(0, str(MODULE_FILE.parent))  # as Slicer does for a module's folder


def _installWidgets() -> typing.Any:
    """The modules `qt` and `ctk` and the qMRML widgets, where PySide6 is there (tier 2); else the modules are importable, and empty."""
    if not HAS_WIDGETS:
        for name in ("qt", "ctk"):
            sys.modules[name] = types.ModuleType(name, "not in the test host")
        return None
    import standin_ctk
    import standin_qmrml
    import standin_qt

    sys.modules["qt"], sys.modules["ctk"] = standin_qt.module(), standin_ctk.module()
    for kind in standin_qmrml.CLASSES:
        setattr(slicer, kind.__name__, kind)
    return standin_qt.application()


def tr(text: str) -> str:
    """The context is the calling file, with its package; a translation that loses a place for a value is passed over."""
    path = Path(sys._getframe(1).f_code.co_filename)
    package = f"{path.parent.name}." if (path.parent / "__init__.py").is_file() else ""
    translated = translate(package + path.stem, text)
    return translated if _places(translated) == _places(text) else text


def translate(context: str, text: str) -> str:
    return slicer.app.translate(context, text)


def _places(text: str) -> set[str]:
    return set(re.findall(r"(?<!{){([^{}]+)}(?!})", text))


def _module(name: str, *members: typing.Any) -> None:
    module = types.ModuleType(name)
    for member in members:
        setattr(module, member.__name__, member)
    sys.modules[name] = module
    setattr(slicer, name.rpartition(".")[2], module)


def _logic(logic: typing.Any, name: str, applicationLogic: slicer.vtkSlicerApplicationLogic, shareFolder: str = "") -> typing.Any:
    if shareFolder:  # before the scene: it reads its files then
        logic.SetModuleShareDirectory(shareFolder)
    logic.SetMRMLScene(slicer.mrmlScene)
    if hasattr(logic, "SetMRMLApplicationLogic"):
        logic.SetMRMLApplicationLogic(applicationLogic)
    applicationLogic.SetModuleLogic(name, logic)
    return logic


def _terminologyFolder() -> str:
    """Slicer's default lists, cut down to one code each, where the terminologies logic looks for them."""
    folder = Path(tempfile.mkdtemp(prefix="terminology"))
    brain = {"CodeMeaning": "Brain", "CodingSchemeDesignator": "SCT", "CodeValue": "12738006"}
    tissue = {"CodeMeaning": "Tissue", "CodingSchemeDesignator": "SCT", "CodeValue": "85756007"}
    schema = "https://raw.githubusercontent.com/qiicr/dcmqi/master/doc/{}-context-schema.json#"
    for name in ("SlicerGeneralAnatomy", "DICOM-Master"):
        category = {**tissue, "showAnatomy": True, "Type": [{**tissue, "recommendedDisplayRGBValue": [128, 174, 128]}]}
        document = {"SegmentationCategoryTypeContextName": name, "@schema": schema.format("segment"), "SegmentationCodes": {"Category": [category]}}
        (folder / f"SegmentationCategoryTypeModifier-{name}.term.json").write_text(json.dumps(document))
    regions = {"AnatomicContextName": "Anatomic codes - DICOM master list", "@schema": schema.format("anatomic"), "AnatomicCodes": {"AnatomicRegion": [brain]}}
    (folder / "AnatomicRegionAndModifier-DICOM-Master.term.json").write_text(json.dumps(regions))
    return str(folder)


class VtkMessages:
    """Collects what VTK reports; the instance must be kept for as long as it shall listen."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._window = vtk.vtkOutputWindow()
        self._window.SetDisplayModeToNever()
        self._window.AddObserver("ErrorEvent", self._collect)
        self._window.AddObserver("WarningEvent", self._collect)
        vtk.vtkOutputWindow.SetInstance(self._window)

    @vtk.calldata_type(vtk.VTK_STRING)
    def _collect(self, caller: typing.Any, event: str, text: str) -> None:
        self.texts.append(text)
