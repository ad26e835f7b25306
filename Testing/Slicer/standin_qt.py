"""NOT Slicer: `qt` as PythonQt shows it to Slicer's Python, over PySide6.

Written from the public documentation of PythonQt and Qt. A property is an attribute (`label.text = "..."`), a signal is connected by its
signature (`button.connect("clicked(bool)", slot)`), file dialogs return the path alone, and .ui files are loaded by `QUiLoader`.
A name, property or signal that does not exist raises, where PythonQt may only print.
"""

from __future__ import annotations

import functools
import os
import tempfile
import types
import typing
from xml.etree import ElementTree

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

_VIRTUAL = {"sizeHint", "minimumSizeHint"}
"""Also C++ virtual functions, which Python must not hide."""
CUSTOM_WIDGETS: dict[str, type] = {}
"""Classes of Slicer and CTK that .ui files may name; filled by `standin_ctk` and `standin_qmrml`."""


class Manners:
    """What PythonQt adds to every QObject."""

    SIGNALS: typing.ClassVar[dict[str, str]] = {}
    """Signals of stand-ins: documented C++ signature -> attribute."""

    def __getattribute__(self, name: str) -> typing.Any:
        # PySide answers these two names itself, whatever a base class says.
        return functools.partial(Manners._connect, self, name) if name in ("connect", "disconnect") else super().__getattribute__(name)

    def __setattr__(self, name: str, value: typing.Any) -> None:
        if not name.startswith("_") and not hasattr(type(self), name):
            raise AttributeError(f"{type(self).__name__} has no property {name}")
        super().__setattr__(name, value)

    @property
    def name(self) -> str:
        return QtCore.QObject.objectName(self)

    @name.setter
    def name(self, value: str) -> None:
        QtCore.QObject.setObjectName(self, value)

    def className(self) -> str:
        return type(self).__name__

    def _connect(self, verb: str, signature: str, slot: typing.Callable[..., typing.Any]) -> bool:
        if signature in self.SIGNALS:
            getattr(getattr(self, self.SIGNALS[signature]), verb)(slot)
            return True
        if self.metaObject().indexOfSignal(bytes(QtCore.QMetaObject.normalizedSignature(signature).data()).decode()) < 0:
            raise ValueError(f"{type(self).__name__} has no signal {signature}")
        return getattr(QtCore.QObject, verb)(self, QtCore.SIGNAL(signature), slot)

    def findChildren(self, kind: type, name: str = "") -> list[typing.Any]:
        wanted = (getattr(kind, "QT_CLASS", kind), *([name] if name else []))  # to PySide, "" is a name
        return QtCore.QObject.findChildren(self, *wanted)


def pythonQtClass(base: type, namespace: dict[str, typing.Any] | None = None) -> type:
    """A Qt class with PythonQt's manners, and `namespace` added to it."""
    meta = base.staticMetaObject
    names = {meta.property(index).name() for index in range(meta.propertyCount())} - _VIRTUAL - {"objectName"} | {"objectName"}
    if issubclass(base, QtWidgets.QProgressBar):
        names.discard("text")
    members: dict[str, typing.Any] = {name: _Attribute(name) for name in names}
    return type(base.__name__, (Manners, base), {**members, "QT_CLASS": base, **(namespace or {})})


class _Attribute:
    """A Qt property as an attribute of objects; of the class, the function of that name (`QTimer.singleShot`)."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: typing.Any, owner: typing.Any) -> typing.Any:
        return getattr(owner.QT_CLASS, self._name, self) if instance is None else QtCore.QObject.property(instance, self._name)

    def __set__(self, instance: typing.Any, value: typing.Any) -> None:
        if not QtCore.QObject.setProperty(instance, self._name, value):
            raise TypeError(f"{type(instance).__name__}.{self._name} cannot be {value!r}")


@functools.cache
def named(name: str) -> typing.Any:
    """`qt.<name>`."""
    if name in _REPLACED:
        return _REPLACED[name]
    for module in (QtCore, QtGui, QtWidgets):
        found = getattr(module, name, None)
        if isinstance(found, type) and issubclass(found, QtCore.QObject):
            return pythonQtClass(found)
        if found is not None:
            return found
    raise AttributeError(f"qt has no name {name}")


class QFileDialog:
    """Dialogs are not opened here; a test replaces the function it needs by one that returns a path."""

    DontUseNativeDialog = QtWidgets.QFileDialog.Option.DontUseNativeDialog

    @staticmethod
    def getOpenFileName(parent: typing.Any = None, caption: str = "", folder: str = "", filter: str = "") -> str:
        raise RuntimeError("no test answers this file dialog")

    @staticmethod
    def getSaveFileName(parent: typing.Any = None, caption: str = "", folder: str = "", filter: str = "") -> str:
        raise RuntimeError("no test answers this file dialog")

    @staticmethod
    def getExistingDirectory(parent: typing.Any = None, caption: str = "", folder: str = "") -> str:
        raise RuntimeError("no test answers this folder dialog")


class QUiLoader:
    """Loads a .ui file; a class, property, signal or slot that does not exist raises."""

    def load(self, file: QtCore.QFile) -> QtWidgets.QWidget:
        root = ElementTree.fromstring(bytes(file.readAll()))
        connections = list(root.iter("connection"))
        for element in root.findall("connections"):
            root.remove(element)
        buffer = QtCore.QBuffer()
        buffer.setData(ElementTree.tostring(root))
        loader = _Loader()
        widget = loader.load(buffer)
        for element in root.iter("widget"):
            _checkProperties(loader.made[element.get("name")], element)
        for connection in connections:
            sender, signal, receiver, slot = (connection.findtext(tag) for tag in ("sender", "signal", "receiver", "slot"))
            loader.made[sender].connect(signal, getattr(loader.made[receiver], slot.partition("(")[0]))
        return widget


class _Loader(QtUiTools.QUiLoader):
    def __init__(self) -> None:
        super().__init__()
        self.made: dict[str, typing.Any] = {}

    def createWidget(self, className: str, parent: QtWidgets.QWidget | None = None, name: str = "") -> QtWidgets.QWidget:
        kind = CUSTOM_WIDGETS.get(className) or named(className)
        widget = kind(parent)
        widget.setObjectName(name)
        self.made[name] = widget
        return widget


def _checkProperties(widget: typing.Any, element: ElementTree.Element) -> None:
    for item in element.findall("property"):
        if item.get("stdset") != "0" and widget.metaObject().indexOfProperty(item.get("name")) < 0:
            raise ValueError(f"{element.get('class')} {element.get('name')} has no property {item.get('name')}")


_REPLACED = {"QFileDialog": QFileDialog, "QUiLoader": QUiLoader}


def module() -> types.ModuleType:
    """The module `qt`, with an application without a screen and settings that nobody keeps."""
    QtCore.QCoreApplication.setOrganizationName("not Slicer")
    QtCore.QCoreApplication.setApplicationName("test host")
    QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
    QtCore.QSettings.setPath(QtCore.QSettings.Format.IniFormat, QtCore.QSettings.Scope.UserScope, tempfile.mkdtemp(prefix="settings"))
    qt = types.ModuleType("qt", __doc__)
    qt.__dict__["__getattr__"] = named
    return qt


def application() -> QtWidgets.QApplication:
    """The one application object."""
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication(["not Slicer"])
