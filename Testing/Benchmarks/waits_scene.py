"""Waits of the module's logic on a real MRML scene: cancel, the steps of publishing and of reading. Import it after `host.install()`."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import slicer
import slicer.util
import standin
from bending import put_under
from BrainTumorSegGUI.background import BackgroundTask
from BrainTumorSegGUI.evaluationSides import collectSide
from BrainTumorSegGUI.publish import publishSteps
from BrainTumorSegGUI.selfTest import phantomArrays
from BrainTumorSegGUI.volumes import volumeFromNode
from BrainTumorSegGUI.warp import Warp
from watching import wait_for

import BrainTumorSeg
from BrainTumorSegLib import api
from Testing.Benchmarks.waits_page import Spent

HEAD = (155, 240, 240)  # [z, y, x] of 1 mm voxels


class Stopwatch:
    """Keeps the longest of several steps, by the clock and by this thread's processor time."""

    def __init__(self) -> None:
        self.longest = Spent(0.0, 0.0)

    def step(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Do one step and return what it returns."""
        wall, own = time.perf_counter(), time.thread_time()
        try:
            return function(*arguments)
        finally:
            own, wall = time.thread_time() - own, time.perf_counter() - wall
            self.longest = Spent(max(self.longest.wall_s, wall), max(self.longest.own_s or 0.0, own))


def longest_step(steps: Iterator[Any]) -> Spent:
    """Take all steps of a generator."""
    watch, end = Stopwatch(), object()
    while watch.step(next, steps, end) is not end:
        pass
    return watch.longest


def head_phantom() -> slicer.vtkMRMLScalarVolumeNode:
    """The self-test's phantom in slices of 1 mm, 120 x 192 x 160 voxels, in the scene."""
    return slicer.util.addVolumeFromArray(phantomArrays()[0].repeat(6, axis=0), np.diag([-1.2, -1.2, 1.0, 1.0]), "T1ce")


def cancel_task() -> Spent:
    """Work that looks at its token every 10 ms."""
    begun = threading.Event()

    def work(progress: Any, cancel: Any) -> None:
        begun.set()
        while True:
            cancel.raise_if_cancelled()
            time.sleep(0.01)

    task = BackgroundTask(work)
    task.start()
    begun.wait()
    wall = time.perf_counter()
    task.cancel()
    wait_for(task)
    return Spent(time.perf_counter() - wall)


def cancel_model() -> Spent:
    """The shipped model, in three planes, cancelled while it works."""
    run = BrainTumorSeg.BrainTumorSegLogic().start({"t1ce": head_phantom()}, options=api.SegmentOptions(planes="all"))
    while (state := run.poll(0.01)).fraction < 0.05:
        if state.finished:
            raise RuntimeError("the model ended before it could be cancelled")
    wall = time.perf_counter()
    run.cancel()
    wait_for(run)
    return Spent(time.perf_counter() - wall)


def publish() -> Spent:
    """A glioma of 195 mL in three labels, with uncertainty and surfaces."""
    node = slicer.util.addVolumeFromArray(np.zeros(HEAD, np.int16), np.diag([-1.0, -1, 1, 1]), "T1ce")
    z, y, x = np.ogrid[: HEAD[0], : HEAD[1], : HEAD[2]]
    radius = np.sqrt((z - 70) ** 2 + (y - 120) ** 2 + (x - 120) ** 2)
    labels = volumeFromNode(node).like(np.select([radius < 12, radius < 24, radius < 36], [1, 3, 2], 0).astype(np.uint8))
    result = dataclasses.replace(standin.Result(labels, scheme="glioma"), uncertainty=labels.like((radius < 36).astype(np.float32)))
    return longest_step(publishSteps(result, node, {"t1ce": node}))


def read_bent(make: Callable[[], Any]) -> Spent:
    """A slice of 1024 x 1024 under a transform that bends: two would only take twice as many steps."""
    array = np.zeros((1, 1024, 1024), np.int16)
    node = slicer.util.addVolumeFromArray(array, np.eye(4), "T1ce")
    put_under(node, make())
    return longest_step(Warp(node).steps(array))


def collect(kind: str) -> Spent:
    """The voxels of one side of a comparison, "label map" or "segmentation"."""
    array = np.zeros(HEAD, np.uint8)
    array[60:90, 80:130, 80:140] = 1
    node = slicer.util.addVolumeFromArray(array, np.eye(4), "Brain", "vtkMRMLLabelMapVolumeNode")
    if kind == "segmentation":
        drawn = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Drawn")
        drawn.SetReferenceImageGeometryParameterFromVolumeNode(node)
        slicer.modules.segmentations.logic().ImportLabelmapToSegmentationNode(node, drawn)
        node = drawn
    watch = Stopwatch()
    watch.step(collectSide, node)
    return watch.longest
