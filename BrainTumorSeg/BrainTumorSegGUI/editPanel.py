"""Correcting a result: an embedded Segment Editor, the most uncertain slices first, and what was changed."""

from __future__ import annotations

import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from BrainTumorSegGUI import review
from BrainTumorSegGUI.editChanges import CHANGES_REFERENCE, showChanges
from BrainTumorSegGUI.editCopy import aiResultOf, editableNode, showAiOutline
from BrainTumorSegGUI.editRestore import restoreAi
from BrainTumorSegGUI.editText import reviewText, shortcutsText
from BrainTumorSegGUI.handover import EMBEDDED_TAG, prepareSegmentEditor, sourceVolume
from BrainTumorSegGUI.panel import Panel
from BrainTumorSegGUI.sentences import errorsShown, translated
from BrainTumorSegLib import api
from BrainTumorSegLib.api import InputError, ReviewPlan

UNDO_STEPS = 10
LONGEST_NAME_PIXELS = 150
"""A longer name of a segment goes on in a second line, so that the numbers are seen without scrolling."""


class EditPanel(Panel, VTKObservationMixin):
    """Edits the chosen segmentation. A model's result is edited as a copy, which then is the chosen segmentation."""

    def __init__(self, parentLayout, logic, parameterNode=None) -> None:
        VTKObservationMixin.__init__(self)
        self._editor = None  # made when it is first needed: a heavy widget
        self._edited: slicer.vtkMRMLSegmentationNode | None = None
        self._plan: ReviewPlan | None = None
        self._planProblem = ""
        self._postponed: list[int] = []
        self._visited: list[int] = []
        self._shortcuts: list[qt.QShortcut] = []
        super().__init__(parentLayout, logic, parameterNode)

    def setup(self) -> None:
        slots = {
            self.ui.editButton: self.onEdit,
            self.ui.fullEditorButton: self.onFullEditor,
            self.ui.reviewedButton: self.onReviewed,
            self.ui.laterButton: self.onLater,
            self.ui.backButton: self.onBack,
            self.ui.showAiCheckBox: self.onShowAi,
            self.ui.restoreSliceButton: self.onRestoreSlice,
            self.ui.restoreAllButton: self.onRestoreAll,
            self.ui.changesButton: self.onChanges,
        }
        for button, slot in slots.items():
            button.connect("clicked(bool)", slot)
        self.ui.shortcutsLabel.text = shortcutsText()

    def update(self) -> None:
        node = self.parameterNode.segmentation if self.parameterNode is not None else None
        if self._edited is not None and node is not self._edited:
            self._stop()
        editing = self._edited is not None
        self.ui.editButton.enabled = self.ui.fullEditorButton.enabled = node is not None
        self.ui.editButton.text = _("Stop editing") if editing else _("Edit")
        self.ui.editLabel.text = _editText(node, editing)
        self.ui.editLabel.visible = bool(self.ui.editLabel.text)
        self.ui.reviewGroup.visible = editing
        self.ui.aiGroup.visible = editing and aiResultOf(node) is not None
        self.ui.editorFrame.visible = editing
        if editing:
            self._showReview()
            self._showTable(node)

    def enter(self) -> None:
        self._listen(self._edited is not None)

    def exit(self) -> None:
        self._listen(False)

    def onSceneClosed(self) -> None:
        self._stop()

    def cleanup(self) -> None:
        self._stop()
        self.removeObservers()
        for shortcut in self._shortcuts:  # they belong to the main window
            shortcut.deleteLater()
        self._shortcuts.clear()

    def onEdit(self, checked: bool = False) -> None:
        if self._edited is not None:
            self._stop()
            self.update()
            return
        with errorsShown(_("The segmentation cannot be edited."), waitCursor=True):
            self._start(editableNode(self.parameterNode.segmentation))

    def onFullEditor(self, checked: bool = False) -> None:
        with errorsShown(_("The Segment Editor could not be opened.")):
            node = editableNode(self.parameterNode.segmentation)
            self.parameterNode.segmentation = node
            prepareSegmentEditor(node)
            slicer.util.selectModule("SegmentEditor")

    def onReviewed(self, checked: bool = False) -> None:
        shown = self._shown()
        if shown is not None:
            self._visited.append(shown)
            self._setReviewed(self._reviewed() | {shown})
        self._goOn()

    def onLater(self, checked: bool = False) -> None:
        shown = self._shown()
        self._postponed = [index for index in self._postponed if index != shown] + ([shown] if shown is not None else [])
        self._goOn()

    def onBack(self, checked: bool = False) -> None:
        if self._visited:
            index = self._visited.pop()
            self._setReviewed(self._reviewed() - {index})
            review.jumpToSlice(self._edited, self._plan, index)
        self._showReview()

    def onShowAi(self, checked: bool) -> None:
        showAiOutline(self._edited, checked)

    def onRestoreSlice(self, checked: bool = False) -> None:
        if self._shown() is not None:
            self._restore((self._plan.axis, self._shown()))

    def onRestoreAll(self, checked: bool = False) -> None:
        self._restore(None)

    def onChanges(self, checked: bool = False) -> None:
        with errorsShown(_("The changes could not be measured."), waitCursor=True):
            showChanges(self._edited)
            self._showTable(self._edited)

    def _start(self, node: slicer.vtkMRMLSegmentationNode) -> None:
        try:
            self._plan, self._planProblem = review.planReview(node), ""
        except InputError as error:  # it can be edited all the same
            self._plan, self._planProblem = None, translated(str(error))
        self._postponed, self._visited = [], []
        self._edited = node
        self.parameterNode.segmentation = node
        if sourceVolume(node) is not None:
            review.turnViewsToVolume(sourceVolume(node))
        self._openEditor(node)
        self._listen(True)
        self.update()
        self._goOn()

    def _stop(self) -> None:
        """The editor lets go of the segmentation, whose scene may be about to close."""
        self._listen(False)
        self._edited = self._plan = None
        if self._editor is not None and self._editor.mrmlSegmentEditorNode() is not None:
            self._editor.setSegmentationNode(None)

    def _openEditor(self, node: slicer.vtkMRMLSegmentationNode) -> None:
        editorNode = prepareSegmentEditor(node, EMBEDDED_TAG)
        if self._editor is None:
            self._editor = slicer.qMRMLSegmentEditorWidget()
            self._editor.maximumNumberOfUndoStates = UNDO_STEPS
            self._editor.setMRMLSegmentEditorNode(editorNode)  # before the scene, so that it keeps what the scene brings
            self._editor.setMRMLScene(slicer.mrmlScene)
            self._editor.segmentationNodeSelectorVisible = False  # chosen above
            self._editor.switchToSegmentationsButtonVisible = False
            self.ui.editorFrame.layout().addWidget(self._editor)
        self._editor.setMRMLSegmentEditorNode(editorNode)
        self._editor.setSegmentationNode(node)
        self._editor.setSourceVolumeNode(sourceVolume(node))

    def _listen(self, on: bool) -> None:
        """Keys and mouse belong to the editor only while this module is open and something is edited."""
        self.removeObservers()
        if self._editor is not None:
            self._editor.setActiveEffect(None)
            self._editor.uninstallKeyboardShortcuts()
            self._editor.removeViewObservations()
        if on:
            self._editor.setupViewObservations()
            self._editor.installKeyboardShortcuts()
            self._shortcuts = self._shortcuts or self._makeShortcuts()
            for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
                self.addObserver(view, vtk.vtkCommand.ModifiedEvent, self._onViewModified)
        for shortcut in self._shortcuts:
            shortcut.enabled = on

    def _makeShortcuts(self) -> list[qt.QShortcut]:
        made = []
        for key, slot in (("N", self.onReviewed), ("M", self.onLater), ("Shift+N", self.onBack)):
            shortcut = qt.QShortcut(slicer.util.mainWindow() or self.widget)
            shortcut.setKey(qt.QKeySequence(key))
            shortcut.connect("activated()", slot)
            made.append(shortcut)
        return made

    def _onViewModified(self, caller, event) -> None:
        self._showReview()

    def _reviewed(self) -> set[int]:
        return review.reviewedSlices(self._edited, self._plan) if self._plan is not None else set()

    def _setReviewed(self, slices: set[int]) -> None:
        review.setReviewedSlices(self._edited, self._plan, slices)

    def _shown(self) -> int | None:
        return review.shownSlice(self._edited, self._plan) if self._plan is not None else None

    def _goOn(self) -> None:
        """Show the most uncertain slice that is left."""
        index = api.next_slice(self._plan.slices, self._reviewed(), self._postponed) if self._plan is not None else None
        if index is not None:
            review.jumpToSlice(self._edited, self._plan, index)
        self._showReview()

    def _showReview(self) -> None:
        plan, reviewed, shown = self._plan, self._reviewed(), self._shown()
        self.ui.reviewLabel.text = reviewText(plan, reviewed, shown) if plan is not None else self._planProblem
        self.ui.reviewProgressBar.visible = plan is not None and bool(plan.slices)
        if plan is not None and plan.slices:
            self.ui.reviewProgressBar.maximum = len(plan.slices)
            self.ui.reviewProgressBar.value = len(reviewed.intersection(plan.slices))
        self.ui.reviewedButton.enabled = self.ui.restoreSliceButton.enabled = shown is not None
        self.ui.laterButton.enabled = plan is not None and bool(plan.slices)
        self.ui.backButton.enabled = bool(self._visited)

    def _showTable(self, node: slicer.vtkMRMLSegmentationNode) -> None:
        table = node.GetNodeReference(CHANGES_REFERENCE)
        self.ui.changesTable.setMRMLTableNode(table)
        self.ui.changesTable.resizeColumnsToContents()
        if self.ui.changesTable.columnWidth(0) > LONGEST_NAME_PIXELS:
            self.ui.changesTable.setColumnWidth(0, LONGEST_NAME_PIXELS)
        self.ui.changesTable.resizeRowsToContents()
        self.ui.changesTable.visible = table is not None

    def _restore(self, place: tuple[int, int] | None) -> None:
        with errorsShown(_("The AI result could not be restored."), waitCursor=True):
            restoreAi(self._edited, self._editor.saveStateForUndo, place)


def _editText(node: slicer.vtkMRMLSegmentationNode | None, editing: bool) -> str:
    if node is None:
        return _("Choose a segmentation first.")
    if not editing:
        return ""
    ai = aiResultOf(node)
    return _("Editing {name}. The AI result {ai} is kept.").format(name=node.GetName(), ai=ai.GetName()) if ai is not None else ""
