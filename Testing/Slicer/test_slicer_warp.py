"""A volume under a transform that bends: what Slicer's own hardening gives, in short steps."""

import itertools

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import slicer
import slicer.util
import vtk
from bending import bend, put_under, spline, wavy
from BrainTumorSegGUI import warp
from BrainTumorSegGUI.volumes import volumeFromNode
from grids import DIRECTIONS, ijk_to_ras

from BrainTumorSegLib.api import InputError

SHAPE = (9, 20, 40)  # k, j, i of 3 x 2 x 0.5 mm


def volume_node(directions="lps", dtype=np.int16, shape=SHAPE):
    smooth = np.add.outer(np.add.outer(20.0 * np.arange(shape[0]), 9.0 * np.arange(shape[1])), 5.0 * np.arange(shape[2]))
    return slicer.util.addVolumeFromArray(smooth.astype(dtype), ijk_to_ras(DIRECTIONS[directions]), "T1ce")


def hardened(node):
    """As Slicer hardens the transform of a copy."""
    copy = slicer.vtkMRMLScalarVolumeNode()
    matrix, to_world = vtk.vtkMatrix4x4(), vtk.vtkGeneralTransform()
    node.GetIJKToRASMatrix(matrix)
    copy.SetIJKToRASMatrix(matrix)
    copy.SetAndObserveImageData(node.GetImageData())
    node.GetParentTransformNode().GetTransformToWorld(to_world)
    copy.ApplyTransform(to_world)
    return slicer.util.arrayFromVolume(copy)


@pytest.mark.parametrize("make", [wavy, spline])
@pytest.mark.parametrize("directions", DIRECTIONS)
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_it_is_what_hardening_the_transform_gives(make, directions, dtype):
    node = volume_node(directions, dtype)
    stored = slicer.util.arrayFromVolume(node).copy()
    put_under(node, make())
    read = volumeFromNode(node)
    assert read.array.dtype == dtype
    assert np.array_equal(read.array, hardened(node))
    assert not np.array_equal(read.array, stored)
    assert np.array_equal(slicer.util.arrayFromVolume(node), stored)


def test_a_linear_transform_above_the_warp_counts_too():
    node = volume_node()
    transform = put_under(node, wavy())
    above = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[:3, 3] = 2.0, -4.0, 6.0
    above.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    transform.SetAndObserveTransformNodeID(above.GetID())
    assert np.array_equal(volumeFromNode(node).array, hardened(node))


def clock(monkeypatch, *seconds):
    """Let the steps take these seconds, the last of them from then on."""
    left, now, reads = list(seconds), [0.0], itertools.count()

    def tick():
        if next(reads) % 2:  # it is read before and after a step
            now[0] += left.pop(0) if len(left) > 1 else left[0]
        return now[0]

    monkeypatch.setattr(warp.time, "perf_counter", tick)


def rows_of_steps(node):
    """How many rows each step fills, and what it says of the whole."""
    array = np.full(slicer.util.arrayFromVolume(node).shape, -1, np.int16)
    counts, parts, before = [], [], 0
    for part in warp.Warp(node).steps(array):
        filled = int((array[..., 0] != -1).sum())
        counts.append(filled - before)
        parts.append(part)
        before = filled
    return counts, parts


def test_steps_grow_where_they_are_quick_and_never_leave_a_slice(monkeypatch):
    node = volume_node()
    put_under(node, wavy())
    clock(monkeypatch, 0.0001)
    counts, parts = rows_of_steps(node)
    assert counts == [1, 4, 15, *[20] * 8]
    assert parts == pytest.approx([1 / 180, 5 / 180, *np.arange(1, 10) / 9])


def test_steps_shrink_where_they_are_slow_to_one_row_at_least(monkeypatch):
    node = volume_node()
    put_under(node, wavy())
    clock(monkeypatch, 0.0001, 0.0001, 0.0001, 0.0001, 0.06, 10.0)
    assert rows_of_steps(node)[0][:8] == [1, 4, 15, 20, 20, 10, 1, 1]  # 20 rows in 0.06 s: 10 of them next


def test_a_transform_that_is_changed_meanwhile_is_told(monkeypatch):
    node = volume_node()
    transform = bend(node)
    array = np.zeros(SHAPE, np.int16)
    steps = warp.Warp(node).steps(array)
    next(steps)
    transform.SetDisplacementScale(0.5)
    with pytest.raises(InputError, match="^the transform of T1ce was changed while the volume was read; start again"):
        next(steps)


def test_the_nodes_may_go_meanwhile():
    node = volume_node()
    put_under(node, wavy())
    expected = hardened(node)
    array = np.zeros(SHAPE, np.int16)
    steps = warp.Warp(node).steps(array)
    next(steps)
    slicer.mrmlScene.Clear()
    assert node.GetReferenceCount() == 1
    del node
    for _part in steps:
        pass
    assert np.array_equal(array, expected)


def test_a_slice_too_big_for_one_step_is_read_in_parts_of_equal_time(monkeypatch):
    """Two slices of 64 rows where a row takes 1/1024 s: 30 rows are 0.03 s, and a whole slice would be twice that."""
    now, rows = [0.0], warp.Warp._rows

    def slow_rows(self, k, first, last, shape):
        now[0] += (last - first) / 1024
        return rows(self, k, first, last, shape)

    monkeypatch.setattr(warp.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(warp.Warp, "_rows", slow_rows)
    node = volume_node(shape=(2, 64, 8))
    put_under(node, wavy())
    expected = hardened(node)
    assert rows_of_steps(node)[0] == [1, 4, 16, 30, 13, 30, 30, 4]
    assert np.array_equal(volumeFromNode(node).array, expected)
