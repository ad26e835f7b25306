"""Going through the slices: in the order of doubt, in whatever way a volume is stored, and kept with the scene."""

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import slicer
import slicer.util
from BrainTumorSegGUI.editCopy import editableNode
from BrainTumorSegGUI.resultUncertainty import uncertaintyOf
from BrainTumorSegGUI.review import jumpToSlice, planReview, reviewedSlices, setReviewedSlices, shownSlice, turnViewsToVolume
from grids import DIRECTIONS, ijk_to_ras
from results import SHAPE, paint, published

from BrainTumorSegLib.api import InputError


@pytest.fixture
def views():
    """Three slice views as the application has them."""
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(slicer.mrmlScene)
    nodes = []
    for name in ("Axial", "Sagittal", "Coronal"):
        view = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSliceNode")  # with the scene's orientations, unlike the class itself
        view.SetLayoutName(name)
        view = slicer.mrmlScene.AddNode(view)
        view.SetOrientation(name)
        view.SetFieldOfView(200, 200, 1)
        nodes.append(view)
    return nodes


def middle(view):
    return slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())[:3, 3]


def test_the_most_doubtful_slice_comes_first():
    plan = planReview(published())
    assert (plan.plane, plan.axis, plan.slices) == ("axial", 0, (4, 3, 2, 1))
    # A pixel is 0.5 x 2 = 1 mm².
    assert plan.doubt_mm2 == pytest.approx((0, 0, 1, 2, 3))


def test_without_uncertainty_the_slice_with_the_largest_tumor_comes_first():
    assert planReview(published(doubt=False)).slices == (1, 2, 3)


def test_editing_changes_neither_the_list_nor_its_order():
    copy = editableNode(published())
    before = planReview(copy)
    for key in ("NCR", "ED", "ET"):
        paint(copy, key, np.zeros(SHAPE))
    assert planReview(copy) == before


def test_a_segmentation_without_a_grid_is_refused():
    with pytest.raises(InputError, match="mine has no grid"):
        planReview(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine"))


def test_uncertainty_that_was_moved_is_refused():
    node = published()
    uncertaintyOf(node).SetOrigin(99, 0, 0)
    with pytest.raises(InputError, match="lies on another grid"):
        planReview(node)


def test_reviewed_slices_are_kept_with_the_node():
    node = published()
    plan = planReview(node)
    assert reviewedSlices(node, plan) == set()
    setReviewedSlices(node, plan, {4, 2})
    assert reviewedSlices(node, plan) == {2, 4}
    assert node.GetAttribute("BrainTumorSeg.Reviewed") == '{"axis": 0, "slices": [2, 4]}'


def test_slices_that_were_reviewed_along_another_axis_do_not_count():
    node = published()
    node.SetAttribute("BrainTumorSeg.Reviewed", '{"axis": 1, "slices": [2]}')
    assert reviewedSlices(node, planReview(node)) == set()


@pytest.mark.parametrize("name", DIRECTIONS)
def test_all_views_go_to_the_place_in_doubt_and_the_shown_slice_is_told(name, views):
    node = published(directions=DIRECTIONS[name])
    plan = planReview(node)
    turnViewsToVolume(node.GetNodeReference("referenceImageGeometryRef"))
    for index in plan.slices:
        jumpToSlice(node, plan, index)
        assert shownSlice(node, plan) == index
        place = (ijk_to_ras(DIRECTIONS[name]) @ [*plan.centers[index], 1])[:3]
        for view in views:
            toRas = slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())
            assert (place - toRas[:3, 3]) @ toRas[:3, 2] == pytest.approx(0, abs=1e-6)  # the place lies in the view's plane


def test_a_view_that_shows_the_place_keeps_its_middle_and_another_one_moves_it(views):
    node = published()
    plan = planReview(node)
    axial, sagittal, _ = views
    axial.JumpSliceByCentering(20, 30, 0)
    sagittal.SetFieldOfView(1, 1, 1)
    sagittal.JumpSliceByCentering(500, 500, 500)
    jumpToSlice(node, plan, 4)
    place = (ijk_to_ras(DIRECTIONS["lps"]) @ [*plan.centers[4], 1])[:3]
    assert middle(axial) == pytest.approx([20, 30, place[2]])
    assert middle(sagittal) == pytest.approx(place)


def test_a_segmentation_that_was_moved_is_shown_where_it_lies(views):
    node = published()
    plan = planReview(node)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 40], [0, 0, 0, 1]])))
    node.SetAndObserveTransformNodeID(transform.GetID())
    jumpToSlice(node, plan, 3)
    assert middle(views[0])[2] == pytest.approx(5 + 3 * 3 + 40)
    assert shownSlice(node, plan) == 3


def test_outside_of_the_volume_no_slice_is_shown(views):
    node = published()
    plan = planReview(node)
    views[0].JumpSliceByOffsetting(0, 0, 500)
    assert shownSlice(node, plan) is None


def test_without_a_view_no_slice_is_shown():
    node = published()
    assert shownSlice(node, planReview(node)) is None


def test_the_volume_is_put_behind_all_views():
    composite = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    volume = published().GetNodeReference("referenceImageGeometryRef")
    turnViewsToVolume(volume)
    assert composite.GetBackgroundVolumeID() == volume.GetID()
