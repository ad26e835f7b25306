"""The result and edit panels: every control does what it says (tier 2)."""

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

import qt
import slicer
import slicer.util
import vtk
from BrainTumorSegGUI.editCopy import aiResultOf
from BrainTumorSegGUI.editPanel import EditPanel
from BrainTumorSegGUI.resultPanel import ResultPanel
from BrainTumorSegGUI.resultUncertainty import uncertaintyIsShown
from results import SHAPE, label_array, paint, published, voxels

import BrainTumorSeg


@pytest.fixture
def view():
    """An axial slice view and what it shows."""
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(slicer.mrmlScene)
    node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSliceNode")
    node.SetLayoutName("Red")
    node = slicer.mrmlScene.AddNode(node)
    node.SetOrientation("Axial")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    return node


def shell(panel, parameters):
    """What the module's widget does: tell the panel of every change of the choices."""
    tag = parameters.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: panel.update())
    panel.widget.destroyed.connect(lambda: parameters.RemoveObserver(tag))
    return panel


@pytest.fixture
def panel(layout, parameters, view):
    parameters.segmentation = published()
    panel = shell(EditPanel(layout, BrainTumorSeg.BrainTumorSegLogic(), parameters), parameters)
    yield panel
    panel.cleanup()


@pytest.fixture
def editing(panel):
    panel.ui.editButton.click()
    return panel


def editor(panel):
    return panel.ui.editorFrame.findChildren(slicer.qMRMLSegmentEditorWidget)[0]


def slice_shown(view):
    """By the place of the axial view: slices lie 3 mm apart, the first at 5 mm."""
    return round((view.GetSliceToRAS().GetElement(2, 3) - 5) / 3)


def is_shown(widget):
    return not widget.isHidden()


def test_without_a_segmentation_nothing_can_be_edited(layout, parameters):
    panel = EditPanel(layout, BrainTumorSeg.BrainTumorSegLogic(), parameters)
    assert not panel.ui.editButton.enabled
    assert not panel.ui.fullEditorButton.enabled
    assert panel.ui.editLabel.text == "Choose a segmentation first."
    assert not is_shown(panel.ui.reviewGroup)
    panel.setParameterNode(None)
    assert not panel.ui.editButton.enabled


def test_edit_opens_the_editor_on_a_copy_with_the_right_source_volume(editing):
    node = editing.parameterNode.segmentation
    assert aiResultOf(node).GetName() == "T1ce tumor"
    assert editor(editing).segmentationNode() is node
    assert editor(editing).sourceVolumeNode().GetName() == "T1ce"
    assert editor(editing).mrmlSegmentEditorNode().GetSingletonTag() == "BrainTumorSeg"
    assert is_shown(editing.ui.editorFrame)
    assert editing.ui.editLabel.text == "Editing T1ce tumor edited. The AI result T1ce tumor is kept."
    assert editing.ui.editButton.text == "Stop editing"


def test_the_views_show_the_source_volume(editing):
    composite = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")[0]
    assert composite.GetBackgroundVolumeID() == editor(editing).sourceVolumeNode().GetID()


def test_edit_goes_to_the_most_uncertain_slice_and_counts_what_is_left(editing, view):
    assert slice_shown(view) == 4
    assert editing.ui.reviewLabel.text == "4 of 4 axial slices are left.\nShown: slice 5, 3 mm² in doubt, not reviewed."
    assert (editing.ui.reviewProgressBar.value, editing.ui.reviewProgressBar.maximum) == (0, 4)


def test_reviewed_marks_the_shown_slice_and_goes_on(editing, view):
    editing.ui.reviewedButton.click()
    assert slice_shown(view) == 3
    assert editing.ui.reviewLabel.text.startswith("3 of 4 axial slices are left.")
    assert editing.ui.reviewProgressBar.value == 1
    assert editing.parameterNode.segmentation.GetAttribute("BrainTumorSeg.Reviewed") == '{"axis": 0, "slices": [4]}'


def test_reviewed_marks_the_slice_that_is_shown_wherever_the_user_has_scrolled(editing, view):
    view.JumpSliceByOffsetting(0, 0, 5 + 3 * 2)
    assert editing.ui.reviewLabel.text.endswith("Shown: slice 3, 1 mm² in doubt, not reviewed.")
    editing.ui.reviewedButton.click()
    assert editing.parameterNode.segmentation.GetAttribute("BrainTumorSeg.Reviewed") == '{"axis": 0, "slices": [2]}'
    assert slice_shown(view) == 4


def test_later_leaves_the_slice_for_the_end(editing, view):
    editing.ui.laterButton.click()
    seen = [slice_shown(view)]
    for _ in range(3):
        editing.ui.reviewedButton.click()
        seen.append(slice_shown(view))
    assert seen == [3, 2, 1, 4]
    assert editing.ui.reviewLabel.text.startswith("1 of 4 axial slices are left.")


