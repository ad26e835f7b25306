"""The case queue's panel: every control does what it says (tier 2)."""

import time

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

import qt
import slicer
import slicer.util
import vtk
from BrainTumorSegGUI.editCopy import editableNode
from BrainTumorSegGUI.publish import publishSegmentation
from BrainTumorSegGUI.queueCases import imagesOf
from BrainTumorSegGUI.queuePanel import QueuePanel
from BrainTumorSegGUI.volumes import volumeFromNode
from results import SHAPE, label_array, paint
from standin import Result

import BrainTumorSeg
from BrainTumorSegLib import api
from BrainTumorSegLib.api import InputError, Volume


@pytest.fixture
def cases(tmp_path):
    """Three cases of one image each."""
    grid = Volume(np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE), (0.5, 2.0, 3.0))
    for name in ("a", "b", "c"):
        (tmp_path / "cases" / name).mkdir(parents=True)
        api.write_volume(grid, tmp_path / "cases" / name / "t1ce.nii.gz")
    return tmp_path / "cases"


@pytest.fixture
def panel(layout, parameters):
    panel = QueuePanel(layout, BrainTumorSeg.BrainTumorSegLogic(), parameters)
    tag = parameters.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: panel.update())  # as the module's widget does
    panel.enter()
    yield panel
    parameters.RemoveObserver(tag)
    panel.cleanup()


def wait(panel):
    """Let the thread and the timers work until the panel is idle."""
    end = time.monotonic() + 60
    slicer.app.processEvents()
    while not panel.ui.openQueueButton.enabled:
        assert time.monotonic() < end, "the panel stays busy"
        slicer.app.processEvents()


@pytest.fixture
def opened(panel, cases):
    panel.ui.queueFolderPath.currentPath = str(cases)
    panel.ui.openQueueButton.click()
    wait(panel)
    return panel


def segment(panel):
    """What Apply does."""
    volume = panel.parameterNode.t1ce
    result = Result(volumeFromNode(volume).like(label_array()), scheme="glioma")
    panel.parameterNode.segmentation = publishSegmentation(result, volume, {"t1ce": volume})
    return panel.parameterNode.segmentation


def table(panel):
    shown = panel.ui.casesTable
    return [[shown.item(row, column).text() for column in range(2)] for row in range(shown.rowCount)]


def saved(cases, name):
    return cases.parent / "cases_corrected" / name / "seg.nii.gz"


def state(cases, name):
    return api.CaseQueue(cases).row(name).state


def test_before_a_folder_is_chosen_only_opening_is_possible(panel, vtk_messages):
    assert panel.ui.openQueueButton.enabled
    for button in (panel.ui.nextCaseButton, panel.ui.previousCaseButton, panel.ui.saveCaseButton, panel.ui.caseReviewedButton, panel.ui.closeCaseButton):
        assert not button.enabled
    assert panel.ui.casesTable.isHidden()


def test_opening_lists_the_cases_and_opens_the_first_that_is_not_finished(panel, cases):
    api.CaseQueue(cases).change("a", state="reviewed", seconds=90)
    panel.ui.queueFolderPath.currentPath = str(cases)
    panel.ui.openQueueButton.click()
    wait(panel)
    assert table(panel) == [["a", "reviewed"], ["b", "to do"], ["c", "to do"]]
    assert panel.ui.casesTable.item(0, 2).text() == "1 min"
    assert panel.ui.casesTable.currentRow() == 1
    lines = ["3 cases: 2 to do, 1 reviewed. Time spent: 1 min.", f"Masks are kept in {cases.parent / 'cases_corrected'}.", "Open: b."]
    assert panel.ui.queueLabel.text == "\n".join(lines)
    assert panel.parameterNode.t1ce.GetName() == "b t1ce"
    assert panel.parameterNode.queueFolder == str(cases)


def test_no_folder_is_told(panel):
    with pytest.raises(InputError, match="no folder of cases is chosen"):
        panel._openQueue()


def test_a_result_makes_the_case_ai_done(opened):
    segment(opened)
    assert table(opened)[0] == ["a", "AI done"]


def test_next_saves_the_case_and_opens_the_following_one(opened, cases):
    segment(opened)
    opened.ui.nextCaseButton.click()
    wait(opened)
    assert saved(cases, "a").exists()
    assert imagesOf("a") == []
    assert opened.parameterNode.t1ce.GetName() == "b t1ce"
    assert opened.parameterNode.segmentation is None
    assert opened.ui.queueLabel.text.endswith("Open: b.")


