"""The Segment Editor effect "Tumor (AI)": what it writes, where, under which masks; registered and run as Slicer does it."""

import sys
import time

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import slicer
import slicer.util
import standin
import standin_effects
from boxes import SHAPE, box
from BrainTumorSegGUI import effect, startup
from BrainTumorSegGUI.evaluationSides import collectSide
from BrainTumorSegGUI.volumes import imageFromVolume, volumeFromNode
from test_slicer_inputs import model
from vtk.util import numpy_support

from BrainTumorSegLib.api import InputError, Volume


class Editor:
    """A segmentation of one drawn segment, the volume under it, and the effect as the chosen tool."""

    def __init__(self, drawn, bright):
        self.volume = slicer.util.addVolumeFromArray((500.0 * bright).astype(np.int16), np.diag([1.0, 1, 2, 1]), "T1ce")
        self.segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Edited")
        self.segmentation.CreateDefaultDisplayNodes()
        self.segmentation.SetReferenceImageGeometryParameterFromVolumeNode(self.volume)
        self.addSegment("lesion", drawn)
        self.node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
        self.node.SetAndObserveSegmentationNode(self.segmentation)
        self.node.SetAndObserveSourceVolumeNode(self.volume)
        self.node.SetSelectedSegmentID("lesion")
        self.node.SetOverwriteMode(self.node.OverwriteNone)

    def addSegment(self, name, array):
        segment = slicer.vtkSegment()
        segment.SetName(name)
        if array.any():
            image = imageFromVolume(volumeFromNode(self.volume).like(array), crop=True)
            segment.AddRepresentation(slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName(), image)
        self.segmentation.GetSegmentation().AddSegment(segment, name)

    def array(self, name="lesion"):
        return collectSide(self.segmentation).mask([name]).array

    def roi(self, low, high):
        """A box around the voxels low <= i < high of all slices and rows."""
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
        node.SetCenter((low + high - 1) / 2, 3.5, 7.0)
        node.SetSize(high - low, 8, 16)
        return node


def found(editor, array):
    return volumeFromNode(editor.volume).like(array)


def modifier(editor):
    """As the editor makes it: on the segmentation's grid, unsigned char."""
    return imageFromVolume(volumeFromNode(editor.volume).like(np.zeros(SHAPE, np.uint8)))


def written(image):
    return numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(SHAPE)


def test_the_mask_is_written_on_the_grid_of_the_segmentation():
    editor = Editor(box(0, 2), box(2, 5))
    image = modifier(editor)
    assert effect.fillModifier(image, found(editor, box(2, 5)), editor.segmentation) == 48
    assert np.array_equal(written(image), box(2, 5))


def test_what_lies_outside_the_region_is_left_out():
    # Voxels i = 2, 3, 4; the box holds 3 <= i < 6.
    editor = Editor(box(0, 2), box(2, 5))
    image = modifier(editor)
    assert effect.fillModifier(image, found(editor, box(2, 5)), editor.segmentation, editor.roi(3, 6)) == 32
    assert np.array_equal(written(image), box(3, 5))


def test_a_region_that_is_inside_out_keeps_what_lies_around_it():
    editor = Editor(box(0, 2), box(2, 5))
    roi, image = editor.roi(3, 6), modifier(editor)
    roi.SetInsideOut(True)
    effect.fillModifier(image, found(editor, box(2, 5)), editor.segmentation, roi)
    assert np.array_equal(written(image), box(2, 3))


def test_a_turned_region_is_honored():
    # Turned by a quarter about S around its center, the box that was 4 wide (R) and 8 deep (A) is 8 wide and 4 deep: j = 2..5 stays, all i.
    editor = Editor(box(0, 2), box(2, 5))
    roi, image = editor.roi(2, 6), modifier(editor)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    x, y = 3.5, 3.5
    turn = np.array([[0.0, -1, 0, x + y], [1, 0, 0, y - x], [0, 0, 1, 0], [0, 0, 0, 1]])
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(turn))
    roi.SetAndObserveTransformNodeID(transform.GetID())
    array = np.zeros(SHAPE, np.uint8)
    array[3, :, 0:8] = 1
    effect.fillModifier(image, found(editor, array), editor.segmentation, roi)
    expected = np.zeros(SHAPE, np.uint8)
    expected[3, 2:6, :] = 1
    assert np.array_equal(written(image), expected)


