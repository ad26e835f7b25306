"""A volume under a transform that bends, resampled to where it lies in the patient, a few rows at a time. Main thread only."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util import numpy_support

from BrainTumorSegLib.api import InputError

_STEP_S = 0.03
"""Aimed at: VTK needs a hundredth of a second for a slice under one transform, and a second under another."""
_GROWTH = 4


class Warp:
    """What hardening the transform of a volume would give, on the grid that the volume is stored on; neither node is changed, or kept alive."""

    def __init__(self, node: slicer.vtkMRMLScalarVolumeNode) -> None:
        self._name = node.GetName()
        self._fromWorld = vtk.vtkGeneralTransform()
        node.GetParentTransformNode().GetTransformFromWorld(self._fromWorld)
        self._asItWas = self._fromWorld.GetMTime()
        ijkToRas, rasToIjk = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
        node.GetIJKToRASMatrix(ijkToRas)
        node.GetRASToIJKMatrix(rasToIjk)
        toStored = vtk.vtkGeneralTransform()
        toStored.PostMultiply()
        for part in (ijkToRas, self._fromWorld, rasToIjk):
            toStored.Concatenate(part)
        self._extent = node.GetImageData().GetExtent()
        self._reslice = vtk.vtkImageReslice()
        self._reslice.SetInputData(node.GetImageData())
        self._reslice.SetResliceTransform(toStored)
        self._reslice.SetInterpolationModeToLinear()
        self._reslice.SetBackgroundLevel(node.GetImageBackgroundScalarComponentAsDouble(0))
        self._reslice.SetOutputOrigin(0.0, 0.0, 0.0)
        self._reslice.SetOutputSpacing(1.0, 1.0, 1.0)

    def steps(self, array: np.ndarray) -> Iterator[float]:
        """Fill an array of the volume's shape and type, [k, j, i]; each step takes some hundredths of a second and yields the part that is done.

        Raises:
            InputError: the transform was changed meanwhile, so that what is read would not fit together.
        """
        rows = 1
        for k in range(array.shape[0]):
            first = 0
            while first < array.shape[1]:
                if self._fromWorld.GetMTime() != self._asItWas:
                    raise InputError(_("the transform of {name} was changed while the volume was read; start again").format(name=self._name))
                began = time.perf_counter()
                last = min(first + rows, array.shape[1])
                array[k, first:last] = self._rows(k, first, last, array.shape)
                seconds = time.perf_counter() - began
                done, first = last - first, last
                rows = int(np.clip(done * _STEP_S / max(seconds, 1e-6), 1, _GROWTH * done))
                yield (k + first / array.shape[1]) / array.shape[0]

    def _rows(self, k: int, first: int, last: int, shape: tuple[int, ...]) -> np.ndarray:
        i, j, lowest = self._extent[::2]
        self._reslice.SetOutputExtent(i, i + shape[2] - 1, j + first, j + last - 1, lowest + k, lowest + k)
        self._reslice.Update()
        return numpy_support.vtk_to_numpy(self._reslice.GetOutput().GetPointData().GetScalars()).reshape(last - first, shape[2])
