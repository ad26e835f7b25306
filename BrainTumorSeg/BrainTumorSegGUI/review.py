"""Going through the slices of a result: which are reviewed, which comes next, and showing it."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from BrainTumorSegGUI.editCopy import REVIEWED_ATTRIBUTE, aiResultOf
from BrainTumorSegGUI.resultSegments import imageFromMask, referenceGeometry, segmentIds, segmentMask
from BrainTumorSegGUI.resultUncertainty import uncertaintyOf
from BrainTumorSegGUI.volumes import volumeFromImage, volumeFromNode
from BrainTumorSegLib import api
from BrainTumorSegLib.api import InputError, ReviewPlan


def planReview(node: slicer.vtkMRMLSegmentationNode) -> ReviewPlan:
    """Which slices of a segmentation to look at, the most doubtful first; see `api.plan_review`.

    It is made from the model's result where there is one: editing changes neither the list nor its order.

    Raises:
        InputError: the segmentation has no grid, or its uncertainty lies on another one.
    """
    made = aiResultOf(node) or node
    geometry = referenceGeometry(made)
    if geometry is None:
        raise InputError(
            _("{name} has no grid, but slices are counted on one; choose its source volume in the Segment Editor first").format(name=made.GetName())
        )
    found = np.zeros(geometry.GetDimensions()[::-1], bool)
    for segmentId in segmentIds(made):
        found |= segmentMask(made, segmentId, geometry)
    labels = volumeFromImage(imageFromMask(found, geometry), _ijkToLocal(geometry), made.GetName())
    uncertaintyNode = uncertaintyOf(made)
    return api.plan_review(labels, volumeFromNode(uncertaintyNode) if uncertaintyNode is not None else None)


def reviewedSlices(node: slicer.vtkMRMLSegmentationNode, plan: ReviewPlan) -> set[int]:
    """The slices that somebody has approved; kept with the node, and so with the scene."""
    stored = json.loads(node.GetAttribute(REVIEWED_ATTRIBUTE) or "{}")
    return set(stored.get("slices", ())) if stored.get("axis") == plan.axis else set()


def setReviewedSlices(node: slicer.vtkMRMLSegmentationNode, plan: ReviewPlan, slices: Iterable[int]) -> None:
    """Keep which slices are approved."""
    node.SetAttribute(REVIEWED_ATTRIBUTE, json.dumps({"axis": plan.axis, "slices": sorted(slices)}))


def shownSlice(node: slicer.vtkMRMLSegmentationNode, plan: ReviewPlan) -> int | None:
    """The index of the slice that the view most parallel to the plan's plane shows; None where there is no view, or it is outside."""
    geometry = referenceGeometry(node)
    column, extent = 2 - plan.axis, geometry.GetExtent()
    ijkToRas = slicer.util.arrayFromVTKMatrix(_ijkToLocal(geometry))
    normal = ijkToRas[:3, column] / np.linalg.norm(ijkToRas[:3, column])
    views = [slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS()) for view in slicer.util.getNodesByClass("vtkMRMLSliceNode")]
    if not views:
        return None
    view = max(views, key=lambda toRas: abs(toRas[:3, 2] @ normal))
    local = [0.0, 0.0, 0.0]
    node.TransformPointFromWorld(view[:3, 3], local)
    index = round(float((np.linalg.inv(ijkToRas) @ [*local, 1.0])[column])) - extent[2 * column]
    return index if 0 <= index <= extent[2 * column + 1] - extent[2 * column] else None


def jumpToSlice(node: slicer.vtkMRMLSegmentationNode, plan: ReviewPlan, index: int) -> None:
    """Show a slice in all slice views, at the place worth a look, else in its middle; a view that would not show the place moves there."""
    geometry = referenceGeometry(node)
    middle = [size // 2 for size in geometry.GetDimensions()]
    middle[2 - plan.axis] = index
    ijk = np.array(geometry.GetExtent()[::2]) + plan.centers.get(index, middle)
    local = slicer.util.arrayFromVTKMatrix(_ijkToLocal(geometry)) @ [*ijk, 1.0]
    world = [0.0, 0.0, 0.0]
    node.TransformPointToWorld(local[:3], world)
    for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        view.JumpSliceByOffsetting(*world)
        if not _isSeen(view, world):
            view.JumpSliceByCentering(*world)


def turnViewsToVolume(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Show a volume in all slice views, in its own planes: on an oblique one, painting in other planes leaves steps."""
    for compositeNode in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        compositeNode.SetBackgroundVolumeID(volumeNode.GetID())
    for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        view.RotateToVolumePlane(volumeNode)


def _ijkToLocal(geometry: slicer.vtkOrientedImageData) -> vtk.vtkMatrix4x4:
    matrix = vtk.vtkMatrix4x4()
    geometry.GetImageToWorldMatrix(matrix)
    return matrix


def _isSeen(view: slicer.vtkMRMLSliceNode, world: list[float]) -> bool:
    inView = np.linalg.inv(slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())) @ [*world, 1.0]
    return bool((np.abs(inView[:2]) <= np.array(view.GetFieldOfView()[:2]) / 2).all())
