"""Cases between files and the scene: what is opened, noticed, saved, and found again."""

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import slicer
import slicer.util
from BrainTumorSegGUI.editCopy import aiResultOf, editableNode
from BrainTumorSegGUI.publish import publishSegmentation
from BrainTumorSegGUI.queueCases import addCase, belongsTo, collectCase, imagesOf, readCase, removeCase
from BrainTumorSegGUI.queueClock import WorkClock
from BrainTumorSegGUI.queueLabels import labelsOf
from BrainTumorSegGUI.queueOpenCase import OpenCase
from BrainTumorSegGUI.queueText import timeText
from BrainTumorSegGUI.resultUncertainty import uncertaintyOf
from BrainTumorSegGUI.review import planReview, reviewedSlices, setReviewedSlices
from BrainTumorSegGUI.volumes import volumeFromNode
from results import SHAPE, doubt_array, label_array, paint, published, voxels
from standin import Result

from BrainTumorSegLib import api
from BrainTumorSegLib.api import InputError, Volume


@pytest.fixture
def queue(tmp_path):
    """Two cases; the first has two sequences on one grid."""
    grid = Volume(np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE), (0.5, 2.0, 3.0), (4.0, 5.0, 6.0))
    for path in ("a/t1ce.nii.gz", "a/scan2.nii.gz", "b/t1ce.nii.gz"):
        (tmp_path / "cases" / path).parent.mkdir(parents=True, exist_ok=True)
        api.write_volume(grid, tmp_path / "cases" / path)
    return api.CaseQueue(tmp_path / "cases")


def opened(queue, name="a"):
    return addCase(readCase(name, queue.case(name).files, queue.corrected))


def segmented(volume, name=None):
    """A model's result for a volume node."""
    labels = volumeFromNode(volume).like(label_array())
    return publishSegmentation(Result(labels, scheme="glioma", uncertainty=labels.like(doubt_array())), volume, {"t1ce": volume})


def save(queue, node, roles, name="a"):
    content, ignored = collectCase(node, roles, name, queue.corrected)
    api.save_corrected(queue.corrected, name, content)
    return ignored


def node_count():
    slicer.mrmlScene.GetSubjectHierarchyNode()
    return slicer.mrmlScene.GetNumberOfNodes()


def test_a_case_opens_with_all_its_images_and_a_file_named_by_its_role_takes_it(queue):
    roles, node = opened(queue)
    assert sorted(image.GetName() for image in imagesOf("a")) == ["a scan2", "a t1ce"]
    assert {role: image.GetName() for role, image in roles.items()} == {"t1ce": "a t1ce"}
    assert node is None
    volume = volumeFromNode(roles["t1ce"])
    assert volume.same_grid(Volume(np.zeros(SHAPE), (0.5, 2.0, 3.0), (4.0, 5.0, 6.0)))
    assert volume.array.ravel().tolist() == list(range(int(np.prod(SHAPE))))


def test_a_case_that_is_closed_takes_all_with_it_and_leaves_the_rest(queue):
    other = published(name="other")
    before = node_count()
    roles, _ = opened(queue)
    editableNode(segmented(roles["t1ce"]))
    removeCase("a")
    assert node_count() == before
    assert slicer.mrmlScene.IsNodePresent(other)


def test_a_segmentation_belongs_to_the_case_of_its_image(queue):
    roles, _ = opened(queue)
    node = segmented(roles["t1ce"])
    assert belongsTo(node, "a")
    assert belongsTo(editableNode(node), "a")
    assert not belongsTo(node, "b")
    assert not belongsTo(published(name="other"), "a")
    assert not belongsTo(None, "a")


def test_what_training_reads_is_what_the_segments_are(queue):
    roles, _ = opened(queue)
    copy = editableNode(segmented(roles["t1ce"]))
    array = label_array() == 2
    array[0, 0, 0] = True
    paint(copy, "ED", array)
    assert save(queue, copy, roles) == ()
    place = queue.corrected / "a"
    mask = api.read_label_volume(place / "seg.nii.gz")
    expected = label_array()
    expected[0, 0, 0] = 2
    assert np.array_equal(mask.array, expected)
    assert mask.same_grid(api.read_volume(place / "t1ce.nii.gz"))
    assert np.array_equal(api.read_label_volume(place / "ai.nii.gz").array, label_array())
    assert np.array_equal(api.read_volume(place / "uncertainty.nii.gz").array, doubt_array())
    assert sorted(path.name for path in place.iterdir()) == ["ai.nii.gz", "case.json", "seg.nii.gz", "t1ce.nii.gz", "uncertainty.nii.gz"]


