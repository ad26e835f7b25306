"""Transforms that bend, by hand."""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support


def grid(displacements_mm, spacing_mm=20.0, origin=(-40.0, -40.0, -40.0)):
    """A grid transform; displacements [k, j, i, 3] in RAS mm."""
    image = vtk.vtkImageData()
    image.SetDimensions(*displacements_mm.shape[2::-1])
    image.SetSpacing(spacing_mm, spacing_mm, spacing_mm)
    image.SetOrigin(*origin)
    image.GetPointData().SetScalars(numpy_support.numpy_to_vtk(np.ascontiguousarray(displacements_mm, np.float64).reshape(-1, 3), deep=True))
    transform = vtk.vtkGridTransform()
    transform.SetDisplacementGridData(image)
    return transform


def wavy():
    """A grid transform that moves every node another way, some millimeters far."""
    return grid(np.random.default_rng(0).normal(size=(6, 6, 6, 3)) * 2.0)


def spline():
    """A thin-plate spline, whose way back is found step by step."""
    transform, source, target = vtk.vtkThinPlateSplineTransform(), vtk.vtkPoints(), vtk.vtkPoints()
    for point in np.random.default_rng(1).uniform(-30, 30, (8, 3)):
        source.InsertNextPoint(*point)
        target.InsertNextPoint(*(point + [1.0, -1.5, 0.1 * point[0]]))
    transform.SetSourceLandmarks(source)
    transform.SetTargetLandmarks(target)
    transform.SetBasisToR()
    return transform


def put_under(node, transform, name="Warp"):
    """Make a transform the parent of a volume; returns its node."""
    transform_node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode", name)
    transform_node.SetAndObserveTransformToParent(transform)
    node.SetAndObserveTransformNodeID(transform_node.GetID())
    return transform_node


def bend(node, millimeters=3.0):
    """Put a volume under a warp that moves every point this far up; returns the grid transform."""
    displacements = np.zeros((6, 6, 6, 3))
    displacements[..., 2] = millimeters
    transform = grid(displacements)
    put_under(node, transform)
    return transform
