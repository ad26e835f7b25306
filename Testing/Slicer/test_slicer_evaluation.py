"""Scores of a segmentation against a reference, in a table node."""

import math
import threading

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import slicer
import slicer.util
import standin
from boxes import SHAPE, box, label_map
from BrainTumorSegGUI import evaluation
from BrainTumorSegGUI.evaluation import ComparisonRun, evaluateNodes
from BrainTumorSegGUI.evaluationSides import collectSide
from BrainTumorSegGUI.publish import publishSegmentation
from BrainTumorSegGUI.volumes import volumeFromNode
from watching import scene_as_text, wait_for

from BrainTumorSegLib.api import Cancelled, InputError


def segmentation_node(array, name="T1ce", scheme="tumor"):
    volume = slicer.util.addVolumeFromArray(np.zeros(SHAPE, np.int16), np.diag([1.0, 1, 2, 1]), name)
    return publishSegmentation(standin.Result(volumeFromNode(volume).like(array), scheme=scheme), volume, {"t1ce": volume})


def drawn_node(array, names):
    """A segmentation as a user draws it: no attributes, IDs that Slicer makes."""
    node = segmentation_node(array, "Drawn", "glioma" if len(names) > 1 else "tumor")
    drawn = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Drawn by hand")
    drawn.GetSegmentation().DeepCopy(node.GetSegmentation())
    for index, name in enumerate(names):
        drawn.GetSegmentation().GetNthSegment(index).SetName(name)
    return drawn


def two_readers(array, names, name="Reader"):
    """Two lesions of values 1 and 2, as a reader calls them."""
    node = segmentation_node(array, name, "glioma")
    node.SetName(name)
    node.GetSegmentation().RemoveSegment("ET")
    for segment_id, segment_name in zip(("NCR", "ED"), names):
        node.GetSegmentation().GetSegment(segment_id).SetName(segment_name)
    return node


def labelmap_node(array, spacing_k=2.0):
    return label_map(array, "Truth", np.diag([1.0, 1, spacing_k, 1]))


def cells(table):
    """Rows of (class, dice, iou, hd95, status), as numbers where they are; the two volumes are left out."""
    rows = [[table.GetCellText(row, column) for column in range(5)] for row in range(table.GetNumberOfRows())]
    return [(name, float(dice), float(iou), float(hd95), status) for name, dice, iou, hd95, status in rows]


def test_the_scores_of_two_boxes_are_the_ones_worked_out_by_hand():
    # Boxes of 4 x 4 x 3 voxels (i = 2, 3, 4 and 3, 4, 5) share 4 x 4 x 2: Dice = 2 * 32 / (48 + 48) = 2/3, IoU = 32 / 64 = 1/2.
    # Every border voxel of one lies at most one voxel of 1 mm along i from a border of the other, and the far faces exactly that: HD95 = 1 mm.
    table, notices = evaluateNodes(segmentation_node(box(2, 5)), labelmap_node(box(3, 6)))
    assert notices == ()
    [(name, dice, iou, hd95, status)] = cells(table)
    assert (name, status) == ("Tumor", "ok")
    assert dice == pytest.approx(2 / 3, abs=5e-5)
    assert iou == pytest.approx(1 / 2)
    assert hd95 == pytest.approx(1.0)


def test_the_table_is_a_new_node_named_after_both():
    table, _ = evaluateNodes(segmentation_node(box(2, 5)), labelmap_node(box(3, 6)))
    assert table.GetName() == "T1ce tumor vs Truth"
    titles = [table.GetColumnName(column) for column in range(table.GetNumberOfColumns())]
    assert titles == ["Class", "Dice", "IoU", "HD95 (mm)", "Status", "Volume (mL)", "Reference volume (mL)"]
    assert slicer.mrmlScene.IsNodePresent(table)


def test_volumes_are_those_of_the_voxels():
    # 4 x 4 x 3 voxels of 1 x 1 x 2 mm are 96 cubic millimeters; the reference has 4 x 4 x 2.
    table, _ = evaluateNodes(segmentation_node(box(2, 5)), labelmap_node(box(3, 5)))
    assert [float(table.GetCellText(0, column)) for column in (5, 6)] == pytest.approx([0.096, 0.064])


def test_a_missed_tumor_has_no_distance_and_says_why():
    table, _ = evaluateNodes(segmentation_node(box(0, 0)), labelmap_node(box(3, 6)))
    [(_, dice, iou, hd95, status)] = cells(table)
    assert (dice, iou, status) == (0.0, 0.0, "missed")
    assert math.isnan(hd95)


def test_two_segmentations_are_compared_whatever_the_segment_is_called():
    table, _ = evaluateNodes(segmentation_node(box(2, 5)), drawn_node(box(2, 5), ["Segment_1"]))
    assert cells(table)[0][1] == 1.0