def test_a_saved_case_opens_as_it_was_left(queue):
    roles, _ = opened(queue)
    copy = editableNode(segmented(roles["t1ce"]))
    paint(copy, "ET", label_array() == 1)
    setReviewedSlices(copy, planReview(copy), {4, 3})
    left = {key: voxels(copy, key) for key in ("NCR", "ED", "ET")}
    save(queue, copy, {"t1ce": roles["t1ce"], "flair": imagesOf("a")[0]})
    removeCase("a")
    roles, node = opened(queue)
    assert {role: image.GetName() for role, image in roles.items()} == {"t1ce": "a t1ce", "flair": "a scan2"}
    # Where necrosis and enhancing tumor overlapped, the label listed later stays.
    assert {key: voxels(node, key) for key in left} == {**left, "NCR": []}
    assert voxels(aiResultOf(node), "ET") == np.argwhere(label_array() == 3).tolist()
    assert reviewedSlices(node, planReview(node)) == {4, 3}
    assert planReview(node).slices == (4, 3, 2, 1)
    assert uncertaintyOf(node) is uncertaintyOf(aiResultOf(node)) is not None
    assert node.GetAttribute("BrainTumorSeg.Model") == "stand-in"
    assert aiResultOf(node).GetAttribute("BrainTumorSeg.Reviewed") is None
    assert editableNode(node) is node
    assert editableNode(aiResultOf(node)) is node


def test_a_mask_that_no_model_made_is_saved_by_the_names_of_its_segments(queue):
    roles, _ = opened(queue)
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    own.SetReferenceImageGeometryParameterFromVolumeNode(roles["t1ce"])
    for segment_id, name in (("Segment_1", "edema"), ("Segment_2", "Vessel")):
        own.GetSegmentation().AddEmptySegment(segment_id, name)
    paint(own, "Segment_1", label_array() == 2)
    assert save(queue, own, roles) == ("Vessel",)
    removeCase("a")
    _, node = opened(queue)
    assert voxels(node, "ED") == np.argwhere(label_array() == 2).tolist()
    assert aiResultOf(node) is None


def test_segments_that_mean_nothing_known_are_refused(queue):
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    with pytest.raises(InputError, match="mine has no grid"):
        labelsOf(own)
    own.SetReferenceImageGeometryParameterFromVolumeNode(opened(queue)[0]["t1ce"])
    own.GetSegmentation().AddEmptySegment("Segment_1", "Segment_1")
    with pytest.raises(InputError, match="no segment that stands for a label.*name its segments Tumor"):
        labelsOf(own)


def test_a_kept_mask_that_fits_no_image_is_refused_and_nothing_is_added(queue):
    roles, _ = opened(queue)
    save(queue, segmented(roles["t1ce"]), roles)
    removeCase("a")
    smaller = Volume(np.zeros((2, 3, 4), np.int16))
    for path in queue.case("a").files:
        api.write_volume(smaller, path)
    before = node_count()
    with pytest.raises(InputError, match="the mask kept of a lies on the grid of none of its images"):
        opened(queue)
    assert node_count() == before


