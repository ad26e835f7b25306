"""The evaluation panel (tier 2): each control does what it says, each notice appears."""

import time

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")
pytest.importorskip("PySide6", reason="PySide6 (widgets for the test host) is not installed")

import qt
import slicer
import slicer.util
from boxes import box, label_map
from BrainTumorSegGUI import evaluationPanel
from BrainTumorSegGUI.evaluationPanel import EvaluationPanel
from BrainTumorSegGUI.evaluationSides import collectSide

import BrainTumorSeg
from BrainTumorSegLib.api import InputError


def reader(name, **parts):
    """A segmentation as a reader draws it: segment name -> voxels."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    logic = slicer.modules.segmentations.logic()
    for part, array in parts.items():
        source = label_map(array, part)
        node.SetReferenceImageGeometryParameterFromVolumeNode(source)
        logic.ImportLabelmapToSegmentationNode(source, node)
        segmentation = node.GetSegmentation()
        segmentation.GetNthSegment(segmentation.GetNumberOfSegments() - 1).SetName(part)
        slicer.mrmlScene.RemoveNode(source)
    return node


@pytest.fixture
def panel(layout, parameters):
    panel = EvaluationPanel(layout, BrainTumorSeg.BrainTumorSegLogic(), parameters)
    tag = parameters.AddObserver("ModifiedEvent", lambda caller, event: panel.update())
    yield panel
    parameters.RemoveObserver(tag)
    panel.setParameterNode(None)
    panel.cleanup()


def choose(panel, segmentation, reference):
    panel.ui.comparedSelector.setCurrentNode(segmentation)
    panel.ui.referenceSelector.setCurrentNode(reference)


def compare(panel):
    panel.ui.evaluateButton.click()
    finish(panel)


def finish(panel):
    end = time.monotonic() + 120
    while panel._run is not None:
        assert time.monotonic() < end, "the comparison did not end"
        slicer.app.processEvents()


def scores(panel):
    table = panel.parameterNode.evaluation
    return {table.GetCellText(row, 0): float(table.GetCellText(row, 1)) for row in range(table.GetNumberOfRows())}


def combo_of(panel, name):
    """The box in the row of a structure."""
    return next(box for box in panel._partners.values() if box.toolTip.startswith(f"What {name} is"))


def test_nothing_can_be_compared_before_two_nodes_are_chosen(panel):
    assert not panel.ui.evaluateButton.enabled
    assert panel.ui.evaluateButton.toolTip == "Choose a segmentation and a reference first."
    choose(panel, label_map(box(2, 5), "A"), None)
    assert not panel.ui.evaluateButton.enabled
    panel.ui.referenceSelector.setCurrentNode(label_map(box(2, 5), "B"))
    assert panel.ui.evaluateButton.enabled


def test_a_node_is_not_compared_with_itself(panel):
    node = label_map(box(2, 5), "A")
    choose(panel, node, node)
    assert not panel.ui.evaluateButton.enabled
    assert panel.ui.evaluateButton.toolTip == "Choose two different segmentations."


def test_the_result_is_compared_where_nothing_else_is_chosen(panel, parameters):
    parameters.segmentation = reader("Result", Tumor=box(2, 5))
    choose(panel, None, label_map(box(2, 5), "Truth"))
    compare(panel)
    assert parameters.evaluation.GetName() == "Result vs Truth"


def test_compare_fills_the_table_and_tells_what_it_noticed(panel):
    thin = np.zeros((16, 8, 8), np.uint8)
    thin[4:12, 2:6, 2:5] = 1
    choose(panel, label_map(box(2, 5), "Result"), label_map(thin, "Truth", np.eye(4)))
    assert not panel.ui.resultTable.visible
    compare(panel)
    assert panel.ui.noticesLabel.text == "Result lies on another grid than Truth: it was resampled to the reference's grid, nearest neighbor"
    assert panel.ui.resultTable.mrmlTableNode() is panel.parameterNode.evaluation
    assert list(scores(panel)) == ["Tumor"]


def test_two_readers_are_matched_by_name_and_by_hand(panel):
    first = reader("Reader 1", Cyst=box(2, 3), Nodule=box(4, 5))
    choose(panel, first, reader("Reader 2", Nodule=box(4, 5), Hole=box(2, 3)))
    assert combo_of(panel, "Nodule").currentText == "Nodule"
    assert combo_of(panel, "Cyst").currentText == "(not compared)"
    compare(panel)
    assert scores(panel) == {"Nodule": 1.0}
    assert "Reader 2 has no partner for Cyst: not compared" in panel.ui.noticesLabel.text
    box_of_cyst = combo_of(panel, "Cyst")
    box_of_cyst.setCurrentIndex(box_of_cyst.findText("Hole"))
    box_of_cyst.activated.emit(box_of_cyst.currentIndex)
    compare(panel)
    assert scores(panel) == {"Cyst": 1.0, "Nodule": 1.0}


def test_what_was_matched_by_hand_is_kept_in_the_scene(panel, layout, parameters):
    choose(panel, reader("Reader 1", A=box(2, 3), B=box(4, 5)), reader("Reader 2", A=box(2, 3), B=box(4, 5)))
    chosen = combo_of(panel, "A")
    chosen.setCurrentIndex(chosen.findText("B"))
    chosen.activated.emit(chosen.currentIndex)
    again = EvaluationPanel(layout, BrainTumorSeg.BrainTumorSegLogic(), parameters)
    assert combo_of(again, "A").currentText == "B"
    again.setParameterNode(None)
    panel.ui.referenceSelector.setCurrentNode(reader("Reader 3", A=box(2, 3), B=box(4, 5)))
    assert combo_of(panel, "A").currentText == "A"  # it was said of other nodes


def test_all_segments_together_is_one_row(panel):
    choose(panel, reader("Reader 1", A=box(2, 3), B=box(4, 5)), reader("Reader 2", A=box(2, 3), B=box(4, 5)))
    panel.ui.joinedCheckBox.click()
    assert not combo_of(panel, "A").enabled
    compare(panel)
    assert scores(panel) == {"Tumor": 1.0}


def test_without_a_common_name_everything_is_compared_together_and_the_user_is_told(panel):
    choose(panel, reader("Reader 1", A=box(2, 3), B=box(4, 5)), label_map(box(2, 5), "Truth"))
    assert panel.ui.joinedCheckBox.checked
    compare(panel)
    assert panel.ui.noticesLabel.text == "Reader 1 has several classes: all of them together are compared as tumor"


def test_a_renamed_segment_is_matched_anew_when_the_user_compares(panel):
    first = reader("Reader 1", A=box(2, 3), B=box(4, 5))
    choose(panel, first, reader("Reader 2", A=box(2, 3), C=box(4, 5)))
    first.GetSegmentation().GetNthSegment(1).SetName("C")
    compare(panel)
    assert scores(panel) == {"A": 1.0, "C": 1.0}


class Endless:
    """A comparison that ends when it is cancelled."""

    def __init__(self):
        self.cancelled = False

    def poll(self, wait_s=0.0):
        from BrainTumorSegGUI.background import TaskState

        return TaskState(0.5, "Edema", None, self.cancelled)

    def cancel(self):
        self.cancelled = True


def test_while_it_runs_progress_is_shown_and_cancel_leaves_everything_as_it_was(panel, monkeypatch):
    choose(panel, label_map(box(2, 5), "A"), label_map(box(2, 5), "B"))
    monkeypatch.setattr(panel.logic, "compare", lambda *ignored: Endless())
    panel.ui.evaluateButton.click()
    panel.onTick()
    assert (panel.ui.evaluateButton.enabled, panel.ui.evaluateCancelButton.enabled) == (False, True)
    assert panel.ui.evaluateProgressBar.value == 50
    assert panel.ui.noticesLabel.text == "Comparing Edema..."
    panel.ui.evaluateCancelButton.click()
    finish(panel)
    assert panel.ui.noticesLabel.text == "Cancelled; nothing was changed."
    assert panel.parameterNode.evaluation is None
    assert panel.ui.evaluateButton.enabled


def test_an_error_is_shown_and_the_panel_is_ready_again(panel, monkeypatch):
    def fail(*ignored):
        raise InputError("nothing fits")

    shown = []
    monkeypatch.setattr(slicer.app, "testingEnabled", lambda: False)
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, **more: shown.append(text))
    choose(panel, label_map(box(2, 5), "A"), label_map(box(2, 5), "B"))
    monkeypatch.setattr(panel.logic, "compare", fail)
    with pytest.raises(InputError):
        panel.onEvaluate()
    assert shown == ["The segmentations could not be compared.\n\nnothing fits"]
    assert panel.ui.evaluateButton.enabled


def test_the_scene_may_close_while_it_is_compared(panel):
    choose(panel, label_map(box(2, 5), "A"), label_map(box(2, 5), "B"))
    panel.ui.evaluateButton.click()
    run = panel._run
    panel.onSceneClosed()
    assert run.cancelled and panel._run is None
    panel.setParameterNode(None)
    slicer.mrmlScene.Clear()
    slicer.app.processEvents()
    assert not panel.ui.evaluateButton.enabled


def test_the_difference_of_the_chosen_structure_is_shown_and_the_others_are_hidden(panel):
    first, second = reader("Reader 1", A=box(2, 3), B=box(2, 5)), reader("Reader 2", A=box(2, 3), B=box(3, 6))
    choose(panel, first, second)
    assert not panel.ui.differenceButton.enabled
    compare(panel)
    panel.ui.differenceSelector.setCurrentIndex(1)
    panel.ui.differenceButton.click()
    node = panel.parameterNode.difference
    side = collectSide(node)
    assert np.array_equal(side.mask([node.GetSegmentation().GetNthSegmentID(1)]).array, box(5, 6))  # missed
    assert [one.GetDisplayNode().GetVisibility() for one in (first, second, node)] == [0, 0, 1]


def test_a_new_difference_hides_the_former_one(panel):
    choose(panel, reader("Reader 1", A=box(2, 3), B=box(2, 5)), reader("Reader 2", A=box(2, 3), B=box(3, 6)))
    compare(panel)
    panel.ui.differenceButton.click()
    former = panel.parameterNode.difference
    panel.ui.differenceButton.click()
    assert panel.parameterNode.difference is not former
    assert [node.GetDisplayNode().GetVisibility() for node in (former, panel.parameterNode.difference)] == [0, 1]


def test_the_legend_names_the_colors(panel):
    assert [name in panel.ui.differenceLegend.text for name in ("Agreed", "Missed", "False")] == [True] * 3
    assert "rgb(0, 114, 178)" in panel.ui.differenceLegend.text


def test_the_table_is_saved_where_the_user_says(panel, monkeypatch, tmp_path):
    assert not panel.ui.csvButton.enabled
    choose(panel, label_map(box(2, 5), "A"), label_map(box(2, 5), "B"))
    compare(panel)
    monkeypatch.setattr(qt.QFileDialog, "getSaveFileName", lambda *ignored: str(tmp_path / "scores.csv"))
    panel.ui.csvButton.click()
    assert (tmp_path / "scores.csv").read_text(encoding="utf-8").count("\n") == 2
    assert panel.ui.noticesLabel.text == f"Saved as {tmp_path / 'scores.csv'}."


def test_a_dialog_that_is_closed_saves_nothing(panel, monkeypatch):
    choose(panel, label_map(box(2, 5), "A"), label_map(box(2, 5), "B"))
    compare(panel)
    before = panel.ui.noticesLabel.text
    monkeypatch.setattr(qt.QFileDialog, "getSaveFileName", lambda *ignored: "")
    panel.onCsv()  # not by a click: Qt would swallow an error
    assert panel.ui.noticesLabel.text == before


def test_plot_shows_the_last_table(panel, monkeypatch):
    shown = []
    monkeypatch.setattr(evaluationPanel, "showPlot", shown.append)
    choose(panel, label_map(box(2, 5), "A"), label_map(box(2, 5), "B"))
    compare(panel)
    panel.ui.plotButton.click()
    assert shown == [panel.parameterNode.evaluation]