def test_sub_regions_are_matched_by_name_and_scored_with_their_nested_regions():
    array = box(2, 3, 1) + box(3, 4, 2) + box(4, 5, 3)
    table, _ = evaluateNodes(segmentation_node(array, scheme="glioma"), drawn_node(array, ["necrotic and non-enhancing core", "EDEMA", "ET"]))
    assert [row[0] for row in cells(table)] == ["Necrotic and non-enhancing core", "Edema", "Enhancing tumor", "Whole tumor", "Tumor core"]
    assert all(row[1] == 1.0 for row in cells(table))


def test_one_tumor_is_compared_with_all_sub_regions_of_a_label_map():
    glioma = box(2, 3, 1) + box(3, 4, 2) + box(4, 5, 4)  # 4: enhancing tumor of BraTS before 2023
    table, notices = evaluateNodes(segmentation_node(box(2, 5)), labelmap_node(glioma))
    assert [(row[0], row[1]) for row in cells(table)] == [("Tumor", 1.0)]
    assert notices == ("Truth has several classes: all of them together are compared as tumor",)


def test_sub_regions_are_compared_as_one_tumor_with_a_reference_that_has_one():
    glioma = box(2, 3, 1) + box(3, 4, 2) + box(4, 5, 3)
    table, notices = evaluateNodes(segmentation_node(glioma, scheme="glioma"), labelmap_node(box(2, 5)))
    assert [(row[0], row[1]) for row in cells(table)] == [("Tumor", 1.0)]
    assert notices == ("T1ce tumor has several classes: all of them together are compared as tumor",)


def test_a_glioma_reference_of_necrosis_alone_is_still_scored_by_sub_regions():
    prediction = segmentation_node(box(2, 4, 1) + box(4, 5, 3), scheme="glioma")
    table, _ = evaluateNodes(prediction, segmentation_node(box(2, 4, 1), "Reference", scheme="glioma"))
    scores = {row[0]: row for row in cells(table)}
    assert scores["Necrotic and non-enhancing core"][1] == 1.0
    assert scores["Enhancing tumor"][4] == "false positive"


def test_another_grid_is_noticed():
    # The same box on slices half as thick: 2 mm slices 2..5 are 1 mm slices 4..11; voxel centers differ by half a slice.
    thin = np.zeros((16, 8, 8), np.uint8)
    thin[4:12, 2:6, 2:5] = 1
    _, notices = evaluateNodes(segmentation_node(box(2, 5)), labelmap_node(thin, spacing_k=1.0))
    assert len(notices) == 1
    assert "resampled to the reference's grid" in notices[0]


def test_a_moved_segmentation_is_compared_where_it_lies():
    node = segmentation_node(box(2, 5))
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.array([[1.0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])))
    node.SetAndObserveTransformNodeID(transform.GetID())
    table, _ = evaluateNodes(node, labelmap_node(box(3, 6)))  # one voxel further along i
    assert cells(table)[0][1] == 1.0


def test_a_segment_without_a_partner_is_not_compared_and_named():
    array = box(2, 3, 1) + box(3, 4, 2) + box(4, 5, 3)
    drawn = drawn_node(array, ["NCR", "Edema", "ET"])
    drawn.GetSegmentation().AddEmptySegment("", "Ventricle")
    table, notices = evaluateNodes(segmentation_node(array, scheme="glioma"), drawn)
    assert "Ventricle" not in [row[0] for row in cells(table)]
    assert notices == ("T1ce tumor has no partner for Ventricle: not compared",)


def test_the_user_may_match_what_is_called_differently():
    two = box(2, 3, 1) + box(4, 5, 2)
    table, _ = evaluateNodes(two_readers(two, ["Lesion A", "Lesion B"]), two_readers(two, ["first", "second"]), {"NCR": "ED"})
    assert [(row[0], row[1]) for row in cells(table)] == [("Lesion A", 0.0)]  # A is the first lesion, and was matched with the second


def test_matching_nothing_by_hand_is_refused():
    with pytest.raises(InputError, match="no segment is matched"):
        evaluateNodes(segmentation_node(box(2, 5)), labelmap_node(box(2, 5)), matches={}, joined=False)


def test_everything_can_be_compared_as_one_structure():
    two = box(2, 3, 1) + box(4, 5, 2)
    table, notices = evaluateNodes(two_readers(two, ["A", "B"], "Reader 1"), two_readers(two, ["A", "B"], "Reader 2"), joined=True)
    assert [(row[0], row[1]) for row in cells(table)] == [("Tumor", 1.0)]
    assert [notice.partition(" has")[0] for notice in notices] == ["Reader 1", "Reader 2"]


def test_two_readers_are_compared_by_the_names_they_gave():
    # A is the same; B is one slice of two that the readers share: Dice = 2 * 16 / (16 + 32).
    first = two_readers(box(2, 3, 1) + box(4, 5, 2), ["A", "B"], "Reader 1")
    second = two_readers(box(2, 3, 1) + box(4, 6, 2), ["a", "b"], "Reader 2")
    table, notices = evaluateNodes(first, second)
    assert [(row[0], row[1]) for row in cells(table)] == [("A", 1.0), ("B", pytest.approx(2 / 3, abs=5e-5))]
    assert notices == ()


