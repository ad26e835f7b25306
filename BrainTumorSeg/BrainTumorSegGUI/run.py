"""One run: inputs collected from the scene, segmented in a thread, published as a new node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer

from BrainTumorSegGUI.background import BackgroundTask, TaskState
from BrainTumorSegGUI.publish import publishSegmentation
from BrainTumorSegGUI.volumes import collectVolumes
from BrainTumorSegLib.api import InputError, SegmentOptions

if TYPE_CHECKING:
    from BrainTumorSegLib.api import Segmentation

SegmentFunction = Callable[..., "Segmentation"]
"""`api.segment`, or another function with its signature."""


class SegmentationRun:
    """Made, polled and published on the main thread; between these the scene may change or close."""

    def __init__(
        self,
        nodes: Mapping[str, slicer.vtkMRMLScalarVolumeNode],
        model: str | None = None,
        options: SegmentOptions | None = None,
        *,
        segment: SegmentFunction,
    ) -> None:
        """Copies the inputs and starts the thread.

        Raises:
            InputError: see `volumes.collectVolumes`.
        """
        # Kept as IDs: a node may leave the scene, and must then not be kept alive, or used, by this.
        self._nodeIds = {role: node.GetID() for role, node in nodes.items()}
        self._volumes = collectVolumes(nodes)
        self._result: Segmentation | None = None

        def work(progress: Any, cancel: Any) -> Segmentation:
            # A numpy warning would be written to Slicer's Python console, which is a Qt widget, from this thread.
            with np.errstate(all="ignore"):
                return segment(self._volumes, model, options=options or SegmentOptions(), progress=progress, cancel=cancel)

        self._task = BackgroundTask(work)
        self._task.start()

    def poll(self, wait_s: float = 0.0) -> TaskState:
        """See `BackgroundTask.poll`."""
        return self._task.poll(wait_s)

    def cancel(self) -> None:
        self._task.cancel()

    @property
    def cancelled(self) -> bool:
        return self._task.cancelled

    @property
    def result(self) -> Segmentation:
        """What the backend found, once finished; raises what the thread raised, or `Cancelled`."""
        return self._task.result()

    def publish(self) -> slicer.vtkMRMLSegmentationNode:
        """The result as a new node of the scene, once finished.

        Raises:
            Cancelled, InputError, ModelError: what the thread raised.
            InputError: the input was removed from the scene meanwhile.
        """
        result = self.result
        role = next((role for role, volume in self._volumes.items() if volume.same_grid(result.labels)), next(iter(self._volumes)))
        nodes = {role: slicer.mrmlScene.GetNodeByID(nodeId) for role, nodeId in self._nodeIds.items()}
        missing = [self._volumes[role].name for role, node in nodes.items() if node is None]
        if missing:
            raise InputError(f"{missing[0]} was removed from the scene while it was segmented, but its result belongs beside it; load it and run again")
        return publishSegmentation(result, nodes[role], nodes)
