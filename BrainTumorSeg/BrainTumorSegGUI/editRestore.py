"""Taking the model's result back into an edited segmentation, in one undo step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import slicer

from BrainTumorSegGUI.editCopy import aiResultOf
from BrainTumorSegGUI.resultSegments import imageFromMask, referenceGeometry, segmentIds, segmentMask


def restoreAi(node: slicer.vtkMRMLSegmentationNode, saveStateForUndo: Callable[[], None], place: tuple[int, int] | None = None) -> bool:
    """Make the segments what the model had made of them.

    Segments that the model did not make stay as they are. Of a whole result, a segment that was removed comes back.

    Args:
        node: an edited segmentation whose model's result is in the scene.
        saveStateForUndo: called once before the first change, and not at all where there is nothing to change.
        place: (axis of [k, j, i], index) of the only slice to restore; None for everything.

    Returns:
        Whether anything was changed.
    """
    ai = aiResultOf(node)
    geometry = referenceGeometry(ai)
    new = {segmentId: _restored(node, ai, segmentId, geometry, place) for segmentId in segmentIds(ai) if segmentId in segmentIds(node)}
    changed = {segmentId: mask for segmentId, mask in new.items() if mask is not None}
    removed = [segmentId for segmentId in segmentIds(ai) if segmentId not in new] if place is None else []
    if not changed and not removed:
        return False
    saveStateForUndo()
    for segmentId, mask in changed.items():
        slicer.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(imageFromMask(mask, geometry), node, segmentId)
    for segmentId in removed:
        node.GetSegmentation().CopySegmentFromSegmentation(ai.GetSegmentation(), segmentId)
    node.GetSegmentation().CollapseBinaryLabelmaps(False)  # segments that overlapped for a moment share an image again
    return True


def _restored(
    node: slicer.vtkMRMLSegmentationNode,
    ai: slicer.vtkMRMLSegmentationNode,
    segmentId: str,
    geometry: slicer.vtkOrientedImageData,
    place: tuple[int, int] | None,
) -> np.ndarray | None:
    """The new mask of a segment, None where it is the old one."""
    now, before = (segmentMask(side, segmentId, geometry) for side in (node, ai))
    where: tuple[slice | int, ...] = (slice(None),) * 3
    if place is not None:
        where = tuple(place[1] if axis == place[0] else slice(None) for axis in range(3))
    if np.array_equal(now[where], before[where]):
        return None
    now[where] = before[where]
    return now
