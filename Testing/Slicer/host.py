"""NOT Slicer: the least of it that lets pytest import BrainTumorSeg.py and run its Logic on the real MRML of slicer-core.

slicer-core is the part of 3D Slicer without Qt: scene, nodes, storage, module logics and `slicer.util` are the real ones. Missing are the
application (`slicer.app`, `slicer.modules`), the base classes of scripted modules, translation, the parameter node wrapper, and Qt itself.
Their stand-ins here are written from the public documentation and do only what these tests need; every other name raises AttributeError.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import types
import typing
import unittest
from pathlib import Path

import slicer
import slicer.util
import vtk

ROOT = Path(__file__).resolve().parents[2]
MODULE_FILE = ROOT / "BrainTumorSeg" / "BrainTumorSeg.py"


class Application:
    """`slicer.app` of an application without a window, in testing mode."""

    def testingEnabled(self) -> bool:
        return True

    def processEvents(self) -> None:
        """There are no events."""

    def layoutManager(self) -> None:
        """As with --no-main-window."""


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
    """Widgets are not run here."""


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


def parameterNodeWrapper(cls: type) -> type:
    """Properties of type str and of MRML node types, stored on a vtkMRMLScriptedModuleNode; another type raises.

    As documented, several node types are a typing.Union with None in it (developer guide, parameter nodes, GUI connection).
    """

    def initialize(self: typing.Any, parameterNode: slicer.vtkMRMLScriptedModuleNode) -> None:
        self.parameterNode = parameterNode

    cls.__init__ = initialize
    for name, kind in typing.get_type_hints(cls).items():
        if kind is str:
            setattr(cls, name, _textProperty(name))
        elif _isNodeType(kind) or _isUnionOfNodeTypesAndNone(kind):
            setattr(cls, name, _nodeProperty(name))
        else:
            raise TypeError(f"the test host stores no parameter of type {kind}")
    return cls


def _isNodeType(kind: typing.Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)


def _isUnionOfNodeTypesAndNone(kind: typing.Any) -> bool:
    *kinds, last = typing.get_args(kind) or (None,)
    return typing.get_origin(kind) is typing.Union and last is type(None) and all(map(_isNodeType, kinds))


def _textProperty(name: str) -> property:
    return property(lambda self: self.parameterNode.GetParameter(name), lambda self, value: self.parameterNode.SetParameter(name, value))


def _nodeProperty(name: str) -> property:
    def write(self: typing.Any, node: slicer.vtkMRMLNode | None) -> None:
        self.parameterNode.SetNodeReferenceID(name, node.GetID() if node is not None else None)

    return property(lambda self: self.parameterNode.GetNodeReference(name), write)


def install() -> None:
    """Fill the gaps in `slicer` and `sys.modules`, and make the scene; once for each process."""
    scene = slicer.vtkMRMLScene()
    slicer.mrmlScene = scene
    slicer.app = Application()
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
    _module("slicer.parameterNodeWrapper", parameterNodeWrapper)
    _module("slicer.i18n", tr, translate)
    for name in ("qt", "ctk"):  # importable, and empty
        sys.modules[name] = types.ModuleType(name, "not in the test host")
    sys.path.insert(0, str(MODULE_FILE.parent))  # as Slicer does for a module's folder


def tr(text: str) -> str:
    return text


def translate(context: str, text: str) -> str:
    return text


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
