"""NOT Slicer: the qMRML widgets that the panels use, over PySide6 and the real MRML scene, written from Slicer's public documentation."""

from __future__ import annotations

import functools
import typing

import slicer
import vtk
from PySide6.QtCore import Property, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget
from standin_qt import CUSTOM_WIDGETS, pythonQtClass

_Widget = pythonQtClass(QWidget)


class qMRMLWidget(_Widget):
    """A widget that passes the scene on to its children."""

    mrmlSceneChanged = Signal(object)
    SIGNALS: typing.ClassVar = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: typing.Any = None

    def mrmlScene(self) -> slicer.vtkMRMLScene | None:
        return self._scene

    def setMRMLScene(self, scene: slicer.vtkMRMLScene | None) -> None:
        if scene is not self._scene:
            self._scene = scene
            self._onScene(scene)
            self.mrmlSceneChanged.emit(scene)

    def _onScene(self, scene: slicer.vtkMRMLScene | None) -> None:
        """For stand-ins that show nodes."""


class qMRMLNodeComboBox(qMRMLWidget):
    """Chooses a node of the scene among those of the given types."""

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)
    SIGNALS: typing.ClassVar = {
        **qMRMLWidget.SIGNALS,
        "currentNodeChanged(vtkMRMLNode*)": "currentNodeChanged",
        "currentNodeChanged(bool)": "currentNodeChanged",
        "currentNodeIDChanged(QString)": "currentNodeIDChanged",
    }

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QComboBox(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._types: list[str] = []
        self._flags: dict[str, typing.Any] = {"noneEnabled": False, "showChildNodeTypes": True, "showHidden": False, "noneDisplay": "None"}
        self._tags: list[tuple[typing.Any, int]] = []
        self._ids: list[str] = []
        self._current = ""
        self._box.activated.connect(lambda index: self._choose(self._ids[index]))
        self.destroyed.connect(functools.partial(_stopListening, self._tags))

    def currentNode(self) -> slicer.vtkMRMLNode | None:
        scene = self.mrmlScene()
        return scene.GetNodeByID(self._current) if scene is not None and self._current else None

    def setCurrentNode(self, node: slicer.vtkMRMLNode | None) -> None:
        self.setCurrentNodeID(node.GetID() if node is not None else "")

    def setCurrentNodeID(self, nodeId: str) -> None:
        """As documented, a node that is not offered is not chosen."""
        self._choose(nodeId if nodeId in self._ids else "")

    def currentNodeIDText(self) -> str:
        return self._current

    def nodeCount(self) -> int:
        return len([nodeId for nodeId in self._ids if nodeId])

    def getNodeTypes(self) -> list[str]:
        return self._types

    def setNodeTypes(self, types: typing.Sequence[str]) -> None:
        self._types = list(types)
        self._fill()

    def _onScene(self, scene: slicer.vtkMRMLScene | None) -> None:
        _stopListening(self._tags)
        if scene is not None:
            events = (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent)
            self._tags += [(scene, scene.AddObserver(event, self._onSceneEvent)) for event in events]
        self._fill()

    def _onSceneEvent(self, caller: typing.Any, event: str) -> None:
        self._fill()

    def _fill(self) -> None:
        scene = self.mrmlScene()
        nodes = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())] if scene is not None else []
        offered = [node for node in nodes if self._offers(node)]
        self._ids = ([""] if self._flags["noneEnabled"] else []) + [node.GetID() for node in offered]
        self._box.clear()
        self._box.addItems(([self._flags["noneDisplay"]] if self._flags["noneEnabled"] else []) + [node.GetName() for node in offered])
        lost = self._current not in self._ids
        self._choose((self._ids[0] if self._ids else "") if lost else self._current)

    def _offers(self, node: slicer.vtkMRMLNode) -> bool:
        if node.GetHideFromEditors() and not self._flags["showHidden"]:
            return False
        return any(node.IsA(kind) if self._flags["showChildNodeTypes"] else node.GetClassName() == kind for kind in self._types)

    def _choose(self, nodeId: str) -> None:
        changed, self._current = nodeId != self._current, nodeId
        self._box.setCurrentIndex(self._ids.index(nodeId) if nodeId in self._ids else -1)
        if changed:
            self.currentNodeChanged.emit(self.currentNode())
            self.currentNodeIDChanged.emit(nodeId)

    def _setFlag(self, name: str, value: typing.Any) -> None:
        self._flags[name] = value
        self._fill()

    nodeTypes = Property("QStringList", getNodeTypes, setNodeTypes)
    currentNodeID = Property(str, currentNodeIDText, setCurrentNodeID)
    noneEnabled = Property(bool, lambda self: self._flags["noneEnabled"], lambda self, value: self._setFlag("noneEnabled", value))
    noneDisplay = Property(str, lambda self: self._flags["noneDisplay"], lambda self, value: self._setFlag("noneDisplay", value))
    showHidden = Property(bool, lambda self: self._flags["showHidden"], lambda self, value: self._setFlag("showHidden", value))
    showChildNodeTypes = Property(bool, lambda self: self._flags["showChildNodeTypes"], lambda self, value: self._setFlag("showChildNodeTypes", value))
    # Buttons of the real one's menu, which the stand-in lacks.
    addEnabled = Property(bool, lambda self: False, lambda self, value: None)
    removeEnabled = Property(bool, lambda self: False, lambda self, value: None)
    renameEnabled = Property(bool, lambda self: False, lambda self, value: None)
    selectNodeUponCreation = Property(bool, lambda self: True, lambda self, value: None)