class Time:
    """A clock that a test moves."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def test_time_counts_from_one_sign_of_work_to_the_next_and_pauses_are_cut_short():
    time = Time()
    clock = WorkClock(time)
    clock.touch()
    for seconds in (10, 30, 1030):  # the last is a pause of 1000 s, of which 60 count
        time.seconds = seconds
        clock.touch()
    assert clock.take() == 10 + 20 + 60


def test_a_part_of_a_second_is_kept_for_the_next_time():
    time = Time()
    clock = WorkClock(time)
    clock.touch()
    time.seconds = 1.6
    assert clock.take() == 1
    time.seconds = 3.2
    assert clock.take() == 2


@pytest.mark.parametrize(("seconds", "text"), [(0, ""), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h 0 min"), (7830, "2 h 10 min")])
def test_a_time_in_words(seconds, text):
    assert timeText(seconds) == text


@pytest.fixture
def case(queue):
    roles, _ = opened(queue)
    time = Time()
    case = OpenCase(queue, "a", WorkClock(time))
    case.roles, case.time = roles, time
    yield case
    case.close()


def test_a_result_for_the_open_case_changes_its_state_and_waits_to_be_saved(case, queue):
    case.watch(published(name="other"))
    assert (case.node, case.changed, queue.row("a").state) == (None, False, "to do")
    case.watch(segmented(case.roles["t1ce"]))
    assert case.changed
    assert queue.row("a").state == "AI done"
    queue.change("a", state="reviewed")
    case.watch(segmented(case.roles["t1ce"]))
    assert queue.row("a").state == "reviewed"


def test_what_was_kept_needs_no_saving(case, queue):
    case.watch(segmented(case.roles["t1ce"]), saved=True)
    assert not case.changed
    assert queue.row("a").state == "to do"
    assert case.collect(case.roles, explicit=False) is None
    assert case.collect(case.roles, explicit=True) is not None


@pytest.mark.parametrize("change", ["paint", "add", "remove", "review"])
def test_every_change_is_noticed(case, change):
    node = editableNode(segmented(case.roles["t1ce"]))
    case.watch(node)
    assert case.collect(case.roles, explicit=False) is not None
    assert not case.changed
    if change == "paint":
        paint(node, "ED", np.zeros(SHAPE))
    elif change == "add":
        node.GetSegmentation().AddEmptySegment()
    elif change == "remove":
        node.GetSegmentation().RemoveSegment("ED")
    else:
        setReviewedSlices(node, planReview(node), {1})
    assert case.changed


def test_a_former_segmentation_is_no_longer_watched(case):
    former = editableNode(segmented(case.roles["t1ce"]))
    case.watch(former)
    case.watch(segmented(case.roles["t1ce"]))
    case.collect(case.roles, explicit=False)
    paint(former, "ED", np.zeros(SHAPE))
    assert not case.changed


def test_a_new_result_that_nobody_has_touched_does_not_replace_a_corrected_mask(case, queue):
    case.watch(editableNode(segmented(case.roles["t1ce"])))
    api.save_corrected(queue.corrected, "a", case.collect(case.roles, explicit=False))
    case.watch(segmented(case.roles["t1ce"]))
    assert case.collect(case.roles, explicit=False) is None
    assert case.collect(case.roles, explicit=True) is not None


def test_work_on_the_segmentation_and_in_the_views_is_time(case, queue):
    view = slicer.mrmlScene.AddNode(slicer.vtkMRMLSliceNode())
    node = editableNode(segmented(case.roles["t1ce"]))
    case.watch(node)
    case.time.seconds = 20
    paint(node, "ED", np.zeros(SHAPE))
    case.time.seconds = 1000
    case.collect(case.roles, explicit=False)
    assert queue.row("a").seconds == 20 + 60
    other = OpenCase(queue, "b", WorkClock(case.time))
    case.time.seconds = 1050
    view.Modified()
    case.time.seconds = 1200
    other.collect({}, explicit=False)
    assert queue.row("b").seconds == 50 + 60
    other.close()


def test_an_image_that_is_kept_already_is_not_copied_again(case, queue):
    case.watch(segmented(case.roles["t1ce"]))
    content = case.collect(case.roles, explicit=True)
    assert list(content.images) == ["t1ce"]
    api.save_corrected(queue.corrected, "a", content)
    assert dict(case.collect(case.roles, explicit=True).images) == {}


def test_images_of_other_cases_are_not_saved_with_this_one(case, queue):
    case.watch(segmented(case.roles["t1ce"]))
    other, _ = opened(queue, "b")
    content = case.collect({"t1ce": case.roles["t1ce"], "flair": other["t1ce"]}, explicit=True)
    assert list(content.images) == ["t1ce"]
    assert dict(content.details["inputs"]) == {"t1ce": "t1ce.nii.gz"}
