"""A folder of cases, one after the other: opened, corrected, saved as training reads them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import qt
import slicer
from slicer.i18n import tr as _

from BrainTumorSegGUI.panel import Panel
from BrainTumorSegGUI.parameters import inputNodes
from BrainTumorSegGUI.queueCases import addCase, imagesOf, readCase, removeCase
from BrainTumorSegGUI.queueOpenCase import OpenCase
from BrainTumorSegGUI.queueTask import QueueTask
from BrainTumorSegGUI.queueText import queueText, stateText, timeText
from BrainTumorSegGUI.review import turnViewsToVolume
from BrainTumorSegGUI.sentences import errorsShown, translated
from BrainTumorSegLib import api, labels
from BrainTumorSegLib.api import InputError

AUTOSAVE_MS = 60_000


class QueuePanel(Panel):
    """Shows the list, opens cases, and saves the chosen segmentation of the open one."""

    def __init__(self, parentLayout, logic, parameterNode=None) -> None:
        self._queue: api.CaseQueue | None = None
        self._open: OpenCase | None = None
        self._task = QueueTask()
        super().__init__(parentLayout, logic, parameterNode)

    def setup(self) -> None:
        slots = {
            self.ui.openQueueButton: self.onOpenQueue,
            self.ui.previousCaseButton: lambda checked=False: self._move(-1),
            self.ui.nextCaseButton: lambda checked=False: self._move(1),
            self.ui.saveCaseButton: lambda checked=False: self._save(explicit=True),
            self.ui.caseReviewedButton: lambda checked=False: self._finish(api.REVIEWED),
            self.ui.caseDoubtfulButton: lambda checked=False: self._finish(api.DOUBTFUL),
            self.ui.closeCaseButton: lambda checked=False: self._leave(self._refresh),
        }
        for button, slot in slots.items():
            button.connect("clicked(bool)", slot)
        self.ui.casesTable.connect("cellDoubleClicked(int,int)", self.onCaseChosen)
        self.ui.casesTable.setHorizontalHeaderLabels([_("Case"), _("State"), _("Time")])
        self.ui.casesTable.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.Stretch)
        self._autosave = qt.QTimer()
        self._autosave.setInterval(AUTOSAVE_MS)
        self._autosave.connect("timeout()", self.onAutosave)
        self._shortcuts = [self._shortcut("Shift+PgUp", -1), self._shortcut("Shift+PgDown", 1)]
        self._refresh()

    def update(self) -> None:
        if self.parameterNode is not None:
            for path, stored in ((self.ui.queueFolderPath, self.parameterNode.queueFolder), (self.ui.correctedFolderPath, self.parameterNode.correctedFolder)):
                if stored and not path.currentPath:
                    path.currentPath = stored
            if self._open is not None and not self._task.busy:
                with errorsShown(_("The list of cases could not be saved.")):
                    before = self._open.node
                    self._open.watch(self.parameterNode.segmentation)
                    if self._open.node is not before:
                        self._refresh()

    def enter(self) -> None:
        self._enableShortcuts(True)

    def exit(self) -> None:
        self._enableShortcuts(False)

    def onSceneClosed(self) -> None:
        """What was changed is saved, and waited for, before it goes."""
        self._task.finish()
        if self._open is not None and self.parameterNode is not None:
            with contextlib.suppress(InputError), errorsShown(_("The case could not be saved."), waitCursor=True):
                content = self._open.collect(inputNodes(self.parameterNode), explicit=False)
                if content is not None:
                    api.save_corrected(self._queue.corrected, self._open.name, content)
        self._forget()
        self._refresh()

    def cleanup(self) -> None:
        self.onSceneClosed()
        for shortcut in self._shortcuts:  # they belong to the main window
            shortcut.deleteLater()
        self._shortcuts.clear()

    def onOpenQueue(self, checked: bool = False) -> None:
        self._leave(self._openQueue)

    def onCaseChosen(self, row: int, column: int) -> None:
        name = self._queue.cases[row].name
        if self._open is None or name != self._open.name:
            self._leave(lambda: self._read(name))

    def onAutosave(self) -> None:
        if not self._task.busy:
            self._save()

    def _openQueue(self) -> None:
        with errorsShown(_("The queue could not be opened.")):
            folder, corrected = self.ui.queueFolderPath.currentPath, self.ui.correctedFolderPath.currentPath
            if not folder:
                raise InputError(_("no folder of cases is chosen, but the queue goes through one; choose it above"))
            self._queue = api.CaseQueue(folder, corrected or None)
            self.parameterNode.queueFolder, self.parameterNode.correctedFolder = folder, corrected
        here = next((case.name for case in self._queue.cases if imagesOf(case.name)), None)  # a saved scene has brought it
        self._read(here or self._queue.neighbor(None, 1))

    def _read(self, name: str) -> None:
        if imagesOf(name):
            self._show(name, saved=False)
            return
        case, corrected = self._queue.case(name), self._queue.corrected
        failed = _("{case} could not be opened.").format(case=name)
        self._task.start(lambda: readCase(name, case.files, corrected), self._add, self._refresh, failed)
        self._refresh()

    def _add(self, case) -> None:
        try:
            with errorsShown(_("The case could not be opened."), waitCursor=True):
                roles, node = addCase(case)
        finally:
            self._refresh()
        with slicer.util.NodeModify(self.parameterNode.parameterNode):
            for role in labels.ROLES:  # the input panel fills what stays empty
                setattr(self.parameterNode, role, roles.get(role))
            self.parameterNode.segmentation = node
        self._show(case.name, saved=True)

    def _show(self, name: str, saved: bool) -> None:
        self._open = OpenCase(self._queue, name)
        self._open.watch(self.parameterNode.segmentation, saved=saved)
        turnViewsToVolume(next(iter(inputNodes(self.parameterNode).values()), imagesOf(name)[0]))
        self._autosave.start()
        self._refresh()

    def _move(self, step: int) -> None:
        following = self._neighbor(step)
        if following is not None:
            self._leave(lambda: self._read(following))

    def _finish(self, state: str) -> None:
        """Save the case, give it its state, and go on with the next one."""
        with errorsShown(_("The case could not be finished.")):
            if state == api.REVIEWED and self._open.node is None:
                raise InputError(
                    _("{case} has no mask, but a reviewed case needs one; press Apply, or choose its segmentation as the result").format(case=self._open.name)
                )
        self._save(lambda: self._finished(state), explicit=True)

    def _finished(self, state: str) -> None:
        with errorsShown(_("The list of cases could not be saved.")):
            self._queue.change(self._open.name, state=state)
        self._refresh()
        self._move(1)

    def _leave(self, then: Callable[[], None]) -> None:
        """Save the open case, take it out of the scene, and go on."""

        def leave() -> None:
            if self._open is not None:
                name = self._open.name
                self._forget()
                self.parameterNode.segmentation = None
                removeCase(name)
            then()

        self._save(leave)

    def _save(self, then: Callable[[], None] = lambda: None, *, explicit: bool = False) -> None:
        """Save the open case where there is something to save, and go on only if that went well."""
        if self._task.busy:  # the buttons are off, but keys and the clock are not
            return
        failed, content = _("The case could not be saved."), None
        with errorsShown(failed, waitCursor=True):
            if self._open is not None:
                content = self._open.collect(inputNodes(self.parameterNode), explicit=explicit)
        if content is None:
            then()
            return
        name, corrected = self._open.name, self._queue.corrected
        self._task.start(lambda: api.save_corrected(corrected, name, content), lambda nothing: self._saved(then), self._notSaved, failed)
        self._refresh()

    def _saved(self, then: Callable[[], None]) -> None:
        self._refresh()
        then()

    def _notSaved(self) -> None:
        self._open.changed = True
        self._refresh()

    def _forget(self) -> None:
        self._autosave.stop()
        if self._open is not None:
            self._open.close()
        self._open = None

    def _neighbor(self, step: int) -> str | None:
        return self._queue.neighbor(self._open.name, step) if self._queue is not None and self._open is not None else None

    def _shortcut(self, key: str, step: int) -> qt.QShortcut:
        shortcut = qt.QShortcut(slicer.util.mainWindow() or self.widget)
        shortcut.setKey(qt.QKeySequence(key))
        shortcut.connect("activated()", lambda: self._move(step))
        return shortcut

    def _enableShortcuts(self, on: bool) -> None:
        for shortcut in self._shortcuts:
            shortcut.enabled = on

    def _refresh(self) -> None:
        """Show the list and what can be done now."""
        idle, opened = not self._task.busy, self._open is not None and not self._task.busy
        self.ui.openQueueButton.enabled = idle
        self.ui.casesTable.enabled = idle
        for button in (self.ui.saveCaseButton, self.ui.caseReviewedButton, self.ui.caseDoubtfulButton, self.ui.closeCaseButton):
            button.enabled = opened
        self.ui.previousCaseButton.enabled = opened and self._neighbor(-1) is not None
        self.ui.nextCaseButton.enabled = opened and self._neighbor(1) is not None
        self.ui.casesTable.visible = self._queue is not None
        try:
            self.ui.queueLabel.text = queueText(self._queue, self._open, idle)
            if self._queue is not None:
                self._fillTable()
        except InputError as error:  # somebody has spoiled the list meanwhile
            self.ui.queueLabel.text = translated(str(error))

    def _fillTable(self) -> None:
        table, rows = self.ui.casesTable, list(self._queue.rows().values())
        table.setRowCount(len(rows))
        for index, row in enumerate(rows):
            for column, text in enumerate((row.case, stateText(row.state), timeText(row.seconds))):
                table.setItem(index, column, qt.QTableWidgetItem(text))
            if self._open is not None and row.case == self._open.name:
                table.selectRow(index)