def test_the_segment_is_kept_outside_the_region():
    editor = Editor(box(0, 4), box(2, 5))
    drawn = slicer.vtkOrientedImageData()
    editor.segmentation.GetBinaryLabelmapRepresentation("lesion", drawn)
    image = modifier(editor)
    effect.fillModifier(image, found(editor, box(4, 5)), editor.segmentation, editor.roi(3, 6), drawn)
    assert np.array_equal(written(image), box(0, 3) | box(4, 5))  # i = 3 was drawn, lies in the region, and was not found


def test_a_moved_segmentation_gets_the_tumor_where_it_lies_in_the_patient():
    # The segmentation is shown 1 mm further to the right; the tumor lies at i = 2..4 in the patient, which are its voxels 1..3.
    editor = Editor(box(0, 2), box(2, 5))
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.array([[1.0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])))
    editor.segmentation.SetAndObserveTransformNodeID(transform.GetID())
    image = modifier(editor)
    effect.fillModifier(image, found(editor, box(2, 5)), editor.segmentation)
    assert np.array_equal(written(image), box(1, 4))
    effect.fillModifier(image, found(editor, box(2, 5)), editor.segmentation, editor.roi(3, 6))
    assert np.array_equal(written(image), box(2, 4))


def test_a_class_or_a_nested_region_is_taken_from_the_result():
    array = box(2, 3, 1) + box(3, 4, 2) + box(4, 5, 3)
    result = standin.Result(Volume(array), scheme="glioma")
    assert np.array_equal(effect.foundMask(result, "ED").array, box(3, 4))
    assert np.array_equal(effect.foundMask(result, "TC").array, box(2, 3) | box(4, 5))
    assert np.array_equal(effect.foundMask(result, "").array, box(2, 5))
    assert list(effect.structureNames("glioma")) == ["NCR", "ED", "ET", "WT", "TC"]


def test_the_inputs_of_the_module_are_used_where_the_source_volume_is_one_of_them(parameters):
    source = slicer.util.addVolumeFromArray(np.zeros(SHAPE, np.int16), name="A")
    assert effect.effectInputs(source, parameters) == {"t1ce": source}
    parameters.t1ce = slicer.util.addVolumeFromArray(np.zeros(SHAPE, np.int16), name="B")
    assert effect.effectInputs(source, parameters) == {"t1ce": source}
    parameters.flair = source
    assert effect.effectInputs(source, parameters) == {"t1ce": parameters.t1ce, "flair": source}


def test_the_preferred_model_is_used_where_it_can_run():
    models = [model("four", ("t1", "t1ce")), model("one"), model("other")]
    assert effect.effectModel(models, {"t1ce": 0}, "other").name == "other"
    assert effect.effectModel(models, {"t1ce": 0}, "four").name == "one"
    with pytest.raises(InputError, match="no installed model reads flair alone"):
        effect.effectModel(models, {"flair": 0}, "")


@pytest.fixture
def registered(monkeypatch, layout):
    """The effect as the Segment Editor clones and shows it, with a stand-in for the network."""
    pytest.importorskip("PySide6", reason="PySide6 (widgets for the test host) is not installed")
    import BrainTumorSeg

    standin_effects.install(monkeypatch)
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text, **more: True)  # the license of the weights
    startup.registerEffect()
    [instance] = standin_effects.qSlicerSegmentEditorEffectFactory().registeredEffects()
    clone = instance.clone()
    import qt

    form = qt.QFormLayout()
    layout.addLayout(form)
    clone.setup(form)
    clone.self().logic = BrainTumorSeg.BrainTumorSegLogic(segment=standin.segmentBright)
    yield clone
    clone.self().cleanup()


