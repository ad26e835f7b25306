"""The case of the queue that is open: what was changed in it, for how long somebody worked on it, and what has to be saved."""

from __future__ import annotations

from collections.abc import Mapping

import slicer
import vtk
from slicer.util import VTKObservationMixin

from BrainTumorSegGUI.editCopy import isAiResult
from BrainTumorSegGUI.queueCases import belongsTo, collectCase
from BrainTumorSegGUI.queueClock import WorkClock
from BrainTumorSegLib import api

_EDITS = (
    vtk.vtkCommand.ModifiedEvent,
    slicer.vtkSegmentation.SourceRepresentationModified,
    slicer.vtkSegmentation.RepresentationModified,  # the only event where a segment becomes empty
    slicer.vtkSegmentation.SegmentAdded,
    slicer.vtkSegmentation.SegmentRemoved,
)


class OpenCase(VTKObservationMixin):
    """Watches the segmentation of one case and the slice views.

    Attributes:
        name: of the case.
        node: its segmentation, None while there is none.
        changed: whether there is something that was not saved.
        ignored: names of segments that were left out when it was saved last: no label of training stands for them.
    """

    def __init__(self, queue: api.CaseQueue, name: str, clock: WorkClock | None = None) -> None:
        super().__init__()
        self.name = name
        self.node: slicer.vtkMRMLSegmentationNode | None = None
        self.changed = False
        self.ignored: tuple[str, ...] = ()
        self._queue = queue
        self._clock = clock or WorkClock()
        self._clock.touch()
        for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            self.addObserver(view, vtk.vtkCommand.ModifiedEvent, self._onLooked)

    def watch(self, node: slicer.vtkMRMLSegmentationNode | None, *, saved: bool = False) -> None:
        """Tell which segmentation is chosen; one that was not made from this case does not count.

        Args:
            saved: it is what was kept of the case, so there is nothing to save yet.
        """
        node = node if belongsTo(node, self.name) else None
        if node is self.node:
            return
        for event in _EDITS if self.node is not None else ():
            self.removeObserver(self.node, event, self._onEdited)
        self.node = node
        for event in _EDITS if node is not None else ():
            self.addObserver(node, event, self._onEdited)
        self.changed = node is not None and not saved
        if self.changed and self._queue.row(self.name).state == api.TO_DO:
            self._queue.change(self.name, state=api.AI_DONE)

    def collect(self, inputs: Mapping[str, slicer.vtkMRMLScalarVolumeNode], *, explicit: bool) -> api.CorrectedCase | None:
        """What has to be saved, with copies of all voxels; None where there is nothing. The time spent is stored at once.

        Args:
            inputs: the chosen volumes by role.
            explicit: somebody asked for it. Otherwise a model's result that nobody has touched does not replace a mask that was kept before.

        Raises:
            InputError: see `collectCase` and `api.CaseQueue.change`.
        """
        seconds = self._clock.take()
        if seconds:
            self._queue.change(self.name, seconds=seconds)
        if self.node is None or not (self.changed or explicit):
            return None
        if isAiResult(self.node) and not explicit and api.is_corrected(self._queue.corrected, self.name):
            return None
        content, self.ignored = collectCase(self.node, inputs, self.name, self._queue.corrected)
        self.changed = False
        return content

    def close(self) -> None:
        """Watch nothing any more."""
        self.removeObservers()
        self.node = None

    def _onEdited(self, caller, event) -> None:
        self.changed = True
        self._clock.touch()

    def _onLooked(self, caller, event) -> None:
        self._clock.touch()
