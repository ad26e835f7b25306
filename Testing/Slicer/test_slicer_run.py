"""A run from the scene and back: what happens when it ends, fails, is cancelled, or loses its input."""

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import slicer
import slicer.util
import standin
from bending import bend
from BrainTumorSegGUI.run import SegmentationRun
from watching import scene_as_text, wait_for

from BrainTumorSegLib.api import Cancelled, InputError


def bright_node(name="T1ce"):
    array = np.zeros((4, 5, 6), np.int16)
    array[1, 2, 3:5] = 500
    return slicer.util.addVolumeFromArray(array, np.eye(4), name)


def test_a_run_ends_in_a_new_segmentation():
    run = SegmentationRun({"t1ce": bright_node()}, segment=standin.segmentBright)
    wait_for(run)
    node = run.publish()
    assert node.GetName() == "T1ce tumor"
    assert slicer.mrmlScene.IsNodePresent(node)


def test_nothing_in_the_scene_changes_before_it_is_published():
    node = bright_node()
    before = scene_as_text()
    run = SegmentationRun({"t1ce": node}, segment=standin.segmentBright)
    wait_for(run)
    assert scene_as_text() == before


def test_a_cancelled_run_is_interrupted_and_leaves_the_scene_as_it_was():
    node = bright_node()
    before = scene_as_text()
    work = standin.SegmentForever()
    run = SegmentationRun({"t1ce": node}, segment=work)
    while not work.begun.is_set():
        run.poll(0.01)
    run.cancel()
    wait_for(run)
    with pytest.raises(Cancelled):
        run.publish()
    assert run.cancelled and work.interrupted
    assert scene_as_text() == before


def test_an_error_of_the_backend_reaches_the_caller_and_leaves_the_scene_as_it_was():
    def fail(volumes, model=None, *, options, progress, cancel):
        raise InputError("t1ce is constant")

    node = bright_node()
    before = scene_as_text()
    run = SegmentationRun({"t1ce": node}, segment=fail)
    wait_for(run)
    with pytest.raises(InputError, match="t1ce is constant"):
        run.publish()
    assert scene_as_text() == before


def test_numpy_writes_no_warning_from_the_thread(recwarn):
    def divide(volumes, model=None, *, options, progress, cancel):
        np.zeros(1) / np.zeros(1)
        return standin.segmentBright(volumes, model, options=options, progress=progress, cancel=cancel)

    wait_for(SegmentationRun({"t1ce": bright_node()}, segment=divide))
    assert list(recwarn) == []


def test_an_input_removed_meanwhile_is_named():
    node = bright_node("Gone")
    run = SegmentationRun({"t1ce": node}, segment=standin.segmentBright)
    slicer.mrmlScene.RemoveNode(node)
    wait_for(run)
    with pytest.raises(InputError, match="Gone was removed from the scene while it was segmented"):
        run.publish()


def test_closing_the_scene_meanwhile_is_safe():
    run = SegmentationRun({"t1ce": bright_node()}, segment=standin.segmentBright)
    slicer.mrmlScene.Clear()
    wait_for(run)
    with pytest.raises(InputError, match="was removed from the scene"):
        run.publish()


def test_the_backend_gets_the_volumes_by_role_the_model_and_the_options():
    seen = {}

    def record(volumes, model=None, *, options, progress, cancel):
        seen.update(roles=sorted(volumes), model=model, options=options)
        return standin.segmentBright(volumes, model, options=options, progress=progress, cancel=cancel)

    options = standin.SegmentOptions(planes="all")
    run = SegmentationRun({"t1ce": bright_node(), "flair": bright_node("FLAIR")}, "some-model", options, segment=record)
    wait_for(run)
    assert seen == {"roles": ["flair", "t1ce"], "model": "some-model", "options": options}


def test_the_result_belongs_to_the_input_whose_grid_it_has():
    thick = slicer.util.addVolumeFromArray(np.zeros((2, 5, 6), np.int16), np.diag([1.0, 1, 2, 1]), "FLAIR")
    run = SegmentationRun({"flair": thick, "t1ce": bright_node()}, segment=standin.segmentBright)
    wait_for(run)
    assert run.publish().GetNodeReference("referenceImageGeometryRef").GetName() == "T1ce"