def finish(adaptor):
    """Let the effect's timer run to the end of the work."""
    end = time.monotonic() + 120
    while adaptor.self()._run is not None:
        assert time.monotonic() < end, "the run did not end"
        slicer.app.processEvents()


def wait_for_begin(work):
    end = time.monotonic() + 120
    while not work.begun.is_set():
        assert time.monotonic() < end, "the run did not begin"
        slicer.app.processEvents()


def apply(adaptor):
    adaptor.self().applyButton.click()
    finish(adaptor)


def test_it_is_registered_once_under_the_name_that_modules_find_it_by(registered):
    startup.registerEffect()
    assert [item.name for item in standin_effects.qSlicerSegmentEditorEffectFactory().registeredEffects()] == ["Tumor (AI)"]
    assert registered.perSegment
    assert not registered.self().icon().isNull()


def test_apply_puts_the_tumor_into_the_selected_segment(registered):
    editor = Editor(box(0, 2), box(2, 5))
    registered.edit(editor.node)
    apply(registered)
    assert np.array_equal(editor.array(), box(2, 5))


def test_threads_and_quality_are_those_that_the_module_was_told(registered):
    seen = []

    def record(volumes, model=None, *, options, progress, cancel):
        seen.append(options)
        return standin.segmentBright(volumes, model, options=options, progress=progress, cancel=cancel)

    editor = Editor(box(0, 2), box(2, 5))
    registered.self().logic._segment = record
    registered.self().logic.getParameterNode().threads = 3
    registered.edit(editor.node)
    apply(registered)
    assert [(options.threads, options.uncertainty) for options in seen] == [(3, False)]


def test_one_undo_takes_everything_back(registered):
    editor = Editor(box(0, 2), box(2, 5))
    registered.edit(editor.node)
    apply(registered)
    registered.logic.Undo()
    assert np.array_equal(editor.array(), box(0, 2))
    assert not registered.logic.CanUndo()


def test_add_keeps_what_was_drawn(registered):
    editor = Editor(box(0, 1), box(2, 5))
    registered.edit(editor.node)
    registered.self().addCheckBox.click()
    apply(registered)
    assert np.array_equal(editor.array(), box(0, 1) | box(2, 5))


def test_nothing_outside_the_chosen_region_changes(registered):
    editor = Editor(box(0, 4), box(2, 7))
    registered.edit(editor.node)
    registered.self().regionSelector.setCurrentNode(editor.roi(3, 6))
    apply(registered)
    assert np.array_equal(editor.array(), box(0, 6))  # 0..2 were drawn, 3..5 are the region, 6 was found outside it


def test_the_editable_area_is_honored(registered):
    editor = Editor(box(0, 0), box(2, 6))
    editor.addSegment("brain", box(3, 5))
    editor.node.SetMaskMode(slicer.vtkMRMLSegmentationNode.EditAllowedInsideSingleSegment)
    editor.node.SetMaskSegmentID("brain")
    registered.edit(editor.node)
    apply(registered)
    assert np.array_equal(editor.array(), box(3, 5))


def test_the_intensity_range_is_honored(registered):
    bright = box(2, 6).astype(float)  # 500
    bright[2:6, 2:6, 4:6] = 2.0  # 1000: above the editable range
    editor = Editor(box(0, 0), bright)
    editor.node.SetSourceVolumeIntensityMask(True)
    editor.node.SetSourceVolumeIntensityMaskRange(400, 600)
    registered.edit(editor.node)
    apply(registered)
    assert np.array_equal(editor.array(), box(2, 4))


@pytest.mark.parametrize(("mode", "left"), [("OverwriteAllSegments", box(5, 7)), ("OverwriteNone", box(4, 7))])
def test_other_segments_are_overwritten_only_where_the_user_allows_it(registered, mode, left):
    editor = Editor(box(0, 0), box(2, 5))
    editor.addSegment("other", box(4, 7))
    editor.node.SetOverwriteMode(getattr(editor.node, mode))
    registered.edit(editor.node)
    apply(registered)
    assert np.array_equal(editor.array(), box(2, 5))
    assert np.array_equal(editor.array("other"), left)


