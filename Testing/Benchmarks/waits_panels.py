"""Waits at the module's panels, on the test host's widgets (PySide6). Import it after `host.install()`."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import qt
import slicer
import slicer.util
import standin
from BrainTumorSegGUI import runPanel
from BrainTumorSegGUI.inputsPanel import InputsPanel
from BrainTumorSegGUI.parameters import Quality
from BrainTumorSegGUI.queueTask import QueueTask
from BrainTumorSegGUI.runPanel import RunPanel

import BrainTumorSeg
from Testing.Benchmarks.waits_page import Spent
from Testing.Benchmarks.waits_scene import Stopwatch, head_phantom
from Testing.Python.heads import head


@contextlib.contextmanager
def _opened(kind: Any, logic: Any) -> Iterator[Any]:
    """A panel, brought up to date whenever a choice changes, as the module's widget does it; closed at the end."""
    parent = slicer.qMRMLWidget()
    parent.setLayout(qt.QVBoxLayout())
    parameters = logic.getParameterNode()
    panel = kind(parent.layout(), logic, parameters)
    tag = parameters.AddObserver("ModifiedEvent", lambda caller, event: panel.update())
    try:
        yield panel
    finally:
        parameters.RemoveObserver(tag)
        panel.cleanup()
        panel.setParameterNode(None)
        slicer.mrmlScene.RemoveNode(parameters.parameterNode)
        parent.deleteLater()
        slicer.app.processEvents()
        slicer.app.sendPostedDeletes()


def _until(done: Callable[[], bool]) -> None:
    while not done():
        slicer.app.processEvents()


def cancel_panel() -> Spent:
    """From the click on Cancel until Apply can be clicked again; the work waits for nothing else."""
    work = standin.SegmentForever()
    with _opened(RunPanel, BrainTumorSeg.BrainTumorSegLogic(segment=work)) as panel:
        panel.parameterNode.t1ce = slicer.util.addVolumeFromArray(np.zeros((4, 5, 6), np.int16), np.eye(4), "T1ce")
        panel.ui.applyButton.click()
        _until(work.begun.is_set)
        wall = time.perf_counter()
        panel.ui.cancelButton.click()
        _until(lambda: panel.ui.applyButton.enabled)
        return Spent(time.perf_counter() - wall)


def rounds_while_a_model_runs() -> Spent:
    """The longest round of events from Apply until the result is there, with the shipped model in one plane of slices of 1 mm; it is not published."""
    watch = Stopwatch()
    with _opened(RunPanel, BrainTumorSeg.BrainTumorSegLogic()) as panel:
        panel.parameterNode.t1ce = head_phantom()
        panel.parameterNode.quality = Quality.FAST
        panel.ui.applyButton.click()
        while panel._publishing is None:
            watch.step(slicer.app.processEvents)
            if panel._run is None:
                raise RuntimeError(f"the model did not run: {panel.ui.statusLabel.text}")
    return Spent(watch.longest.wall_s, (watch.longest.own_s or 0.0) + runPanel.WAIT_S)


def inputs_steps() -> Spent:
    """Four volumes of 160 x 240 x 200 voxels of which nothing tells what they are: the panel's longest step until all are known."""
    watch = Stopwatch()
    for role in ("t1", "t1ce", "t2", "flair"):
        array = np.kron(head(role).astype(np.int16), np.ones((4, 4, 4), np.int16))
        slicer.util.addVolumeFromArray(array, np.diag([-1.0, -1.0, 1.0, 1.0]), role[::-1])
    timed = contextlib.ExitStack()
    for kind, name in ((InputsPanel, "onSettled"), (InputsPanel, "update"), (QueueTask, "onTick")):
        timed.enter_context(_timed(watch, kind, name))
    with timed, _opened(InputsPanel, BrainTumorSeg.BrainTumorSegLogic()) as panel:
        panel.enter()
        _until(lambda: not panel._looking.busy)
    return watch.longest


@contextlib.contextmanager
def _timed(watch: Stopwatch, kind: Any, name: str) -> Iterator[None]:
    """Have every call of a method measured."""
    whole = getattr(kind, name)
    setattr(kind, name, lambda self, *arguments: watch.step(whole, self, *arguments))
    try:
        yield
    finally:
        setattr(kind, name, whole)