def test_previous_goes_back_and_the_ends_are_the_end(opened):
    assert not opened.ui.previousCaseButton.enabled
    opened.ui.nextCaseButton.click()
    wait(opened)
    opened.ui.nextCaseButton.click()
    wait(opened)
    assert not opened.ui.nextCaseButton.enabled
    opened.ui.previousCaseButton.click()
    wait(opened)
    assert opened.parameterNode.t1ce.GetName() == "b t1ce"


def test_a_case_that_nobody_worked_on_is_not_saved(opened, cases):
    opened.ui.nextCaseButton.click()
    wait(opened)
    assert not (cases.parent / "cases_corrected" / "a").exists()


def test_a_double_click_opens_a_case(opened):
    opened.ui.casesTable.cellDoubleClicked.emit(2, 0)
    wait(opened)
    assert opened.parameterNode.t1ce.GetName() == "c t1ce"


def test_reviewed_saves_with_the_state_and_goes_on(opened, cases):
    segment(opened)
    opened.ui.caseReviewedButton.click()
    wait(opened)
    assert state(cases, "a") == "reviewed"
    assert np.array_equal(api.read_label_volume(saved(cases, "a")).array, label_array())
    assert opened.parameterNode.t1ce.GetName() == "b t1ce"


def test_doubtful_goes_on_without_a_mask(opened, cases):
    opened.ui.caseDoubtfulButton.click()
    wait(opened)
    assert state(cases, "a") == "doubtful"
    assert opened.parameterNode.t1ce.GetName() == "b t1ce"


def test_a_case_without_a_mask_cannot_be_reviewed(opened, cases):
    with pytest.raises(InputError, match="a has no mask, but a reviewed case needs one"):
        opened._finish(api.REVIEWED)
    assert state(cases, "a") == "to do"


def test_save_writes_what_the_segments_are_now(opened, cases):
    node = editableNode(segment(opened))
    opened.parameterNode.segmentation = node
    paint(node, "ED", np.zeros(SHAPE))
    opened.ui.saveCaseButton.click()
    wait(opened)
    assert 2 not in api.read_label_volume(saved(cases, "a")).array
    assert imagesOf("a")


def test_the_clock_saves_what_was_changed(opened, cases):
    opened.onAutosave()
    wait(opened)
    assert not saved(cases, "a").exists()
    segment(opened)
    opened._autosave.timeout.emit()
    wait(opened)
    assert saved(cases, "a").exists()
    written = saved(cases, "a").stat().st_mtime_ns
    opened.onAutosave()
    wait(opened)
    assert saved(cases, "a").stat().st_mtime_ns == written
    assert opened._autosave.isActive()


def test_close_saves_and_takes_the_case_out_of_the_scene(opened, cases):
    segment(opened)
    opened.ui.closeCaseButton.click()
    wait(opened)
    assert imagesOf("a") == []
    assert saved(cases, "a").exists()
    assert not opened.ui.saveCaseButton.enabled
    assert not opened._autosave.isActive()


def test_going_back_finds_the_corrected_mask(opened):
    node = editableNode(segment(opened))
    opened.parameterNode.segmentation = node
    paint(node, "ED", np.zeros(SHAPE))
    opened.ui.nextCaseButton.click()
    wait(opened)
    opened.ui.previousCaseButton.click()
    wait(opened)
    found = opened.parameterNode.segmentation
    assert found.GetName() == "a t1ce tumor edited"
    image = slicer.vtkOrientedImageData()
    found.GetBinaryLabelmapRepresentation("ED", image)
    assert image.GetScalarRange()[1] == 0


def test_what_training_has_no_label_for_is_named_when_it_was_left_out(opened):
    segment(opened).GetSegmentation().AddEmptySegment("vessel", "Vessel")
    opened.ui.saveCaseButton.click()
    wait(opened)
    assert opened.ui.queueLabel.text.splitlines()[-1] == "Not saved, since no label of training stands for them: Vessel."


def test_a_key_pressed_again_while_a_case_is_saved_skips_none(opened, cases):
    segment(opened)
    [forward] = [shortcut for shortcut in opened.widget.findChildren(qt.QShortcut) if shortcut.key.toString() == "Shift+PgDown"]
    forward.activated.emit()
    forward.activated.emit()
    assert opened._open.name == "a"  # still being saved
    wait(opened)
    assert opened._open.name == "b"
    assert saved(cases, "a").exists()