def test_no_tumor_is_told_and_leaves_the_segment_and_undo_alone(registered):
    editor = Editor(box(0, 2), box(0, 0))
    registered.edit(editor.node)
    apply(registered)
    assert np.array_equal(editor.array(), box(0, 2))
    assert not registered.logic.CanUndo()
    assert registered.self().statusLabel.text == "No tumor was found; the segment was not changed."


def test_cancel_leaves_the_segment_as_it_was(registered):
    editor = Editor(box(0, 2), box(2, 5))
    registered.self().logic._segment = work = standin.SegmentForever()
    registered.edit(editor.node)
    registered.self().applyButton.click()
    wait_for_begin(work)
    assert not registered.self().applyButton.enabled
    registered.self().cancelButton.click()
    finish(registered)
    assert np.array_equal(editor.array(), box(0, 2))
    assert registered.self().statusLabel.text == "Cancelled; nothing was changed."


def test_choosing_another_tool_stops_the_run(registered):
    editor = Editor(box(0, 2), box(2, 5))
    registered.self().logic._segment = work = standin.SegmentForever()
    registered.edit(editor.node)
    registered.self().applyButton.click()
    wait_for_begin(work)
    run = registered.self()._run
    registered.self().deactivate()
    assert run.cancelled
    slicer.app.processEvents()
    assert np.array_equal(editor.array(), box(0, 2))


def test_another_segment_selected_meanwhile_is_not_touched(registered, monkeypatch, slot_errors):
    editor = Editor(box(0, 2), box(2, 5))
    editor.addSegment("other", box(6, 7))
    registered.edit(editor.node)
    shown = []
    monkeypatch.setattr(slicer.app, "testingEnabled", lambda: False)
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, **more: shown.append(text))
    registered.self().applyButton.click()
    editor.node.SetSelectedSegmentID("other")
    finish(registered)
    assert np.array_equal(editor.array("other"), box(6, 7))
    assert np.array_equal(editor.array(), box(0, 2))
    assert "another segment was selected meanwhile" in shown[0]
    assert len(slot_errors) == 1
    slot_errors.clear()


@pytest.mark.parametrize("refused", ["license", "hidden segment"])
def test_what_the_user_does_not_confirm_starts_nothing(registered, monkeypatch, refused):
    editor = Editor(box(0, 2), box(2, 5))
    registered.edit(editor.node)
    if refused == "license":
        monkeypatch.setattr(sys.modules[type(registered.self()).__module__], "confirmLicense", lambda model, settings: False)
    else:
        monkeypatch.setattr(registered, "confirmCurrentSegmentVisible", lambda: 0)
    registered.self().applyButton.click()
    assert registered.self()._run is None
    assert registered.self().statusLabel.text == ""
    assert registered.self().applyButton.enabled


def test_that_no_model_reads_the_source_volume_is_told_at_once(registered):
    registered.self().logic.models = list
    registered.edit(Editor(box(0, 2), box(2, 5)).node)
    assert registered.self().statusLabel.text.startswith("no installed model reads t1ce alone")


def test_a_source_volume_that_is_chosen_later_lets_apply_be_pressed(registered):
    editor = Editor(box(0, 2), box(2, 5))
    editor.node.SetAndObserveSourceVolumeNode(None)
    registered.edit(editor.node)
    editor.node.SetAndObserveSourceVolumeNode(editor.volume)
    registered.self().sourceVolumeNodeChanged()  # as Slicer tells the chosen effect
    assert registered.self().applyButton.enabled


def test_every_control_has_a_tooltip_and_apply_waits_for_a_source_volume(registered):
    editor = Editor(box(0, 2), box(2, 5))
    editor.node.SetAndObserveSourceVolumeNode(None)
    registered.edit(editor.node)
    itself = registered.self()
    assert not itself.applyButton.enabled
    controls = (itself.regionSelector, itself.structureSelector, itself.addCheckBox, itself.applyButton, itself.cancelButton, itself.progressBar)
    assert all(control.toolTip for control in controls)
