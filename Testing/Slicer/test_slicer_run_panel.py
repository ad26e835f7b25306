"""Apply, Cancel, progress and the advanced options (tier 2: PySide6 stands for Qt, and the scene is the real one)."""

import re
import time

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")
pytest.importorskip("PySide6", reason="PySide6-Essentials is not installed")

import qt
import slicer
import slicer.util
import standin
from BrainTumorSegGUI import runPanel
from BrainTumorSegGUI.parameters import Quality
from BrainTumorSegGUI.run import SegmentationRun
from BrainTumorSegGUI.runPanel import RunPanel
from watching import scene_as_text

import BrainTumorSeg
from BrainTumorSegLib.api import InputError, ModelError


def volume(name="T1ce", shape=(4, 5, 6)):
    array = np.zeros(shape, np.int16)
    array[1:-1, 2, 3:5] = 500
    return slicer.util.addVolumeFromArray(array, np.eye(4), name)


@pytest.fixture
def make(layout, parameters, monkeypatch):
    """Builds the panel around a stand-in for `api.segment`; onnxruntime counts as installed."""
    monkeypatch.setattr(runPanel, "ensureOnnxruntime", lambda: None)
    panels = []
    tag = parameters.AddObserver("ModifiedEvent", lambda caller, event: [panel.update() for panel in panels])  # as the module's widget does

    def build(segment=standin.segmentBright):
        panels.append(RunPanel(layout, BrainTumorSeg.BrainTumorSegLogic(segment=segment), parameters))
        return panels[0]

    yield build
    parameters.RemoveObserver(tag)
    for panel in panels:
        panel.cleanup()
        panel.setParameterNode(None)