def test_inputs_are_copied_in_short_steps_before_the_thread_starts(monkeypatch):
    from BrainTumorSegGUI import volumes as reading

    seen = {}

    def record(volumes, model=None, *, options, progress, cancel):
        seen["array"] = volumes["t1ce"].array
        return standin.segmentBright(volumes, model, options=options, progress=progress, cancel=cancel)

    monkeypatch.setattr(reading, "_BYTES_A_STEP", 120)  # two slices of 5 x 6 int16
    node = bright_node()
    run = SegmentationRun({"t1ce": node}, segment=record)
    percents = [run.poll().message for _ in range(3)]  # two steps of four slices, and the start
    assert percents == [f"reading the volumes, {percent} %" for percent in (50, 100, 100)]
    wait_for(run)
    array = slicer.util.arrayFromVolume(node)
    assert np.array_equal(seen["array"], array) and not np.shares_memory(seen["array"], array)


def test_a_transform_that_changes_while_its_volume_is_read_ends_the_run_in_words():
    called = []
    node, other = bright_node(), bright_node("FLAIR")
    grid = bend(node)
    run = SegmentationRun({"flair": other, "t1ce": node}, segment=lambda *volumes, **options: called.append(volumes))
    assert [run.poll().finished for _ in range(2)] == [False, False]
    grid.SetDisplacementScale(2.0)
    assert [run.poll().finished for _ in range(5)] == [True] * 5
    with pytest.raises(InputError, match="the transform of T1ce was changed while the volume was read; start again"):
        run.publish()
    assert called == []
    run.cancel()
    with pytest.raises(Cancelled):
        run.publish()


def test_a_bent_volume_is_segmented_where_it_lies_although_it_goes_while_it_is_read():
    node = bright_node()
    bend(node, millimeters=1.0)  # along S, a slice's height: everything lies one slice higher
    expected = np.roll(slicer.util.arrayFromVolume(node), 1, axis=0) > 100
    seen = {}

    def record(volumes, model=None, **options):
        seen["volume"] = volumes["t1ce"]
        return standin.segmentBright(volumes, model, **options)

    run = SegmentationRun({"t1ce": node}, segment=record)
    run.poll()
    slicer.mrmlScene.RemoveNode(node.GetParentTransformNode())
    slicer.mrmlScene.RemoveNode(node)
    del node
    wait_for(run)
    assert np.array_equal(seen["volume"].array > 100, expected)


def test_a_run_cancelled_while_its_inputs_are_copied_never_starts():
    called = []
    run = SegmentationRun({"t1ce": bright_node()}, segment=lambda *volumes, **options: called.append(volumes))
    run.cancel()
    assert all(run.poll().finished for _ in range(5))
    assert run._volumes == {} and called == []
    with pytest.raises(Cancelled):
        run.publish()


def number_of_nodes():
    slicer.mrmlScene.GetSubjectHierarchyNode()  # there from the start in Slicer, here made when it is first asked for
    return slicer.mrmlScene.GetNumberOfNodes()


def test_a_run_cancelled_while_it_is_published_leaves_the_scene_as_it_was():
    run = SegmentationRun({"t1ce": bright_node()}, segment=standin.segmentBright)
    wait_for(run)
    before = number_of_nodes()
    steps = run.publishSteps()
    next(steps)
    next(steps)
    assert number_of_nodes() > before
    run.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    assert number_of_nodes() == before


def test_publishing_that_is_given_up_leaves_the_scene_as_it_was():
    run = SegmentationRun({"t1ce": bright_node()}, segment=standin.segmentBright)
    wait_for(run)
    before = number_of_nodes()
    steps = run.publishSteps()
    next(steps)
    next(steps)
    steps.close()
    assert number_of_nodes() == before


def test_the_options_are_those_that_were_chosen(parameters):
    from BrainTumorSegGUI.parameters import Quality
    from BrainTumorSegGUI.run import optionsFrom

    assert optionsFrom(parameters) == standin.SegmentOptions(planes="auto", threads=None, uncertainty=True)
    parameters.quality, parameters.threads, parameters.uncertainty, parameters.modelCleanUp = Quality.ALL_PLANES, 3, False, False
    parameters.minIslandMm3, parameters.maxHoleMm3 = 50.0, 0.0
    assert optionsFrom(parameters) == standin.SegmentOptions(
        planes="all", threads=3, uncertainty=False, min_island_mm3=50.0, max_hole_mm3=0.0, early_exit=False
    )
    parameters.quality, parameters.modelCleanUp = Quality.THOROUGH, True
    assert optionsFrom(parameters) == standin.SegmentOptions(planes="auto", threads=3, uncertainty=False, early_exit=False, mirrored=True)


def test_the_result_belongs_to_the_volume_that_was_read_among_several_on_one_grid():
    run = SegmentationRun({"t1": bright_node("T1 pre"), "t1ce": bright_node()}, segment=standin.segmentBright)
    wait_for(run)
    assert run.publish().GetName() == "T1ce tumor"
