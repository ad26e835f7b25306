"""Waiting for a run, and seeing whether anybody touched the scene."""

from __future__ import annotations

import time

import slicer


def wait_for(run, seconds=60.0):
    """Poll a run until it has ended, as the panel's timer does; other programs may hold the cores."""
    end = time.monotonic() + seconds
    while not run.poll(0.01).finished:
        assert time.monotonic() < end, "the run did not end"


def scene_as_text():
    """Every node with its modification time: equal texts mean that nobody touched the scene."""
    nodes = [slicer.mrmlScene.GetNthNode(index) for index in range(slicer.mrmlScene.GetNumberOfNodes())]
    return [(node.GetID(), node.GetName(), node.GetMTime()) for node in nodes]