def test_back_returns_to_the_slice_reviewed_last_and_takes_its_mark_away(editing, view):
    assert not editing.ui.backButton.enabled
    editing.ui.reviewedButton.click()
    editing.ui.backButton.click()
    assert slice_shown(view) == 4
    assert editing.ui.reviewLabel.text.startswith("4 of 4")
    assert not editing.ui.backButton.enabled


def test_when_all_is_reviewed_it_says_so(editing):
    for _ in range(4):
        editing.ui.reviewedButton.click()
    assert editing.ui.reviewLabel.text.startswith("All 4 slices with tumor or doubt are reviewed.")


def test_outside_of_the_volume_no_slice_can_be_marked(editing, view):
    view.JumpSliceByOffsetting(0, 0, 500)
    assert not editing.ui.reviewedButton.enabled
    assert not editing.ui.restoreSliceButton.enabled
    assert editing.ui.reviewLabel.text == "4 of 4 axial slices are left."


def test_restoring_is_one_undo_step(editing):
    node = editing.parameterNode.segmentation
    for key in ("NCR", "ED", "ET"):
        paint(node, key, np.zeros(SHAPE))
    editing.ui.restoreAllButton.click()
    assert voxels(node, "ED") == np.argwhere(label_array() == 2).tolist()
    assert voxels(node, "ET") == np.argwhere(label_array() == 3).tolist()
    editor(editing).undo()
    assert [voxels(node, key) for key in ("NCR", "ED", "ET")] == [[], [], []]


def test_restoring_a_slice_touches_only_the_shown_one(editing, view):
    node = editing.parameterNode.segmentation
    paint(node, "ED", np.zeros(SHAPE))
    view.JumpSliceByOffsetting(0, 0, 5 + 3 * 3)
    editing.ui.restoreSliceButton.click()
    assert voxels(node, "ED") == [[3, 1, 1]]


def test_what_i_changed_is_shown_as_a_table(editing):
    assert not is_shown(editing.ui.changesTable)
    paint(editing.parameterNode.segmentation, "ED", np.zeros(SHAPE))
    editing.ui.changesButton.click()
    table = editing.ui.changesTable
    assert is_shown(table)
    assert [table.item(1, column).text() for column in range(4)] == ["Edema", "0.000", "0.01", "0.00"]


def test_the_outline_of_the_result_is_shown_and_hidden(editing):
    display = aiResultOf(editing.parameterNode.segmentation).GetDisplayNode()
    editing.ui.showAiCheckBox.click()
    assert (display.GetVisibility(), display.GetVisibility2DFill()) == (1, 0)
    editing.ui.showAiCheckBox.click()
    assert not display.GetVisibility()


def test_stop_editing_lets_go_of_the_segmentation(editing):
    editing.ui.editButton.click()
    assert editor(editing).segmentationNode() is None
    assert not is_shown(editing.ui.editorFrame)
    assert not is_shown(editing.ui.reviewGroup)
    assert editing.ui.editButton.text == "Edit"


def test_another_segmentation_ends_the_editing(editing):
    editing.parameterNode.segmentation = published(name="other")
    assert not is_shown(editing.ui.editorFrame)
    editing.ui.editButton.click()
    assert editor(editing).segmentationNode().GetName() == "other tumor edited"
    assert editing.ui.editorFrame.layout().count() == 1  # one editor, used again


def test_going_on_with_a_copy_finds_what_was_reviewed(editing, view):
    editing.ui.reviewedButton.click()
    editing.ui.editButton.click()
    view.JumpSliceByOffsetting(0, 0, 5)
    editing.ui.editButton.click()
    assert slice_shown(view) == 3
    assert editing.ui.reviewProgressBar.value == 1


def test_a_segmentation_of_ones_own_is_edited_without_a_result_to_compare_with(layout, parameters, view):
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    parameters.segmentation = own
    panel = shell(EditPanel(layout, BrainTumorSeg.BrainTumorSegLogic(), parameters), parameters)
    panel.ui.editButton.click()
    assert editor(panel).segmentationNode() is own
    assert not is_shown(panel.ui.aiGroup)
    assert "mine has no grid" in panel.ui.reviewLabel.text
    assert not panel.ui.laterButton.enabled
    panel.cleanup()


def test_where_there_is_nothing_to_review_it_says_so(layout, parameters, view):
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    own.SetReferenceImageGeometryParameterFromVolumeNode(slicer.util.addVolumeFromArray(np.zeros(SHAPE, np.int16), name="T1ce"))
    own.GetSegmentation().AddEmptySegment("tumor", "Tumor")
    parameters.segmentation = own
    panel = shell(EditPanel(layout, BrainTumorSeg.BrainTumorSegLogic(), parameters), parameters)
    panel.ui.editButton.click()
    assert panel.ui.reviewLabel.text.splitlines()[0] == "No slice has tumor or doubt."
    assert not panel.ui.laterButton.enabled
    assert not is_shown(panel.ui.reviewProgressBar)
    panel.cleanup()