def run_until(condition, seconds=60.0):
    """Let the application live until `condition` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        slicer.app.processEvents()


def ended(panel):
    return lambda: panel.ui.applyButton.enabled


def test_apply_is_grey_with_the_reason_until_the_model_can_run(make, parameters):
    panel = make()
    assert not panel.ui.applyButton.enabled
    assert panel.ui.problemLabel.text == panel.ui.applyButton.toolTip == "Tumor on contrast-enhanced T1 needs T1 with contrast."
    parameters.t1ce = volume()
    assert panel.ui.applyButton.enabled and panel.ui.problemLabel.text == ""


def test_apply_ends_in_a_new_segmentation_that_is_chosen(make, parameters):
    parameters.t1ce = volume()
    panel = make()
    panel.ui.applyButton.click()
    assert not panel.ui.applyButton.enabled and panel.ui.cancelButton.enabled
    run_until(ended(panel))
    assert parameters.segmentation.GetName() == "T1ce tumor"
    assert panel.ui.statusLabel.text == "Found: Tumor."
    assert not panel.ui.cancelButton.enabled


def test_each_run_begins_at_zero_and_says_what_it_puts_into_the_scene(make, parameters):
    parameters.t1ce = volume()
    panel = make()
    panel.ui.progressBar.value = 99  # as the run before left it
    panel.ui.applyButton.click()
    assert (panel.ui.progressBar.value, panel.ui.statusLabel.text) == (0, "Starting...")
    panel._timer.stop()  # the test ticks itself
    while panel._publishing is None:
        panel.onTick()
    panel.onTick()
    assert panel.ui.statusLabel.text == "Adding the segmentation..."
    while panel._run is not None:
        panel.onTick()
    assert panel.ui.statusLabel.text == "Found: Tumor."


def test_damaged_models_are_told_and_nothing_can_be_applied(make, parameters):
    def fail():
        raise ModelError("models.json is damaged")

    panel = make()
    panel.logic.models = fail
    panel.update()
    assert panel.ui.problemLabel.text == panel.ui.applyButton.toolTip == "models.json is damaged"
    assert not panel.ui.applyButton.enabled


def test_no_tumor_is_told_as_a_result(make, parameters):
    node = volume()
    slicer.util.updateVolumeFromArray(node, np.arange(120, dtype=np.int16).reshape(4, 5, 6) % 90)
    parameters.t1ce = node
    panel = make()
    panel.ui.applyButton.click()
    run_until(ended(panel))
    assert parameters.segmentation is not None
    assert "No tumor was found" in panel.ui.statusLabel.text


def slowly(steps=20, seconds=0.02):
    def segment(volumes, model=None, *, options, progress, cancel):
        for step in range(steps):
            progress(step / steps, f"axial slices, {step} of {steps}")
            time.sleep(seconds)
            cancel.raise_if_cancelled()
        return standin.segmentBright(volumes, model, options=options, progress=progress, cancel=cancel)

    return segment


def slices_done(panel):
    found = re.fullmatch(r"axial slices, (\d+) of 60.*", panel.ui.statusLabel.text)
    return int(found.group(1)) if found else 0


def test_progress_shows_the_slices_that_are_done(make, parameters):
    parameters.t1ce = volume()
    panel = make(slowly(60, 0.05))
    panel.ui.applyButton.click()
    run_until(lambda: slices_done(panel) > 4)
    assert panel.ui.progressBar.value == round(97 * slices_done(panel) / 60)
    panel.ui.cancelButton.click()
    run_until(ended(panel))


def test_the_time_that_is_left_is_shown_once_it_can_be_told(make, parameters):
    parameters.t1ce = volume()
    panel = make(slowly(60, 0.05))
    panel.ui.applyButton.click()
    run_until(lambda: " s left)" in panel.ui.statusLabel.text)
    panel.ui.cancelButton.click()
    run_until(ended(panel))


def test_a_second_apply_is_refused_while_one_runs(make, parameters):
    parameters.t1ce = volume()
    panel = make(standin.SegmentForever())
    panel.ui.applyButton.click()
    panel.ui.applyButton.click()  # grey: does nothing
    with pytest.raises(InputError, match="one can run at a time"):
        panel.onApply()
    assert not panel.ui.applyButton.enabled and panel.ui.cancelButton.enabled  # the first one goes on
    panel.ui.cancelButton.click()
    run_until(ended(panel))


def test_cancel_interrupts_the_work_and_the_first_tick_after_it_ends_the_run(make, parameters):
    parameters.t1ce = volume()
    work = standin.SegmentForever()
    panel = make(work)
    before = scene_as_text()
    panel.ui.applyButton.click()
    run_until(work.begun.is_set)
    panel._timer.stop()  # the test ticks itself
    panel.ui.cancelButton.click()
    while not panel._run.poll(1.0).finished:
        pass
    panel.onTick()
    assert work.interrupted and panel.ui.applyButton.enabled
    assert panel.ui.statusLabel.text == "Cancelled; nothing was changed."
    assert scene_as_text() == before


def nodes():
    slicer.mrmlScene.GetSubjectHierarchyNode()  # there from the start in Slicer, here made when it is first asked for
    return {slicer.mrmlScene.GetNthNode(index).GetID() for index in range(slicer.mrmlScene.GetNumberOfNodes())}


def test_cancel_while_the_result_is_put_into_the_scene_takes_it_out_again(make, parameters):
    parameters.t1ce = volume()
    panel = make()
    before = nodes()
    panel.ui.applyButton.click()
    run_until(lambda: nodes() != before)
    panel.ui.cancelButton.click()
    run_until(ended(panel))
    assert nodes() == before
    assert parameters.segmentation is None
    assert panel.ui.statusLabel.text == "Cancelled; nothing was changed."


def test_an_error_is_told_and_apply_can_be_pressed_again(make, parameters, slot_errors):
    def fail(volumes, model=None, *, options, progress, cancel):
        raise InputError("T1ce is constant")

    parameters.t1ce = volume()
    panel = make(fail)
    panel.ui.applyButton.click()
    run_until(ended(panel))
    assert panel.ui.statusLabel.text == "T1ce is constant"
    assert [str(error) for error in slot_errors] == ["T1ce is constant"]  # for Slicer to show
    slot_errors.clear()


@pytest.mark.parametrize("publishing", [False, True])
def test_closing_the_scene_during_a_run_is_safe(make, parameters, publishing):
    parameters.t1ce = volume()
    work = standin.segmentBright if publishing else standin.SegmentForever()
    panel = make(work)
    before = nodes()
    panel.ui.applyButton.click()
    run_until(lambda: nodes() != before) if publishing else run_until(work.begun.is_set)
    panel.onSceneClosed()
    assert nodes() == before
    panel.setParameterNode(None)
    slicer.mrmlScene.Clear()
    for _ in range(20):
        slicer.app.processEvents()
        time.sleep(0.01)
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode") == []
    assert not panel.ui.applyButton.enabled and panel.ui.statusLabel.text == ""


def test_unloading_the_module_during_a_run_stops_it(make, parameters):
    parameters.t1ce = volume()
    work = standin.SegmentForever()
    panel = make(work)
    panel.ui.applyButton.click()
    run_until(work.begun.is_set)
    run = panel._run
    panel.cleanup()
    assert run.cancelled
    for _ in range(10):
        slicer.app.processEvents()


def test_a_tick_looks_at_the_thread_once_or_takes_one_step_of_publishing(make, parameters, monkeypatch):
    waits, poll = [], SegmentationRun.poll

    def watched(self, wait_s=0.0):
        waits.append(wait_s)
        return poll(self, wait_s)

    monkeypatch.setattr(SegmentationRun, "poll", watched)
    parameters.t1ce = volume()
    panel = make()
    panel.ui.applyButton.click()
    panel._timer.stop()  # the test ticks itself
    ticks = 0
    while panel._publishing is None:
        panel.onTick()
        ticks += 1
    assert waits == [runPanel.WAIT_S] * ticks
    texts = []
    while panel._run is not None:
        panel.onTick()
        texts.append(panel.ui.statusLabel.text)
    assert texts == ["Adding the segmentation...", "Making the surface of Tumor...", "Showing the surfaces...", "Found: Tumor."]
    assert len(waits) == ticks


@pytest.mark.parametrize(
    ("control", "change", "field", "value"),
    [
        ("qualitySelector", lambda widget: widget.setCurrentIndex(1), "planes", Quality.FAST.value),
        ("qualitySelector", lambda widget: widget.setCurrentIndex(3), "mirrored", True),
        ("threadsSpinBox", lambda widget: widget.setValue(2), "threads", 2),
        ("uncertaintyCheckBox", lambda widget: widget.click(), "uncertainty", False),
        ("modelCleanUpCheckBox", lambda widget: widget.click(), "min_island_mm3", 100.0),
    ],
)
def test_each_advanced_control_changes_what_the_backend_gets(make, parameters, control, change, field, value):
    seen = {}

    def record(volumes, model=None, *, options, progress, cancel):
        seen["options"] = options
        return standin.segmentBright(volumes, model, options=options, progress=progress, cancel=cancel)

    parameters.t1ce = volume()
    panel = make(record)
    change(getattr(panel.ui, control))
    panel.ui.applyButton.click()
    run_until(ended(panel))
    changed = {name for name in vars(seen["options"]) if getattr(seen["options"], name) != getattr(standin.SegmentOptions(uncertainty=True), name)}
    assert getattr(seen["options"], field) == value
    assert changed == {field} | {"min_island_mm3": {"max_hole_mm3"}, "mirrored": {"early_exit"}}.get(field, set())


def test_own_sizes_of_the_clean_up_are_for_those_who_do_not_take_the_models(make, parameters):
    panel = make()
    boxes = (panel.ui.minIslandSpinBox, panel.ui.maxHoleSpinBox)
    assert [box.enabled for box in boxes] == [False, False]
    panel.ui.modelCleanUpCheckBox.click()
    assert [box.enabled for box in boxes] == [True, True]
    panel.ui.minIslandSpinBox.setValue(50)
    panel.ui.maxHoleSpinBox.setValue(0)
    assert (parameters.minIslandMm3, parameters.maxHoleMm3) == (50.0, 0.0)


def test_onnxruntime_comes_from_a_file(make, monkeypatch):
    installed = []
    monkeypatch.setattr(runPanel, "installWheel", installed.append)
    monkeypatch.setattr(qt.QFileDialog, "getOpenFileName", staticmethod(lambda *arguments: "/usb/onnxruntime.whl"))
    panel = make()
    panel.ui.wheelButton.click()
    assert installed == ["/usb/onnxruntime.whl"]
    assert panel.ui.statusLabel.text == "onnxruntime is installed."


def test_a_dialog_that_is_closed_installs_nothing(make, monkeypatch):
    installed = []
    monkeypatch.setattr(runPanel, "installWheel", installed.append)
    monkeypatch.setattr(qt.QFileDialog, "getOpenFileName", staticmethod(lambda *arguments: ""))
    panel = make()
    panel.ui.wheelButton.click()
    assert (installed, panel.ui.statusLabel.text) == ([], "")


def test_without_a_model_the_reason_is_told(make, parameters):
    panel = make()
    panel.logic.models = list
    panel.update()
    assert panel.ui.problemLabel.text == panel.ui.applyButton.toolTip == "No model is installed."
    assert not panel.ui.applyButton.enabled


def test_a_license_that_is_not_accepted_starts_nothing(make, parameters, monkeypatch):
    monkeypatch.setattr(runPanel, "confirmLicense", lambda model, settings: False)
    parameters.t1ce = volume()
    panel = make()
    panel.ui.applyButton.click()
    assert panel.ui.applyButton.enabled and panel.ui.statusLabel.text == ""


def test_only_what_the_model_reads_is_given_to_it(make, parameters):
    seen = {}

    def record(volumes, model=None, *, options, progress, cancel):
        seen["roles"] = sorted(volumes)
        return standin.segmentBright(volumes, model, options=options, progress=progress, cancel=cancel)

    parameters.t1ce, parameters.flair, parameters.model = volume(), volume("FLAIR"), "t1ce-tumor"
    panel = make(record)
    panel.ui.applyButton.click()
    run_until(ended(panel))
    assert seen == {"roles": ["t1ce"]}
