"""Scores of a segmentation against a reference, in a table node."""

import math

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import slicer
import slicer.util
import standin
from BrainTumorSegGUI.evaluation import evaluateNodes, labelVolume, schemeOf
from BrainTumorSegGUI.publish import publishSegmentation
from BrainTumorSegGUI.volumes import volumeFromNode

from BrainTumorSegLib.api import InputError

SHAPE = (8, 8, 8)


def box(low, high, value=1):
    array = np.zeros(SHAPE, np.uint8)
    array[2:6, 2:6, low:high] = value
    return array


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


def labelmap_node(array, spacing_k=2.0):
    return slicer.util.addVolumeFromArray(array, np.diag([1.0, 1, spacing_k, 1]), "Truth", "vtkMRMLLabelMapVolumeNode")


def cells(table):
    """Rows of (class, dice, iou, hd95, status), as numbers where they are."""
    rows = [[table.GetCellText(row, column) for column in range(5)] for row in range(table.GetNumberOfRows())]
    return [(name, float(dice), float(iou), float(hd95), status) for name, dice, iou, hd95, status in rows]


def test_the_scores_of_two_boxes_are_the_ones_worked_out_by_hand():
    # Boxes of 4 x 4 x 3 voxels (i = 2, 3, 4 and 3, 4, 5) share 4 x 4 x 2: Dice = 2 * 32 / (48 + 48) = 2/3, IoU = 32 / 64 = 1/2.
    # Every border voxel of one lies at most one voxel of 1 mm along i from a border of the other, and the far faces exactly that: HD95 = 1 mm.
    table, notices = evaluateNodes(segmentation_node(box(2, 5)), labelmap_node(box(3, 6)))
    assert notices == ()
    [(name, dice, iou, hd95, status)] = cells(table)
    assert (name, status) == ("Tumor", "ok")
    assert dice == pytest.approx(2 / 3)
    assert iou == pytest.approx(1 / 2)
    assert hd95 == pytest.approx(1.0)


def test_the_table_is_a_new_node_named_after_both():
    table, _ = evaluateNodes(segmentation_node(box(2, 5)), labelmap_node(box(3, 6)))
    assert table.GetName() == "T1ce tumor vs Truth"
    assert [table.GetColumnName(column) for column in range(table.GetNumberOfColumns())] == ["Class", "Dice", "IoU", "HD95 (mm)", "Status"]
    assert slicer.mrmlScene.IsNodePresent(table)


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


def test_a_segment_that_is_no_part_of_a_glioma_is_named():
    array = box(2, 3, 1) + box(3, 4, 2) + box(4, 5, 3)
    drawn = drawn_node(array, ["NCR", "Edema", "ET"])
    drawn.GetSegmentation().AddEmptySegment("", "Ventricle")
    with pytest.raises(InputError, match="Drawn by hand has a segment 'Ventricle'"):
        evaluateNodes(segmentation_node(array, scheme="glioma"), drawn)


def test_a_segmentation_without_segments_is_refused():
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Nothing")
    with pytest.raises(InputError, match="Nothing has no segment with voxels"):
        evaluateNodes(segmentation_node(box(2, 5)), empty)


def test_the_scheme_is_read_from_the_attribute_else_from_names_and_values():
    assert schemeOf(segmentation_node(box(2, 5), scheme="glioma")) == "glioma"
    assert schemeOf(drawn_node(box(2, 5), ["Segment_1"])) == "tumor"
    assert schemeOf(drawn_node(box(2, 5), ["one", "two", "three"])) == "glioma"  # by their IDs, NCR, ED and ET
    assert schemeOf(labelmap_node(box(2, 5))) == "tumor"
    assert schemeOf(labelmap_node(box(2, 5, 4))) == "glioma"


def test_a_segmentation_read_back_as_labels_is_what_was_published():
    array = box(2, 3, 1) + box(3, 4, 2) + box(4, 5, 3)
    node = segmentation_node(array, scheme="glioma")
    volume = labelVolume(node, "glioma")
    assert np.array_equal(volume.array, array)
    assert volume.same_grid(volumeFromNode(node.GetNodeReference("referenceImageGeometryRef")))


def test_evaluating_adds_the_table_and_nothing_else():
    prediction, reference = segmentation_node(box(2, 5)), labelmap_node(box(3, 6))
    before = slicer.mrmlScene.GetNumberOfNodes()
    evaluateNodes(prediction, reference)
    assert slicer.mrmlScene.GetNumberOfNodes() == before + 1
