"""Boxes as tumors, on one small grid that the tests of comparisons share."""

from __future__ import annotations

import numpy as np
import slicer.util

SHAPE = (8, 8, 8)  # k, j, i


def box(low, high, value=1):
    array = np.zeros(SHAPE, np.uint8)
    array[2:6, 2:6, low:high] = value
    return array


def label_map(array, name, matrix=None):
    return slicer.util.addVolumeFromArray(array, np.diag([1.0, 1, 2, 1]) if matrix is None else matrix, name, "vtkMRMLLabelMapVolumeNode")
