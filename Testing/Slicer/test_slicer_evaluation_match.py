"""Which structure is compared with which, by name or by hand."""

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import slicer
import slicer.util
from BrainTumorSegGUI.evaluationMatch import Pair, matchByName, pairsOf, unmatched
from BrainTumorSegGUI.evaluationSides import Structure, structuresOf


def structures(*names):
    return [Structure(f"id-{name}", name, 1) for name in names]


GLIOMA = structures("Necrotic and non-enhancing core", "Edema", "Enhancing tumor")


def test_names_are_matched_whatever_their_case_and_order():
    assert matchByName(structures("Edema", "Cyst"), structures("cyst ", "EDEMA")) == {"id-Edema": "id-EDEMA", "id-Cyst": "id-cyst "}


def test_the_short_name_of_a_class_is_matched_with_the_long_one():
    assert matchByName(GLIOMA, structures("ET", "ED", "NCR")) == dict(zip([part.key for part in GLIOMA], ["id-NCR", "id-ED", "id-ET"]))


def test_one_structure_on_each_side_is_matched_whatever_it_is_called():
    assert matchByName(structures("Tumor"), structures("Segment_1")) == {"id-Tumor": "id-Segment_1"}


def test_a_partner_is_taken_once():
    twice = [Structure("a", "Lesion", 1), Structure("b", "Lesion", 2)]
    assert matchByName(twice, structures("Lesion", "Other")) == {"a": "id-Lesion"}


def test_nothing_in_common_is_no_match():
    assert matchByName(structures("A", "B"), structures("C", "D")) == {}


def test_nested_regions_follow_where_both_sides_can_make_them_up():
    other = structures("NCR", "ED", "ET")
    pairs = pairsOf(GLIOMA, other, matchByName(GLIOMA, other))
    assert [pair.name for pair in pairs] == ["Necrotic and non-enhancing core", "Edema", "Enhancing tumor", "Whole tumor", "Tumor core"]
    assert pairs[3].reference == ("id-ED", "id-ET", "id-NCR")
    assert pairs[4].prediction == ("id-Enhancing tumor", "id-Necrotic and non-enhancing core")


def test_a_class_that_the_user_does_not_compare_does_not_come_back_as_a_region():
    assert [pair.name for pair in pairsOf(GLIOMA, GLIOMA, {})] == ["Whole tumor", "Tumor core"]


def test_a_region_of_which_a_class_is_missing_is_not_made_up():
    other = structures("NCR", "ET")
    assert [pair.name for pair in pairsOf(GLIOMA, other, matchByName(GLIOMA, other))][2:] == ["Tumor core"]


def test_a_segment_that_is_called_like_a_region_is_compared_with_that_region():
    assert pairsOf(GLIOMA, structures("Whole tumor", "Sulcus"), {}) == [
        Pair("Whole tumor", ("id-Edema", "id-Enhancing tumor", "id-Necrotic and non-enhancing core"), ("id-Whole tumor",))
    ]


def test_a_region_that_both_sides_have_as_a_segment_is_one_row():
    both = structures("Whole tumor", "Tumor core")
    assert [pair.name for pair in pairsOf(both, both, matchByName(both, both))] == ["Whole tumor", "Tumor core"]


def test_a_partner_that_is_gone_is_not_compared():
    assert pairsOf(structures("A"), structures("B"), {"id-A": "id-C"}) == []


def test_what_has_no_partner_is_named_on_both_sides():
    left, right = structures("A", "B"), structures("a", "C")
    assert unmatched(left, right, pairsOf(left, right, matchByName(left, right))) == (["B"], ["C"])


def label_map(*values):
    array = np.zeros((2, 2, 8), np.uint8)
    array[0, 0, : len(values)] = values
    return slicer.util.addVolumeFromArray(array, nodeClassName="vtkMRMLLabelMapVolumeNode")


def named(node):
    return {part.value: part.name for part in structuresOf(node)}


def test_a_label_map_of_one_value_is_the_tumor():
    assert named(label_map(1)) == {1: "Tumor"}


def test_values_are_read_as_brats_writes_them_old_and_new():
    names = ["Necrotic and non-enhancing core", "Edema", "Enhancing tumor"]
    assert named(label_map(1, 3)) == dict(zip((1, 2, 3), names))  # edema was looked for, and there is none
    assert named(label_map(1, 2, 4)) == dict(zip((1, 2, 4), names))


def test_values_that_mean_nothing_known_are_numbered():
    assert named(label_map(1, 7)) == {1: "Label 1", 7: "Label 7"}
    assert named(label_map(1, 2, 3, 4)) == {value: f"Label {value}" for value in (1, 2, 3, 4)}  # 3 and 4 would both be enhancing tumor


def test_the_names_of_a_color_table_of_the_users_are_read():
    colors = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLColorTableNode", "Readers")
    colors.SetTypeToUser()
    colors.SetNumberOfColors(3)
    colors.SetColor(2, "Cyst", 1.0, 0.0, 0.0, 1.0)
    node = label_map(1, 2)
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetAndObserveColorNodeID(colors.GetID())
    assert named(node)[2] == "Cyst"


def test_the_anatomy_of_slicers_own_color_table_is_not_believed():
    node = label_map(1)
    node.CreateDefaultDisplayNodes()
    slicer.modules.colors.logic().AddDefaultColorNodes()
    colors = slicer.mrmlScene.GetNodeByID("vtkMRMLColorTableNodeLabels")
    node.GetDisplayNode().SetAndObserveColorNodeID(colors.GetID())
    assert colors.GetColorName(1) != "Tumor"
    assert named(node) == {1: "Tumor"}


def test_an_empty_node_has_no_structures():
    assert structuresOf(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")) == []
    assert structuresOf(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")) == []
