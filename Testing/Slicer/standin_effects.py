"""NOT Slicer: the host side of scripted Segment Editor effects, over slicer-core's real vtkSlicerSegmentEditorLogic.

In Slicer the effects' C++ adaptor and the Segment Editor widget stand between an effect and that logic. The stand-ins here are written from
the public headers and documentation and do only what the tests need; masking, overwriting and undo are the real ones.
"""

from __future__ import annotations

import importlib.util
import sys
import types
import typing
from pathlib import Path

import slicer


class AbstractScriptedSegmentEditorEffect:
    """Base class of scripted effects: keeps the adaptor and registers it."""

    def __init__(self, scriptedEffect: typing.Any) -> None:
        self.scriptedEffect = scriptedEffect

    def register(self) -> None:
        qSlicerSegmentEditorEffectFactory().instance().registerEffect(self.scriptedEffect)


class qSlicerSegmentEditorAbstractEffect:
    """The modification modes, numbered as in the C++ header."""

    ModificationModeSet, ModificationModeAdd, ModificationModeRemove, ModificationModeRemoveAll = range(4)


class qSlicerSegmentEditorEffectFactory:
    """One list of effects; a second one of a name is refused."""

    _effects: typing.ClassVar[dict[str, typing.Any]] = {}

    def instance(self) -> qSlicerSegmentEditorEffectFactory:
        return self

    def registerEffect(self, effect: typing.Any) -> bool:
        if effect.name in self._effects:
            return False
        self._effects[effect.name] = effect
        return True

    def registeredEffects(self) -> list[typing.Any]:
        return list(self._effects.values())

    def clear(self) -> None:
        """Not in Slicer: for the next test."""
        self._effects.clear()


class qSlicerSegmentEditorScriptedEffect:
    """The adaptor that an effect talks to as `scriptedEffect`. Segments are changed by the real logic."""

    def __init__(self, parent: None = None) -> None:
        self.name = self.title = ""
        self.perSegment = self.requireSegments = self.showEffectCursorInSliceView = True
        self.logic: slicer.vtkSlicerSegmentEditorLogic | None = None
        self._self: typing.Any = None
        self._node: slicer.vtkMRMLSegmentEditorNode | None = None
        self._form: typing.Any = None

    def setPythonSource(self, path: str) -> bool:
        """As in C++: the module is called like the folder, the class like the file, which must end with "Effect"."""
        source = Path(path)
        className = source.stem if source.stem.endswith("Effect") else source.stem + "Effect"
        module = sys.modules.setdefault(source.parent.name, types.ModuleType(source.parent.name))
        if not hasattr(module, className):
            spec = importlib.util.spec_from_file_location(source.parent.name, path)
            module = sys.modules[source.parent.name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        self._self = getattr(module, className)(self)
        return True

    def self(self) -> typing.Any:
        return self._self

    def clone(self) -> typing.Any:
        return self._self.clone()

    # The options frame
    def setup(self, layout: typing.Any) -> None:
        """Not in Slicer: build the options in a form layout."""
        self._form = layout
        self._self.setupOptionsFrame()

    def addOptionsWidget(self, added: typing.Any) -> None:
        self._form.addRow(added)

    def addLabeledOptionsWidget(self, label: str, added: typing.Any) -> None:
        self._form.addRow(label, added)

    # Parameters
    def parameterSetNode(self) -> slicer.vtkMRMLSegmentEditorNode | None:
        return self._node

    def parameter(self, name: str) -> str:
        return self._node.GetAttribute(f"{self.name}.{name}") or ""

    def integerParameter(self, name: str) -> int:
        return int(self.parameter(name))

    def setParameter(self, name: str, value: typing.Any) -> None:
        if self.parameter(name) != str(value):
            self._node.SetAttribute(f"{self.name}.{name}", str(value))
            self._self.updateGUIFromMRML()

    def setParameterDefault(self, name: str, value: typing.Any) -> None:
        if self._node.GetAttribute(f"{self.name}.{name}") is None:
            self.setParameter(name, value)

    def nodeReference(self, name: str) -> slicer.vtkMRMLNode | None:
        return self._node.GetNodeReference(f"{self.name}.{name}")

    def setNodeReference(self, name: str, node: slicer.vtkMRMLNode | None) -> None:
        self._node.SetNodeReferenceID(f"{self.name}.{name}", node.GetID() if node is not None else None)

    # The segmentation
    def edit(self, editorNode: slicer.vtkMRMLSegmentEditorNode) -> None:
        """Not in Slicer: be the chosen effect of an editor with this parameter set."""
        self._node = editorNode
        self.logic = slicer.vtkSlicerSegmentEditorLogic()
        self.logic.SetMRMLScene(slicer.mrmlScene)
        self.logic.SetSegmentEditorNode(editorNode)
        history = slicer.vtkSegmentationHistory()
        history.SetSegmentation(editorNode.GetSegmentationNode().GetSegmentation())
        self.logic.SetSegmentationHistory(history)
        self._self.setMRMLDefaults()
        self._self.activate()

    def confirmCurrentSegmentVisible(self) -> int:
        return 1

    def defaultModifierLabelmap(self) -> slicer.vtkOrientedImageData:
        self.logic.ResetModifierLabelmapToDefault()
        return self.logic.GetModifierLabelmap()

    def selectedSegmentLabelmap(self) -> slicer.vtkOrientedImageData:
        self.logic.UpdateSelectedSegmentLabelmap()
        return self.logic.GetSelectedSegmentLabelmap()

    def saveStateForUndo(self) -> None:
        self.logic.SaveStateForUndo()

    def modifySelectedSegmentByLabelmap(self, modifier: slicer.vtkOrientedImageData, mode: int, bypassMasking: bool = False) -> None:
        """As the C++ adaptor, which asks the widget for the mask and the aligned source volume where masking needs them."""
        self.logic.UpdateReferenceGeometryImage()
        self.logic.UpdateMaskLabelmap()
        self.logic.UpdateAlignedSourceVolume()
        node = self._node
        modes = slicer.vtkSlicerSegmentEditorLogic
        known = (modes.ModificationModeSet, modes.ModificationModeAdd, modes.ModificationModeRemove, modes.ModificationModeRemoveAll)
        self.logic.ModifySegmentByLabelmap(node.GetSegmentationNode(), node.GetSelectedSegmentID(), modifier, known[mode], True, bypassMasking)


def install(monkeypatch: typing.Any) -> None:
    """Make the modules that an effect imports, and the classes that `slicer` has in the application, for one test."""
    effects = types.ModuleType("SegmentEditorEffects", __doc__)
    effects.AbstractScriptedSegmentEditorEffect = AbstractScriptedSegmentEditorEffect
    adaptors = types.ModuleType("qSlicerSegmentationsEditorEffectsPythonQt", __doc__)
    adaptors.qSlicerSegmentEditorScriptedEffect = qSlicerSegmentEditorScriptedEffect
    adaptors.qSlicerSegmentEditorEffectFactory = qSlicerSegmentEditorEffectFactory
    for module in (effects, adaptors):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(slicer, "qSlicerSegmentEditorAbstractEffect", qSlicerSegmentEditorAbstractEffect, raising=False)
    qSlicerSegmentEditorEffectFactory().clear()