def test_the_full_editor_is_opened_on_the_copy(panel, monkeypatch):
    opened = []
    monkeypatch.setattr(slicer.util, "selectModule", opened.append)
    panel.ui.fullEditorButton.click()
    assert opened == ["SegmentEditor"]
    node = slicer.mrmlScene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode")
    assert node.GetSegmentationNode() is panel.parameterNode.segmentation
    assert aiResultOf(node.GetSegmentationNode()) is not None
    assert node.GetSourceVolumeNode().GetName() == "T1ce"


def shortcuts(panel):
    return {shortcut.key.toString(): shortcut for shortcut in panel.widget.findChildren(qt.QShortcut)}


def test_the_keys_do_what_the_buttons_do(editing, view):
    keys = shortcuts(editing)
    assert sorted(keys) == ["M", "N", "Shift+N"]
    keys["N"].activated.emit()
    assert slice_shown(view) == 3
    keys["M"].activated.emit()
    assert slice_shown(view) == 2
    keys["Shift+N"].activated.emit()
    assert slice_shown(view) == 4


def test_the_keys_work_only_while_the_module_is_open_and_something_is_edited(editing):
    keys = shortcuts(editing).values()
    assert all(key.enabled for key in keys)
    editing.exit()
    assert not any(key.enabled for key in keys)
    editing.enter()
    assert all(key.enabled for key in keys)
    editing.ui.editButton.click()
    editing.enter()
    assert not any(key.enabled for key in keys)
    editing.ui.editButton.click()
    assert len(shortcuts(editing)) == 3


def test_every_key_is_listed(panel):
    for key in ("N", "M", "Shift+N"):
        assert f"<b>{key}</b>" in panel.ui.shortcutsLabel.text


def test_closing_the_scene_while_editing_is_safe(editing):
    editing.onSceneClosed()
    editing.setParameterNode(None)
    slicer.mrmlScene.Clear()
    assert not is_shown(editing.ui.editorFrame)
    assert not editing.ui.editButton.enabled


@pytest.fixture
def result(layout, parameters):
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    parameters.segmentation = published()
    return shell(ResultPanel(layout, BrainTumorSeg.BrainTumorSegLogic(), parameters), parameters)


def test_the_result_says_what_made_it(result):
    assert result.ui.provenanceLabel.text.startswith("stand-in (int8) on t1ce=T1ce, 20")
    result.parameterNode.segmentation = None
    assert not is_shown(result.ui.provenanceLabel)
    assert not result.ui.show3dCheckBox.enabled


def test_a_copy_says_that_it_was_edited(editing, layout, parameters):
    panel = ResultPanel(layout, BrainTumorSeg.BrainTumorSegLogic(), parameters)
    assert panel.ui.provenanceLabel.text.startswith("Edited, begun as the result of stand-in (int8)")


def test_surfaces_are_hidden_and_shown(result):
    display = result.parameterNode.segmentation.GetDisplayNode()
    assert result.ui.show3dCheckBox.checked
    result.ui.show3dCheckBox.click()
    assert not display.GetVisibility3D()
    result.ui.show3dCheckBox.click()
    assert display.GetVisibility3D()


def test_surfaces_are_made_where_there_are_none(result):
    node = result.parameterNode.segmentation
    node.RemoveClosedSurfaceRepresentation()
    result.enter()
    assert not result.ui.show3dCheckBox.checked
    result.ui.show3dCheckBox.click()
    assert node.GetSegmentation().ContainsRepresentation("Closed surface")


def test_the_uncertainty_is_shown_when_asked_for(result):
    assert not result.ui.showUncertaintyCheckBox.checked
    result.ui.showUncertaintyCheckBox.click()
    assert uncertaintyIsShown(result.parameterNode.segmentation)
    result.update()
    assert result.ui.showUncertaintyCheckBox.checked
    result.ui.showUncertaintyCheckBox.click()
    assert not uncertaintyIsShown(result.parameterNode.segmentation)


def test_without_uncertainty_there_is_nothing_to_show(result):
    result.parameterNode.segmentation = published(doubt=False, name="other")
    assert not result.ui.showUncertaintyCheckBox.enabled
    assert not result.ui.showUncertaintyCheckBox.checked


def test_nested_regions_are_made_when_asked_for(result):
    result.ui.regionsButton.click()
    assert [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")] == ["T1ce tumor", "T1ce tumor nested regions"]
    result.parameterNode.segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    assert not is_shown(result.ui.regionsButton)