def test_a_list_that_somebody_has_spoiled_is_told(opened, cases):
    (cases.parent / "cases_corrected").mkdir(exist_ok=True)
    (cases.parent / "cases_corrected" / "cases.csv").write_text("nothing\n", encoding="utf-8")
    opened._refresh()
    assert "cases.csv" in opened.ui.queueLabel.text
    assert opened.ui.closeCaseButton.enabled


def test_the_views_show_the_case_that_is_open(panel, cases):
    composite = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    panel.ui.queueFolderPath.currentPath = str(cases)
    panel.ui.openQueueButton.click()
    wait(panel)
    assert composite.GetBackgroundVolumeID() == imagesOf("a")[0].GetID()


def test_a_case_that_cannot_be_saved_stays_open_with_its_changes(opened, cases):
    segment(opened)
    blocked = saved(cases, "a")
    blocked.mkdir(parents=True)  # a folder where the mask belongs
    opened.ui.nextCaseButton.click()
    with pytest.raises(InputError, match="cannot be written"):
        for _ in range(1000):
            opened._task.onTick()
            time.sleep(0.001)
    assert opened._open.name == "a"
    assert opened._open.changed
    assert imagesOf("a")
    assert opened.ui.nextCaseButton.enabled
    blocked.rmdir()
    opened.ui.nextCaseButton.click()
    wait(opened)
    assert saved(cases, "a").is_file()


def test_a_case_that_cannot_be_read_leaves_the_queue_usable(opened, cases):
    (cases / "b" / "t1ce.nii.gz").write_bytes(b"nothing")
    opened.ui.nextCaseButton.click()
    with pytest.raises(InputError):
        for _ in range(1000):
            opened._task.onTick()
            time.sleep(0.001)
    assert opened.ui.openQueueButton.enabled
    opened.ui.casesTable.cellDoubleClicked.emit(2, 0)
    wait(opened)
    assert opened.parameterNode.t1ce.GetName() == "c t1ce"


def test_closing_the_scene_saves_the_case_first(opened, cases):
    segment(opened)
    opened.onSceneClosed()
    assert saved(cases, "a").exists()
    opened.setParameterNode(None)
    slicer.mrmlScene.Clear()
    assert not opened.ui.saveCaseButton.enabled


def test_closing_the_scene_while_a_case_is_read_is_safe(opened):
    opened.ui.nextCaseButton.click()
    assert not opened.ui.openQueueButton.enabled  # it is being read
    opened.onSceneClosed()
    assert opened.ui.openQueueButton.enabled
    for _ in range(20):  # longer than a timer's tick
        slicer.app.processEvents()
        time.sleep(0.01)
    assert imagesOf("b") == []


def test_a_saved_scene_goes_on_with_its_case(opened, cases, layout):
    opened.ui.nextCaseButton.click()
    wait(opened)
    segment(opened)
    opened._forget()  # the application was closed; the scene came back with its nodes
    opened.ui.openQueueButton.click()
    wait(opened)
    assert opened._open.name == "b"  # not the first of the list
    assert len(imagesOf("b")) == 1
    assert opened._open.changed


def test_the_folders_of_a_saved_scene_are_shown(layout, parameters, cases):
    parameters.queueFolder, parameters.correctedFolder = str(cases), str(cases.parent / "masks")
    panel = QueuePanel(layout, BrainTumorSeg.BrainTumorSegLogic(), parameters)
    assert panel.ui.queueFolderPath.currentPath == str(cases)
    assert panel.ui.correctedFolderPath.currentPath == str(cases.parent / "masks")
    panel.ui.openQueueButton.click()
    wait(panel)
    segment(panel)
    panel.update()
    panel.ui.saveCaseButton.click()
    wait(panel)
    assert (cases.parent / "masks" / "a" / "seg.nii.gz").exists()
    panel.cleanup()


def test_the_keys_change_the_case_only_while_the_module_is_open(opened):
    keys = {shortcut.key.toString(): shortcut for shortcut in opened.widget.findChildren(qt.QShortcut)}
    assert sorted(keys) == ["Shift+PgDown", "Shift+PgUp"]
    keys["Shift+PgDown"].activated.emit()
    wait(opened)
    assert opened._open.name == "b"
    keys["Shift+PgUp"].activated.emit()
    wait(opened)
    assert opened._open.name == "a"
    opened.exit()
    assert not any(key.enabled for key in keys.values())
