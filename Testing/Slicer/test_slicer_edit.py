"""Editing: the model's result is kept, what was changed is measured, and taking it back is one undo step."""

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import slicer
import slicer.util
from BrainTumorSegGUI.editChanges import changes, showChanges
from BrainTumorSegGUI.editCopy import aiResultOf, editableNode, isAiResult, showAiOutline
from BrainTumorSegGUI.editRestore import restoreAi
from BrainTumorSegGUI.handover import EMBEDDED_TAG, prepareSegmentEditor, sourceVolume
from BrainTumorSegGUI.resultUncertainty import uncertaintyOf
from BrainTumorSegGUI.volumes import imageFromVolume, volumeFromNode
from results import SHAPE, VOXEL_ML, label_array, paint, published, voxels

from BrainTumorSegLib.api import InputError, Volume


def edited_edema(node):
    """Paint edema over enhancing tumor and one voxel more, away from slice 1."""
    array = label_array() == 2
    array[1] = False
    array[2, 1, 1:4] = True
    paint(node, "ED", array)


def test_the_result_of_a_model_is_edited_as_a_copy_and_hidden():
    node = published()
    copy = editableNode(node)
    assert copy is not node
    assert aiResultOf(copy) is node
    assert copy.GetName() == "T1ce tumor edited"
    assert not node.GetDisplayNode().GetVisibility()
    assert copy.GetDisplayNode().GetVisibility()
    for key in ("NCR", "ED", "ET"):
        assert voxels(copy, key) == voxels(node, key)


def test_editing_the_copy_leaves_the_result_as_the_model_made_it():
    node = published()
    copy = editableNode(node)
    edited_edema(copy)
    assert voxels(node, "ED") == np.argwhere(label_array() == 2).tolist()
    assert voxels(copy, "ED") == [[2, 1, 1], [2, 1, 2], [2, 1, 3], [3, 1, 1]]


def test_a_copy_keeps_where_it_comes_from():
    node = published()
    copy = editableNode(node)
    assert sourceVolume(copy) is sourceVolume(node)
    assert uncertaintyOf(copy) is uncertaintyOf(node)
    assert copy.GetAttribute("BrainTumorSeg.ModelSha256") == "0" * 64
    assert copy.GetSegmentation().GetConversionParameter("Reference image geometry") == node.GetSegmentation().GetConversionParameter(
        "Reference image geometry"
    )
    assert copy.GetDisplayNode() is not node.GetDisplayNode()
    assert copy.GetDisplayNode().GetOpacity2DFill() == pytest.approx(0.3)


def test_the_copy_and_what_was_changed_lie_in_the_study_of_the_result(study):
    node = published()
    study.put(node)
    copy = editableNode(node)
    assert copy in study
    assert showChanges(copy) in study


def test_editing_again_goes_on_with_the_same_copy():
    node = published()
    copy = editableNode(node)
    assert editableNode(node) is copy
    assert editableNode(copy) is copy
    assert editableNode(published(name="other")) is not copy


def test_a_segmentation_that_no_model_made_is_edited_itself():
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    assert not isAiResult(own)
    assert editableNode(own) is own
    assert aiResultOf(own) is None
    with pytest.raises(InputError, match="mine did not begin as a result of a model"):
        changes(own)


def test_a_copy_whose_result_was_removed_is_still_no_result():
    node = published()
    copy = editableNode(node)
    slicer.mrmlScene.RemoveNode(node)
    assert not isAiResult(copy)
    assert editableNode(copy) is copy


def test_the_result_is_shown_as_an_outline_below_the_copy():
    node = published()
    copy = editableNode(node)
    showAiOutline(copy, True)
    display = node.GetDisplayNode()
    assert (display.GetVisibility(), display.GetVisibility2DFill(), display.GetVisibility2DOutline(), display.GetVisibility3D()) == (1, 0, 1, 0)
    showAiOutline(copy, False)
    assert not display.GetVisibility()


def test_a_segment_drawn_on_a_finer_grid_is_measured_on_that_of_the_result():
    copy = editableNode(published())
    grid, mask = volumeFromNode(sourceVolume(copy)), label_array() == 2
    halves = np.repeat(mask, 2, axis=2).astype(np.uint8)  # two voxels of 0.25 mm along x for each of 0.5 mm, around its center
    origin = np.array(grid.origin) - 0.125 * grid.matrix[:, 0]
    fine = Volume(halves, (0.25, 2.0, 3.0), tuple(origin.tolist()), grid.direction)
    segment = slicer.vtkSegment()
    segment.SetName("Fine")
    segment.AddRepresentation("Binary labelmap", imageFromVolume(fine, crop=True))
    copy.GetSegmentation().AddSegment(segment, "fine")
    assert voxels(copy, "fine") == np.argwhere(mask).tolist()
    assert changes(copy)[-1].editedMl == pytest.approx(5 * VOXEL_ML)


def test_nothing_changed_is_a_dice_of_one():
    copy = editableNode(published())
    assert [(row.name, row.dice, row.addedMl, row.removedMl) for row in changes(copy)] == [
        ("Necrotic and non-enhancing core", 1.0, 0.0, 0.0),
        ("Edema", 1.0, 0.0, 0.0),
        ("Enhancing tumor", 1.0, 0.0, 0.0),
    ]