def test_two_label_maps_are_compared_too():
    table, _ = evaluateNodes(labelmap_node(box(2, 5)), labelmap_node(box(2, 5)))
    assert [(row[0], row[1]) for row in cells(table)] == [("Tumor", 1.0)]


def test_a_segmentation_without_segments_is_refused():
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Nothing")
    with pytest.raises(InputError, match="Nothing has no segment with voxels"):
        evaluateNodes(segmentation_node(box(2, 5)), empty)


def test_a_prediction_beside_the_grid_of_the_reference_is_noticed():
    far = slicer.util.addVolumeFromArray(box(2, 5), np.array([[1.0, 0, 0, 500], [0, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]]), "Far", "vtkMRMLLabelMapVolumeNode")
    table, notices = evaluateNodes(far, labelmap_node(box(2, 5)))
    assert cells(table)[0][4] == "missed"
    assert notices == ("nothing of Far lies inside the grid of Truth: check that they belong together",)


def drawn_on_nothing(array, name):
    """A segmentation that came without a volume: its grid ends at its segment."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    source = labelmap_node(array)
    slicer.modules.segmentations.logic().ImportLabelmapToSegmentationNode(source, node)
    slicer.mrmlScene.RemoveNode(source)
    return node


def test_what_lies_beyond_the_segments_of_a_reference_counts_too():
    # Found i = 2..5, true 3..4 on a grid of 3..4: Dice = 2 * 32 / (64 + 32), not the 1 that the reference's own grid would give.
    table, notices = evaluateNodes(segmentation_node(box(2, 6)), drawn_on_nothing(box(3, 5), "Drawn"))
    assert cells(table)[0][1] == pytest.approx(2 / 3, abs=5e-5)
    assert notices == ()  # the same voxels, only more of them


def test_a_node_that_is_far_away_does_not_blow_up_the_grid():
    far = slicer.util.addVolumeFromArray(
        box(2, 5), np.array([[1.0, 0, 0, 1e6], [0, 1, 0, 1e6], [0, 0, 1, 1e6], [0, 0, 0, 1]]), "Far", "vtkMRMLLabelMapVolumeNode"
    )
    table, notices = evaluateNodes(far, drawn_on_nothing(box(3, 5), "Drawn"))
    assert cells(table)[0][4] == "missed"
    assert any("nothing of Far lies inside" in notice for notice in notices)


def test_segments_that_overlap_are_each_compared_whole():
    node = segmentation_node(box(2, 5))
    whole = slicer.vtkSegment()
    whole.DeepCopy(node.GetSegmentation().GetNthSegment(0))
    whole.SetName("Whole")
    node.GetSegmentation().AddSegment(whole, "Whole")
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Reader 2")
    other.GetSegmentation().DeepCopy(node.GetSegmentation())
    table, _ = evaluateNodes(node, other)
    assert [(row[0], row[1]) for row in cells(table)] == [("Tumor", 1.0), ("Whole", 1.0)]


def test_evaluating_adds_the_table_and_nothing_else():
    prediction, reference = segmentation_node(box(2, 5)), labelmap_node(box(3, 6))
    before = slicer.mrmlScene.GetNumberOfNodes()
    evaluateNodes(prediction, reference)
    assert slicer.mrmlScene.GetNumberOfNodes() == before + 1


def test_a_comparison_is_cancelled_and_leaves_the_scene_as_it_was():
    prediction, reference = segmentation_node(box(2, 5)), labelmap_node(box(3, 6))
    before = scene_as_text()
    run = ComparisonRun(prediction, reference)
    run.cancel()
    wait_for(run)
    with pytest.raises(Cancelled):
        run.comparison  # noqa: B018
    assert scene_as_text() == before


def test_an_image_that_segments_share_is_collected_once():
    array = box(2, 5)
    array[array > 0] = np.arange(np.count_nonzero(array)) % 2 + 1
    for node in (two_readers(array, ("A", "B")), labelmap_node(array)):
        first, second = (layer for layer, _ in list(collectSide(node).layers.values())[:2])
        assert first is second
        assert set(np.unique(first.array)) == {0, 1, 2}


def test_the_voxels_are_compared_in_a_thread(monkeypatch):
    threads, evaluate = [], evaluation.api.evaluate

    def watched(*arguments):
        threads.append(threading.current_thread())
        return evaluate(*arguments)

    monkeypatch.setattr(evaluation.api, "evaluate", watched)
    run = ComparisonRun(segmentation_node(box(2, 5)), labelmap_node(box(2, 5)))
    wait_for(run)
    assert len(threads) == 1 and threads[0] is not threading.current_thread()


def test_the_scene_may_close_while_it_is_compared():
    run = ComparisonRun(segmentation_node(box(2, 5)), labelmap_node(box(2, 5)))
    slicer.mrmlScene.Clear()
    wait_for(run)
    assert [row.dice for _, row in run.comparison.rows] == [1.0]
