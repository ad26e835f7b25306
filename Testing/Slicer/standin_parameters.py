"""NOT Slicer: `slicer.parameterNodeWrapper`, for the types and widgets that the module uses; another type raises.

Written from the developer guide (parameter nodes: supported types, defaults, validators, GUI connection). As documented, several node types
are a typing.Union with None in it, an unbounded QSpinBox is not limited, a QComboBox needs an Enum or a Choice.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import typing

import slicer
import slicer.util
import vtk


@dataclasses.dataclass(frozen=True)
class WithinRange:
    minimum: float
    maximum: float


@dataclasses.dataclass(frozen=True)
class Choice:
    choices: typing.Sequence[typing.Any]


@dataclasses.dataclass(frozen=True)
class Default:
    value: typing.Any


class _Parameter:
    """One typed value on the scripted module node: as text, or as a node reference."""

    def __init__(self, owner: type, name: str, hint: typing.Any) -> None:
        self.name = name
        plain, *annotations = (typing.get_origin(hint) is typing.Annotated and typing.get_args(hint)) or (hint,)
        self.kind = plain
        self.annotations = annotations
        self.isNode = _isNodeType(plain) or _isUnionOfNodeTypesAndNone(plain)
        if not self.isNode and not (plain in (str, int, float, bool, dict) or plain == list[str] or _isEnum(plain)):
            raise TypeError(f"the test host stores no parameter of type {plain}")
        default = next((item.value for item in annotations if isinstance(item, Default)), None)
        self.default = owner.__dict__.get(name, self._zero() if default is None else default)

    def read(self, node: slicer.vtkMRMLScriptedModuleNode) -> typing.Any:
        if self.isNode:
            return node.GetNodeReference(self.name)
        text = node.GetParameter(self.name)
        if self.kind is str:
            return text
        return self.kind[text] if _isEnum(self.kind) else json.loads(text)

    def write(self, node: slicer.vtkMRMLScriptedModuleNode, value: typing.Any) -> None:
        if self.isNode:
            node.SetNodeReferenceID(self.name, value.GetID() if value is not None else None)
            return
        self._check(value)
        node.SetParameter(self.name, value if self.kind is str else value.name if _isEnum(self.kind) else json.dumps(value))

    def isIn(self, node: slicer.vtkMRMLScriptedModuleNode) -> bool:
        return self.isNode or self.name in node.GetParameterNamesAsCommaSeparatedList().split(",")

    def range(self) -> WithinRange | None:
        return next((item for item in self.annotations if isinstance(item, WithinRange)), None)

    def _check(self, value: typing.Any) -> None:
        kind = typing.get_origin(self.kind) or self.kind
        if not isinstance(value, kind) and not (kind is float and isinstance(value, int)):
            raise TypeError(f"{self.name} holds {kind.__name__}, not {value!r}")
        limits = self.range()
        if limits is not None and not limits.minimum <= value <= limits.maximum:
            raise ValueError(f"{self.name} must be within {limits.minimum} and {limits.maximum}, not {value}")

    def _zero(self) -> typing.Any:
        if self.isNode:
            return None
        return next(iter(self.kind)) if _isEnum(self.kind) else (typing.get_origin(self.kind) or self.kind)()


def parameterNodeWrapper(cls: type) -> type:
    """Typed properties over a vtkMRMLScriptedModuleNode, and their connection to widgets."""
    hints = typing.get_type_hints(cls, include_extras=True)
    parameters = {name: _Parameter(cls, name, hint) for name, hint in hints.items()}
    for name, parameter in parameters.items():
        setattr(cls, name, property(lambda self, p=parameter: p.read(self.parameterNode), lambda self, value, p=parameter: p.write(self.parameterNode, value)))
    cls.__init__ = _initialize  # type: ignore[misc]
    for name, member in {**_Wrapper.__dict__, "allParameters": parameters}.items():
        if not name.startswith("__"):
            setattr(cls, name, member)
    return cls


def _initialize(self: typing.Any, parameterNode: slicer.vtkMRMLScriptedModuleNode) -> None:
    self.parameterNode = parameterNode
    self._bound = {}
    self._updatingGui = False
    with slicer.util.NodeModify(parameterNode):
        for parameter in self.allParameters.values():
            if not parameter.isIn(parameterNode):
                parameter.write(parameterNode, parameter.default)


class _Wrapper:
    """What the wrapper has besides the parameters."""

    def connectGui(self: typing.Any, ui: typing.Any) -> int:
        widgets = {widget.property("SlicerParameterName"): widget for widget in ui.__dict__.values()}
        tag = len(self._bound)
        self._bound[tag] = [_Binding(self, self.allParameters[name], widget) for name, widget in widgets.items() if name]
        return tag

    def disconnectGui(self: typing.Any, tag: int | None) -> None:
        for binding in self._bound.get(tag, ()):
            binding.disconnect()
        if tag in self._bound:
            self._bound[tag] = []

    def StartModify(self: typing.Any) -> int:
        return self.parameterNode.StartModify()

    def EndModify(self: typing.Any, wasModifying: int) -> int:
        return self.parameterNode.EndModify(wasModifying)

    def AddObserver(self: typing.Any, event: typing.Any, callback: typing.Callable[..., None], priority: float = 0.0) -> int:
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self: typing.Any, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def Modified(self: typing.Any) -> None:
        self.parameterNode.Modified()


class _Binding:
    """One parameter and one widget that follow each other."""

    def __init__(self, wrapper: typing.Any, parameter: _Parameter, widget: typing.Any) -> None:
        self._wrapper, self._parameter, self._widget = wrapper, parameter, widget
        signal, self._read, self._write = _connectors(parameter, widget)
        self._show()
        self._signal = getattr(widget, signal)
        self._signal.connect(self._onWidget)
        self._tag = wrapper.parameterNode.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: self._show())

    def disconnect(self) -> None:
        self._signal.disconnect(self._onWidget)
        self._wrapper.parameterNode.RemoveObserver(self._tag)

    def _show(self) -> None:
        if self._wrapper._updatingGui:
            return
        self._wrapper._updatingGui = True
        try:
            self._write(self._parameter.read(self._wrapper.parameterNode))
        finally:
            self._wrapper._updatingGui = False

    def _onWidget(self, *ignored: typing.Any) -> None:
        if not self._wrapper._updatingGui:
            self._parameter.write(self._wrapper.parameterNode, self._read())


def _connectors(parameter: _Parameter, widget: typing.Any) -> tuple[str, typing.Callable[[], typing.Any], typing.Callable[[typing.Any], None]]:
    """Signal, reader and writer of a widget; a pair of type and widget that Slicer cannot connect raises."""
    kind, className = parameter.kind, widget.className()
    if parameter.isNode and className == "qMRMLNodeComboBox":
        return "currentNodeChanged", widget.currentNode, widget.setCurrentNode
    if kind is bool and className in ("QCheckBox", "QPushButton"):
        return "toggled", lambda: widget.checked, widget.setChecked
    if (kind is int and className in ("QSpinBox", "QSlider")) or (kind is float and className in ("QDoubleSpinBox", "ctkSliderWidget")):
        limits = parameter.range() or WithinRange(*((-(2**31), 2**31 - 1) if kind is int else (-1e9, 1e9)))
        widget.minimum, widget.maximum = limits.minimum, limits.maximum
        return "valueChanged", lambda: widget.value, lambda value: setattr(widget, "value", value)
    if kind is str and className == "QLineEdit":
        return "textChanged", lambda: widget.text, widget.setText
    choices = list(kind) if _isEnum(kind) else next((item.choices for item in parameter.annotations if isinstance(item, Choice)), None)
    if className == "QComboBox" and choices:
        widget.clear()
        widget.addItems([choice.label() if hasattr(choice, "label") else getattr(choice, "name", str(choice)) for choice in choices])
        return "currentIndexChanged", lambda: choices[widget.currentIndex], lambda value: widget.setCurrentIndex(list(choices).index(value))
    raise RuntimeError(f"unable to connect a parameter of type {kind} to a {className}")


def _isEnum(kind: typing.Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _isNodeType(kind: typing.Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)


def _isUnionOfNodeTypesAndNone(kind: typing.Any) -> bool:
    *kinds, last = typing.get_args(kind) or (None,)
    return typing.get_origin(kind) is typing.Union and last is type(None) and all(map(_isNodeType, kinds))
