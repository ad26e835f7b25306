"""A saved scene (MRB) brings back the result, its uncertainty, what was edited and how far the review has come."""

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import slicer
import slicer.util
from BrainTumorSegGUI.editChanges import CHANGES_REFERENCE, showChanges
from BrainTumorSegGUI.editCopy import aiResultOf, editableNode
from BrainTumorSegGUI.handover import sourceVolume
from BrainTumorSegGUI.resultUncertainty import uncertaintyColors, uncertaintyOf
from BrainTumorSegGUI.review import planReview, reviewedSlices, setReviewedSlices
from results import SHAPE, doubt_array, label_array, paint, published, voxels

import BrainTumorSeg


@pytest.fixture
def file_logic(tmp_path):
    """What the application has and a bare scene lacks to read an MRB: a cache and the logic that fills it."""
    cache = slicer.vtkCacheManager()
    cache.SetRemoteCacheDirectory(str(tmp_path))
    cache.SetMRMLScene(slicer.mrmlScene)
    slicer.mrmlScene.SetCacheManager(cache)
    manager = slicer.vtkDataIOManager()
    manager.SetCacheManager(cache)
    slicer.mrmlScene.SetDataIOManager(manager)
    remote, logic = slicer.vtkMRMLRemoteIOLogic(), slicer.vtkDataIOManagerLogic()
    remote.SetMRMLScene(slicer.mrmlScene)
    remote.AddDataIOToScene()
    logic.SetMRMLApplicationLogic(slicer.applicationLogic)
    logic.SetAndObserveDataIOManager(slicer.mrmlScene.GetDataIOManager())
    yield
    remote.RemoveDataIOFromScene()


@pytest.fixture
def reopened(file_logic, tmp_path, parameters):
    """An edited, half reviewed result, saved and opened again; the choices of the scene."""
    parameters.t1ce = sourceVolume(published())
    parameters.segmentation = editableNode(slicer.util.getNode("T1ce tumor"))
    parameters.model = "t1ce-tumor"
    node = parameters.segmentation
    array = label_array() == 2
    array[0, 0, 0] = True
    paint(node, "ED", array)
    setReviewedSlices(node, planReview(node), {4, 3})
    showChanges(node)
    path = tmp_path / "scene.mrb"
    assert slicer.mrmlScene.WriteToMRB(str(path), None)
    slicer.mrmlScene.Clear()
    assert parameters.segmentation is None or not slicer.mrmlScene.IsNodePresent(parameters.segmentation)
    assert slicer.mrmlScene.ReadFromMRB(str(path), True)
    return BrainTumorSeg.BrainTumorSegLogic().getParameterNode()


def test_everything_comes_back(reopened):
    node = reopened.segmentation
    ai = aiResultOf(node)
    assert (reopened.model, reopened.t1ce.GetName(), node.GetName(), ai.GetName()) == ("t1ce-tumor", "T1ce", "T1ce tumor edited", "T1ce tumor")
    assert sourceVolume(node) is sourceVolume(ai) is reopened.t1ce
    # The segments, the model's and the edited ones
    assert voxels(ai, "ED") == np.argwhere(label_array() == 2).tolist()
    assert voxels(node, "ED") == [[0, 0, 0], *voxels(ai, "ED")]
    assert node.GetSegmentation().GetSegment("ET").GetTerminology().startswith("BrainTumorSeg brain tumors~")
    # What made them, and how they are shown
    assert ai.GetAttribute("BrainTumorSeg.ModelSha256") == "0" * 64
    assert editableNode(ai) is node
    assert not ai.GetDisplayNode().GetVisibility()
    assert node.GetDisplayNode().GetOpacity2DFill() == pytest.approx(0.3)
    assert node.GetDisplayNode().GetDisplayRepresentationName3D() == "Closed surface"
    # The review goes on where it stopped
    plan = planReview(node)
    assert plan.slices == (4, 3, 2, 1)
    assert reviewedSlices(node, plan) == {4, 3}
    # What was changed
    table = node.GetNodeReference(CHANGES_REFERENCE)
    assert [table.GetCellText(1, column) for column in (0, 1, 4)] == ["Edema", "0.909", "0.00"]
    assert showChanges(node) is table


def test_the_uncertainty_comes_back_with_its_colors(reopened):
    volume = uncertaintyOf(reopened.segmentation)
    assert slicer.util.arrayFromVolume(volume).reshape(SHAPE) == pytest.approx(doubt_array())
    display = volume.GetDisplayNode()
    assert display.GetColorNode() is uncertaintyColors()
    assert display.GetColorNode().GetNumberOfColors() == 256
    color = [0.0] * 4
    display.GetColorNode().GetColor(255, color)
    assert color[:3] == pytest.approx([253 / 255, 231 / 255, 37 / 255], abs=0.01)
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax(), display.GetApplyThreshold()) == (0, 1, 1)