def _stopListening(tags: list[tuple[typing.Any, int]]) -> None:
    for scene, tag in tags:
        scene.RemoveObserver(tag)
    tags.clear()


class qMRMLTableView(pythonQtClass(QTableWidget)):  # type: ignore[misc]
    """Shows a table node."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._node: typing.Any = None

    def setMRMLScene(self, scene: slicer.vtkMRMLScene | None) -> None:
        """The stand-in needs no scene."""

    def mrmlTableNode(self) -> slicer.vtkMRMLTableNode | None:
        return self._node

    def setMRMLTableNode(self, node: slicer.vtkMRMLTableNode | None) -> None:
        self._node = node
        table = node.GetTable() if node is not None else vtk.vtkTable()
        rows, columns = table.GetNumberOfRows(), table.GetNumberOfColumns()
        self.setRowCount(rows)
        self.setColumnCount(columns)
        self.setHorizontalHeaderLabels([table.GetColumnName(column) for column in range(columns)])
        for row in range(rows):
            for column in range(columns):
                self.setItem(row, column, QTableWidgetItem(table.GetValue(row, column).ToString()))


class qMRMLSegmentEditorWidget(qMRMLWidget):
    """The Segment Editor's widget: what is set on it lands on its parameter set node; undo keeps whole segmentations, as documented."""

    currentSegmentIDChanged = Signal(str)
    segmentationNodeChanged = Signal(object)
    sourceVolumeNodeChanged = Signal(object)
    SIGNALS: typing.ClassVar = {
        **qMRMLWidget.SIGNALS,
        "currentSegmentIDChanged(QString)": "currentSegmentIDChanged",
        "segmentationNodeChanged(vtkMRMLSegmentationNode*)": "segmentationNodeChanged",
        "sourceVolumeNodeChanged(vtkMRMLVolumeNode*)": "sourceVolumeNodeChanged",
    }

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._node: typing.Any = None
        self._history = slicer.vtkSegmentationHistory()
        self._shortcuts = False
        self._choosers = {"segmentationNodeSelectorVisible": True, "sourceVolumeNodeSelectorVisible": True, "switchToSegmentationsButtonVisible": True}
        self._label = QLabel("(the segment editor of Slicer)", self)
        QVBoxLayout(self).addWidget(self._label)
        self.setMinimumHeight(120)

    def mrmlSegmentEditorNode(self) -> slicer.vtkMRMLSegmentEditorNode | None:
        return self._node

    def setMRMLSegmentEditorNode(self, node: slicer.vtkMRMLSegmentEditorNode | None) -> None:
        self._node = node

    def segmentationNode(self) -> slicer.vtkMRMLSegmentationNode | None:
        return self._node.GetSegmentationNode() if self._node is not None else None

    def setSegmentationNode(self, node: slicer.vtkMRMLSegmentationNode | None) -> None:
        self._needNode()
        self._node.SetAndObserveSegmentationNode(node)
        self._history.RemoveAllStates()
        self._history.SetSegmentation(node.GetSegmentation() if node is not None else None)
        self.segmentationNodeChanged.emit(node)

    def sourceVolumeNode(self) -> slicer.vtkMRMLVolumeNode | None:
        return self._node.GetSourceVolumeNode() if self._node is not None else None

    def setSourceVolumeNode(self, node: slicer.vtkMRMLVolumeNode | None) -> None:
        self._needNode()
        self._node.SetAndObserveSourceVolumeNode(node)
        self.sourceVolumeNodeChanged.emit(node)

    def currentSegmentID(self) -> str:
        return (self._node.GetSelectedSegmentID() or "") if self._node is not None else ""

    def setCurrentSegmentID(self, segmentId: str) -> None:
        self._needNode()
        self._node.SetSelectedSegmentID(segmentId)
        self.currentSegmentIDChanged.emit(segmentId)

    def saveStateForUndo(self) -> None:
        self._history.SaveState()

    def undo(self) -> None:
        self._history.RestorePreviousState()

    def redo(self) -> None:
        self._history.RestoreNextState()

    def installKeyboardShortcuts(self) -> None:
        self._shortcuts = True

    def uninstallKeyboardShortcuts(self) -> None:
        self._shortcuts = False

    def setupViewObservations(self) -> None:
        """There are no views."""

    def removeViewObservations(self) -> None:
        """There are no views."""

    def setActiveEffect(self, effect: None) -> None:
        """Only to put the tool away."""
        if self._node is not None:
            self._node.SetActiveEffectName("")

    def setActiveEffectByName(self, name: str) -> None:
        self._needNode()
        self._node.SetActiveEffectName(name)

    def _needNode(self) -> None:
        if self._node is None:
            raise RuntimeError("set the parameter set node of the segment editor widget first")

    segmentationNodeSelectorVisible = Property(bool, lambda self: self._choosers["segmentationNodeSelectorVisible"], lambda self, value: None)
    sourceVolumeNodeSelectorVisible = Property(bool, lambda self: self._choosers["sourceVolumeNodeSelectorVisible"], lambda self, value: None)
    switchToSegmentationsButtonVisible = Property(bool, lambda self: self._choosers["switchToSegmentationsButtonVisible"], lambda self, value: None)
    maximumNumberOfUndoStates = Property(
        int, lambda self: self._history.GetMaximumNumberOfStates(), lambda self, count: self._history.SetMaximumNumberOfStates(count)
    )


CLASSES = (qMRMLWidget, qMRMLNodeComboBox, qMRMLTableView, qMRMLSegmentEditorWidget)
CUSTOM_WIDGETS.update({kind.__name__: kind for kind in CLASSES})
