"""One run: inputs collected from the scene, segmented in a thread, published as a new node; all in steps that keep the application alive."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from BrainTumorSegGUI.background import BackgroundTask, TaskState
from BrainTumorSegGUI.publish import publishSteps
from BrainTumorSegGUI.volumes import copySteps
from BrainTumorSegLib.api import Cancelled, InputError, SegmentOptions, Volume

if TYPE_CHECKING:
    from BrainTumorSegGUI.parameters import BrainTumorSegParameterNode
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
        """Looks at the inputs; `poll` copies them, piece by piece, and then starts the thread.

        Raises:
            InputError: see `volumes.copySteps`.
        """
        # Kept as IDs: a node may leave the scene, and must then not be kept alive, or used, by this.
        self._nodeIds = {role: node.GetID() for role, node in nodes.items()}
        self._volumes: dict[str, Volume] = {}
        self._copying: Iterator[float] | None = copySteps(nodes, self._volumes)
        self._unread: InputError | None = None

        def work(progress: Any, cancel: Any) -> Segmentation:
            return segment(self._volumes, model, options=options or SegmentOptions(), progress=progress, cancel=cancel)

        self._task = BackgroundTask(work)

    def poll(self, wait_s: float = 0.0) -> TaskState:
        """See `BackgroundTask.poll`; until the inputs are copied, one step of that."""
        if self._copying is None:
            return self._task.poll(wait_s)
        part = 0.0
        if not self.cancelled and self._unread is None:
            try:
                part = next(self._copying, 1.0)
            except InputError as error:  # raised again by `result`
                self._unread = error
            if len(self._volumes) == len(self._nodeIds):
                self._copying = None
                self._task.start()
        message = _("reading the volumes, {percent} %").format(percent=round(100 * part))
        return TaskState(0.0, message, None, self.cancelled or self._unread is not None)

    def cancel(self) -> None:
        self._task.cancel()

    @property
    def cancelled(self) -> bool:
        return self._task.cancelled

    @property
    def result(self) -> Segmentation:
        """What the backend found, once finished; raises what the thread raised, what stopped the reading, or `Cancelled`."""
        if self._unread is not None and not self.cancelled:
            raise self._unread
        return self._task.result()

    def publish(self) -> slicer.vtkMRMLSegmentationNode:
        """All of `publishSteps` in one call."""
        steps = self.publishSteps()
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    def publishSteps(self) -> Generator[str, None, slicer.vtkMRMLSegmentationNode]:
        """The result as a new node of the scene, once finished, step by step; see `publish.publishSteps`.

        Raises:
            Cancelled: also where `cancel` is called between two steps; the scene is then as it was.
            InputError, ModelError: what the thread raised, or the input was removed from the scene meanwhile.
        """
        result = self.result
        read = [role for role in result.inputs if role in self._volumes] or list(self._volumes)
        role = next((role for role in read if self._volumes[role].same_grid(result.labels)), read[0])
        nodes = {role: slicer.mrmlScene.GetNodeByID(nodeId) for role, nodeId in self._nodeIds.items()}
        missing = [self._volumes[role].name for role, node in nodes.items() if node is None]
        if missing:
            raise InputError(
                _("{name} was removed from the scene while it was segmented, but its result belongs beside it; load it and run again").format(name=missing[0])
            )
        steps = publishSteps(result, nodes[role], nodes)
        try:
            while True:
                if self.cancelled:
                    raise Cancelled(_("the segmentation was cancelled"))
                yield next(steps)
        except StopIteration as end:
            return end.value
        finally:
            steps.close()  # takes out what was added, unless all was


def optionsFrom(parameters: BrainTumorSegParameterNode) -> SegmentOptions:
    """The options of a run as the user chose them."""
    return SegmentOptions(
        planes=parameters.quality.planes,
        threads=parameters.threads or None,
        uncertainty=parameters.uncertainty,
        min_island_mm3=None if parameters.modelCleanUp else parameters.minIslandMm3,
        max_hole_mm3=None if parameters.modelCleanUp else parameters.maxHoleMm3,
        early_exit=parameters.quality.earlyExit,
        mirrored=parameters.quality.mirrored,
    )
