"""NOT Slicer: the CTK widgets that the panels use, over PySide6, written from CTK's public documentation."""

from __future__ import annotations

import types
import typing

from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QGroupBox, QHBoxLayout, QLineEdit, QMessageBox, QPushButton, QSlider, QWidget
from standin_qt import CUSTOM_WIDGETS, pythonQtClass

_Widget = pythonQtClass(QWidget)
_TITLE_HEIGHT = 24


class ctkCollapsibleButton(_Widget):
    """A titled section; collapsed, its children are hidden."""

    contentsCollapsed = Signal(bool)
    SIGNALS: typing.ClassVar = {"contentsCollapsed(bool)": "contentsCollapsed"}

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._collapsed = False
        self._title = QPushButton(self)
        self._title.setStyleSheet("text-align: left; padding-left: 6px; font-weight: bold")
        self._title.clicked.connect(lambda: self.setCollapsed(not self._collapsed))
        self.setContentsMargins(0, _TITLE_HEIGHT, 0, 0)

    def getText(self) -> str:
        return self._title.text()

    def setText(self, text: str) -> None:
        self._title.setText(text)

    def getCollapsed(self) -> bool:
        return self._collapsed

    def setCollapsed(self, collapsed: bool) -> None:
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        self._showChildren()
        self.contentsCollapsed.emit(collapsed)

    text = Property(str, getText, setText)
    collapsed = Property(bool, getCollapsed, setCollapsed)

    def resizeEvent(self, event: typing.Any) -> None:
        self._title.setGeometry(0, 0, event.size().width(), _TITLE_HEIGHT)

    def showEvent(self, event: typing.Any) -> None:
        self._showChildren()

    def _showChildren(self) -> None:
        """As CTK does it: the section shrinks to its title."""
        self.setMaximumHeight(_TITLE_HEIGHT if self._collapsed else 16777215)
        self.setMinimumHeight(_TITLE_HEIGHT if self._collapsed else 0)  # 0: as high as the contents need


class ctkCollapsibleGroupBox(pythonQtClass(QGroupBox)):  # type: ignore[misc]
    """A group box whose title collapses it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._collapsed = False

    def getCollapsed(self) -> bool:
        return self._collapsed

    def setCollapsed(self, collapsed: bool) -> None:
        self._collapsed = collapsed
        self.setMaximumHeight(_TITLE_HEIGHT if collapsed else 16777215)

    collapsed = Property(bool, getCollapsed, setCollapsed)


class ctkSliderWidget(_Widget):
    """A slider with a spin box, for numbers with decimals."""

    valueChanged = Signal(float)
    SIGNALS: typing.ClassVar = {"valueChanged(double)": "valueChanged"}

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider, self._spinBox = QSlider(self), QDoubleSpinBox(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self._slider, self._spinBox):
            layout.addWidget(part)
        self._slider.setOrientation(Qt.Orientation.Horizontal)
        self._spinBox.valueChanged.connect(self._onValue)
        self._slider.valueChanged.connect(lambda step: self._spinBox.setValue(self._spinBox.minimum() + step * self._spinBox.singleStep()))

    def _onValue(self, value: float) -> None:
        self._slider.blockSignals(True)
        self._slider.setRange(0, round((self._spinBox.maximum() - self._spinBox.minimum()) / self._spinBox.singleStep()))
        self._slider.setValue(round((value - self._spinBox.minimum()) / self._spinBox.singleStep()))
        self._slider.blockSignals(False)
        self.valueChanged.emit(value)

    value = Property(float, lambda self: self._spinBox.value(), lambda self, value: self._spinBox.setValue(value))
    minimum = Property(float, lambda self: self._spinBox.minimum(), lambda self, value: self._spinBox.setMinimum(value))
    maximum = Property(float, lambda self: self._spinBox.maximum(), lambda self, value: self._spinBox.setMaximum(value))
    singleStep = Property(float, lambda self: self._spinBox.singleStep(), lambda self, value: self._spinBox.setSingleStep(value))
    decimals = Property(int, lambda self: self._spinBox.decimals(), lambda self, value: self._spinBox.setDecimals(value))
    suffix = Property(str, lambda self: self._spinBox.suffix(), lambda self, value: self._spinBox.setSuffix(value))


class ctkPathLineEdit(_Widget):
    """A path, typed or (in CTK) browsed for."""

    currentPathChanged = Signal(str)
    SIGNALS: typing.ClassVar = {"currentPathChanged(QString)": "currentPathChanged"}

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._edit = QLineEdit(self)
        self._filters = 0
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._edit)
        self._edit.textChanged.connect(self.currentPathChanged.emit)

    def addCurrentPathToHistory(self) -> None:
        """The history is not kept here."""

    def setFilters(self, filters: typing.Any) -> None:
        """PythonQt passes the flags as an integer."""
        self._filters = filters

    currentPath = Property(str, lambda self: self._edit.text(), lambda self, path: self._edit.setText(path))
    filters = Property("QVariant", lambda self: self._filters, setFilters)
    settingKey = Property(str, lambda self: "", lambda self, key: None)


class ctkMessageBox(pythonQtClass(QMessageBox)):  # type: ignore[misc]
    """A message box that can be told not to come again."""

    dontShowAgainSettingsKey = Property(str, lambda self: "", lambda self, key: None)


CUSTOM_WIDGETS.update({kind.__name__: kind for kind in (ctkCollapsibleButton, ctkCollapsibleGroupBox, ctkSliderWidget, ctkPathLineEdit)})


def module() -> types.ModuleType:
    """The module `ctk`; any other name raises."""
    ctk = types.ModuleType("ctk", __doc__)
    for kind in (ctkCollapsibleButton, ctkCollapsibleGroupBox, ctkSliderWidget, ctkPathLineEdit, ctkMessageBox):
        setattr(ctk, kind.__name__, kind)
    return ctk