def test_what_was_changed_in_numbers():
    copy = editableNode(published())
    edited_edema(copy)
    edema = changes(copy)[1]
    # Before: 4 voxels of slice 1 and 1 of slice 3; after: 3 of slice 2 and that one. Dice = 2 * 1 / (5 + 4).
    assert edema.dice == pytest.approx(2 / 9)
    assert (edema.aiMl, edema.editedMl) == pytest.approx((5 * VOXEL_ML, 4 * VOXEL_ML))
    assert (edema.addedMl, edema.removedMl) == pytest.approx((3 * VOXEL_ML, 4 * VOXEL_ML))


def test_a_segment_that_was_removed_and_one_that_was_added_are_listed():
    copy = editableNode(published())
    copy.GetSegmentation().RemoveSegment("ET")
    copy.GetSegmentation().AddEmptySegment("vessel", "Vessel")
    mask = np.zeros(SHAPE)
    mask[0, 0, 0] = 1
    paint(copy, "vessel", mask)
    rows = {row.name: row for row in changes(copy)}
    assert list(rows) == ["Necrotic and non-enhancing core", "Edema", "Enhancing tumor", "Vessel"]
    assert (rows["Enhancing tumor"].dice, rows["Enhancing tumor"].editedMl) == (0.0, 0.0)
    assert rows["Enhancing tumor"].removedMl == pytest.approx(2 * VOXEL_ML)
    assert (rows["Vessel"].dice, rows["Vessel"].aiMl) == (0.0, 0.0)
    assert rows["Vessel"].addedMl == pytest.approx(VOXEL_ML)


def test_changes_are_a_table_that_is_filled_again():
    copy = editableNode(published())
    table = showChanges(copy)
    edited_edema(copy)
    assert showChanges(copy) is table
    shown = [[table.GetCellText(row, column) for column in range(table.GetNumberOfColumns())] for row in range(table.GetNumberOfRows())]
    assert [table.GetColumnName(column) for column in range(6)] == ["Segment", "Dice", "AI mL", "Now mL", "+ mL", "- mL"]
    assert table.GetNumberOfColumns() == 6
    assert shown[1] == ["Edema", "0.222", "0.01", "0.01", "0.01", "0.01"]
    assert len(shown) == 3
    assert table.GetLocked()
    copy.GetSegmentation().AddEmptySegment("vessel", "Vessel")
    assert showChanges(copy).GetNumberOfRows() == 4


class History:
    """Slicer's own undo history, counted."""

    def __init__(self, node):
        self.history = slicer.vtkSegmentationHistory()
        self.history.SetSegmentation(node.GetSegmentation())
        self.saved = 0

    def save(self):
        self.saved += 1
        assert self.history.SaveState()


def test_taking_everything_back_is_one_undo_step():
    copy = editableNode(published())
    edited_edema(copy)
    paint(copy, "ET", np.zeros(SHAPE))
    painted = {key: voxels(copy, key) for key in ("NCR", "ED", "ET")}
    history = History(copy)
    assert restoreAi(copy, history.save)
    assert {key: voxels(copy, key) for key in painted} == {key: voxels(aiResultOf(copy), key) for key in painted}
    assert history.saved == 1
    assert history.history.RestorePreviousState()
    assert {key: voxels(copy, key) for key in painted} == painted


def test_only_one_slice_is_taken_back():
    copy = editableNode(published())
    edited_edema(copy)
    assert restoreAi(copy, History(copy).save, place=(0, 1))
    assert voxels(copy, "ED") == [[1, 1, 1], [1, 1, 2], [1, 1, 3], [1, 1, 4], [2, 1, 1], [2, 1, 2], [2, 1, 3], [3, 1, 1]]


def test_a_slice_along_another_axis_is_taken_back():
    copy = editableNode(published())
    paint(copy, "ED", np.zeros(SHAPE))
    assert restoreAi(copy, History(copy).save, place=(2, 1))
    assert voxels(copy, "ED") == [[1, 1, 1], [3, 1, 1]]


def test_where_nothing_was_changed_there_is_no_undo_step():
    copy = editableNode(published())
    history = History(copy)
    assert not restoreAi(copy, history.save)
    edited_edema(copy)
    assert not restoreAi(copy, history.save, place=(0, 4))
    assert history.saved == 0


def test_a_removed_segment_comes_back_and_an_added_one_stays():
    copy = editableNode(published())
    copy.GetSegmentation().RemoveSegment("ET")
    copy.GetSegmentation().AddEmptySegment("vessel", "Vessel")
    assert not restoreAi(copy, History(copy).save, place=(0, 2))
    assert restoreAi(copy, History(copy).save)
    assert voxels(copy, "ET") == [[2, 1, 1], [2, 1, 2]]
    assert copy.GetSegmentation().GetSegment("vessel") is not None


def test_segments_share_one_image_again_after_they_were_taken_back():
    copy = editableNode(published())
    edited_edema(copy)
    assert copy.GetSegmentation().GetNumberOfLayers() == 2  # edema overlaps enhancing tumor
    restoreAi(copy, History(copy).save)
    assert copy.GetSegmentation().GetNumberOfLayers() == 1


def test_the_embedded_editor_has_a_parameter_set_of_its_own():
    node = editableNode(published())
    embedded, full = prepareSegmentEditor(node, EMBEDDED_TAG), prepareSegmentEditor(node)
    assert embedded is not full
    assert prepareSegmentEditor(node, EMBEDDED_TAG) is embedded
    assert embedded.GetSourceVolumeNode() is sourceVolume(node)
