"""Comparing a segmentation with a reference, or two readers: what is matched, the scores, the difference, the plot."""

from __future__ import annotations

import json
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from BrainTumorSegGUI.evaluation import Comparison, ComparisonRun
from BrainTumorSegGUI.evaluationDifference import COLORS, partNames, publishDifference
from BrainTumorSegGUI.evaluationMatch import matchByName
from BrainTumorSegGUI.evaluationPlot import showPlot
from BrainTumorSegGUI.evaluationSides import Structure, structuresOf
from BrainTumorSegGUI.evaluationTable import tableFromComparison, writeCsv
from BrainTumorSegGUI.panel import Panel
from BrainTumorSegGUI.sentences import errorsShown

TICK_MS = 10
WAIT_S = 0.04
"""How long a tick lets the worker's Python run (see `BackgroundTask.poll`)."""


class EvaluationPanel(Panel):
    """A comparison is made in a thread; its scores stay in the scene, its voxels only until the next one."""

    def setup(self) -> None:
        self._run: ComparisonRun | None = None
        self._comparison: Comparison | None = None
        self._comparedIds: list[str] = []
        self._structures: tuple[list[Structure], list[Structure]] = ([], [])
        self._matched = ""  # what the rows of the matching table show
        self._partners: dict[str, qt.QComboBox] = {}
        self._rows: qt.QWidget | None = None
        self._timer = qt.QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.connect("timeout()", self.onTick)
        self.ui.joinedCheckBox.connect("clicked(bool)", self.onMatchesEdited)
        self.ui.evaluateButton.connect("clicked(bool)", self.onEvaluate)
        self.ui.evaluateCancelButton.connect("clicked(bool)", self.onCancel)
        self.ui.differenceButton.connect("clicked(bool)", self.onDifference)
        self.ui.plotButton.connect("clicked(bool)", self.onPlot)
        self.ui.csvButton.connect("clicked(bool)", self.onCsv)
        self.ui.differenceLegend.text = _legend()

    def update(self) -> None:
        """Show what can be done now, what is matched, and the table of the last comparison."""
        nodes, running = self._nodes(), self._run is not None
        ready = None not in nodes and nodes[0] is not nodes[1]
        self._showMatches(nodes if ready else (None, None))
        self.ui.evaluateButton.enabled = ready and not running
        self.ui.evaluateButton.toolTip = self._compareTip(nodes)
        self.ui.evaluateCancelButton.enabled = running
        self.ui.evaluateProgressBar.visible = running
        self._showScores()

    def onSceneClosed(self) -> None:
        self._forget()
        self.ui.noticesLabel.text = ""

    def cleanup(self) -> None:
        self._forget()

    def onMatchesEdited(self, ignored: object = None) -> None:
        """Keep what the user matched in the scene, for these two nodes."""
        if self.parameterNode is None or None in self._nodes():
            return
        joined, matches = self._choice()
        choice = {"nodes": [node.GetID() for node in self._nodes()], "joined": joined, "matches": matches}
        self.parameterNode.evaluationMatches = json.dumps(choice)

    def onEvaluate(self, checked: bool = False) -> None:
        with errorsShown(_("The segmentations could not be compared."), waitCursor=True):
            self.update()  # segments may have come, gone or been renamed
            nodes = self._nodes()
            joined, matches = self._choice()
            self._run = self.logic.compare(*nodes, matches, joined)
            self._comparedIds = [node.GetID() for node in nodes]
            self._comparison = None
            self.ui.noticesLabel.text = ""
            self._timer.start()
            self.update()

    def onCancel(self, checked: bool = False) -> None:
        if self._run is not None:
            self._run.cancel()

    def onTick(self) -> None:
        state = self._run.poll(WAIT_S)
        if not state.finished:
            self.ui.evaluateProgressBar.setValue(round(100 * state.fraction))
            self.ui.noticesLabel.text = _("Comparing {structure}...").format(structure=state.message)
            return
        run, self._run = self._run, None
        self._timer.stop()
        self.ui.noticesLabel.text = _("Cancelled; nothing was changed.") if run.cancelled else ""
        self.update()
        if not run.cancelled:
            with errorsShown(_("The segmentations could not be compared.")):
                self._comparison = run.comparison
                self.parameterNode.evaluation = tableFromComparison(run.comparison)
                self.ui.noticesLabel.text = "\n".join(run.notices())
                self.update()

    def onDifference(self, checked: bool = False) -> None:
        with errorsShown(_("The difference could not be shown."), waitCursor=True):
            pair = self._comparison.rows[self.ui.differenceSelector.currentIndex][0]
            compared = [slicer.mrmlScene.GetNodeByID(nodeId) for nodeId in self._comparedIds]
            node = publishDifference(self._comparison, pair, compared[1])
            for other in (*compared, self.parameterNode.difference):
                if other is not None and other.GetDisplayNode() is not None:
                    other.GetDisplayNode().SetVisibility(False)  # they would cover what is to be seen
            self.parameterNode.difference = node

    def onPlot(self, checked: bool = False) -> None:
        with errorsShown(_("The plot could not be shown.")):
            showPlot(self.parameterNode.evaluation)

    def onCsv(self, checked: bool = False) -> None:
        with errorsShown(_("The scores could not be saved.")):
            tableNode = self.parameterNode.evaluation
            proposal = f"{tableNode.GetName()}.csv"
            path = qt.QFileDialog.getSaveFileName(self.widget, _("Save scores"), proposal, _("Table (*.csv)"))
            if path:
                writeCsv(tableNode, Path(path))
                self.ui.noticesLabel.text = _("Saved as {path}.").format(path=path)

    def _nodes(self) -> tuple[slicer.vtkMRMLNode | None, slicer.vtkMRMLNode | None]:
        """What is compared, with what."""
        if self.parameterNode is None:
            return None, None
        return self.parameterNode.compared or self.parameterNode.segmentation, self.parameterNode.reference

    def _compareTip(self, nodes: tuple[slicer.vtkMRMLNode | None, slicer.vtkMRMLNode | None]) -> str:
        if None in nodes:
            return _("Choose a segmentation and a reference first.")
        if nodes[0] is nodes[1]:
            return _("Choose two different segmentations.")
        return _("Compute Dice, IoU, HD95 and volumes.")

    def _choice(self) -> tuple[bool, dict[str, str]]:
        """Joined and matches, as the rows show them."""
        matches = {key: box.itemData(box.currentIndex) for key, box in self._partners.items() if box.currentIndex > 0}
        return self.ui.joinedCheckBox.checked, matches

    def _showMatches(self, nodes: tuple[slicer.vtkMRMLNode | None, slicer.vtkMRMLNode | None]) -> None:
        """One row for each structure, made anew only where something changed."""
        self._structures = tuple(structuresOf(node) if node is not None else [] for node in nodes)
        stored = json.loads(self.parameterNode.evaluationMatches or "{}") if self.parameterNode is not None else {}
        if stored.get("nodes") != [node.GetID() for node in nodes if node is not None]:
            automatic = matchByName(*self._structures)
            stored = {"matches": automatic, "joined": not automatic and all(self._structures)}
        shown = repr((self._structures, stored))
        if shown == self._matched:
            return
        self._matched = shown
        self.ui.joinedCheckBox.checked = stored["joined"]
        self.ui.joinedCheckBox.enabled = any(self._structures)
        self._fillRows(stored["matches"], not stored["joined"])

    def _fillRows(self, matches: dict[str, str], enabled: bool) -> None:
        former, self._rows = self._rows, qt.QWidget()
        form = qt.QFormLayout(self._rows)
        form.setContentsMargins(0, 0, 0, 0)
        self._partners = {}
        for structure in self._structures[0]:
            box = qt.QComboBox()
            box.addItem(_("(not compared)"), "")
            for partner in self._structures[1]:
                box.addItem(partner.name, partner.key)
            box.sizeAdjustPolicy = qt.QComboBox.AdjustToMinimumContentsLengthWithIcon  # else a long name hides the label before it
            box.setCurrentIndex(max(0, box.findData(matches.get(structure.key, ""))))
            box.toolTip = _("What {structure} is compared with in the reference.").format(structure=structure.name)
            box.enabled = enabled
            box.connect("activated(int)", self.onMatchesEdited)
            form.addRow(structure.name, box)
            self._partners[structure.key] = box
        self.ui.matchFrame.layout().addWidget(self._rows)
        if former is not None:
            former.deleteLater()
        self.ui.matchFrame.visible = bool(self._partners)

    def _showScores(self) -> None:
        tableNode = self.parameterNode.evaluation if self.parameterNode is not None else None
        self.ui.resultTable.setMRMLTableNode(tableNode)
        self.ui.resultTable.resizeColumnsToContents()
        self.ui.resultTable.visible = tableNode is not None
        for button in (self.ui.plotButton, self.ui.csvButton):
            button.enabled = tableNode is not None
        names = [pair.name for pair, _row in self._comparison.rows] if self._comparison is not None else []
        selector = self.ui.differenceSelector
        if names != [selector.itemText(index) for index in range(selector.count)]:
            selector.clear()
            selector.addItems(names)
        for widget in (selector, self.ui.differenceButton):
            widget.enabled = bool(names)
        self.ui.differenceButton.toolTip = _("Show what was agreed, missed and falsely marked.") if names else _("Compare first.")

    def _forget(self) -> None:
        """Stop a comparison and drop its voxels."""
        if self._run is not None:
            self._run.cancel()
        self._timer.stop()
        self._run = self._comparison = None


def _legend() -> str:
    """The colors of a difference, as rich text."""
    parts = [f'<span style="color: rgb{COLORS[value]}">&#9632;</span> {name}' for value, name in partNames().items()]
    return "&nbsp;&nbsp; ".join(parts)
