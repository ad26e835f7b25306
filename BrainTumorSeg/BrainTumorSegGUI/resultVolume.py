"""A volume of the backend as a new volume node. Main thread only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import slicer
import vtk

from BrainTumorSegGUI.volumes import imageFromVolume
from BrainTumorSegLib.api import Volume

_STORABLE = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")


def addVolume(volume: Volume, name: str) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a scalar volume node where the volume lies in the patient, with its own copy of the voxels.

    Whole numbers of 64 bits, which VTK has but Slicer's volumes do not take, become float64.
    """
    matrix = vtk.vtkMatrix4x4()
    imageFromVolume(replace(volume, array=np.zeros(volume.array.shape, np.uint8))).GetImageToWorldMatrix(matrix)
    array = volume.array.astype(volume.array.dtype.newbyteorder("="), copy=False)
    if array.dtype.name not in _STORABLE:
        array = array.astype(np.uint8 if array.dtype == bool else np.float64)
    node = slicer.util.addVolumeFromArray(array, matrix, freeName(name))
    node.CreateDefaultDisplayNodes()
    return node


def freeName(name: str) -> str:
    """The name itself where no node has it, else one with a number; `GenerateUniqueName` also counts names that were used before."""
    return name if slicer.mrmlScene.GetFirstNodeByName(name) is None else slicer.mrmlScene.GenerateUniqueName(name)
