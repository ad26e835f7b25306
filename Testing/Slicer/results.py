"""A small glioma result in the scene, by hand, and reading segments back."""

from __future__ import annotations

import numpy as np
import slicer
import slicer.util
import standin
from BrainTumorSegGUI.publish import publishSegmentation
from BrainTumorSegGUI.resultSegments import imageFromMask, referenceGeometry, segmentMask
from BrainTumorSegGUI.volumes import volumeFromNode
from grids import DIRECTIONS, ijk_to_ras

SHAPE = (5, 4, 6)  # k, j, i; a voxel is 0.5 x 2 x 3 mm = 0.003 mL
VOXEL_ML = 0.003


def label_array():
    """Slice 1: four voxels of edema; slice 2: two of enhancing tumor and one of necrosis; slice 3: one of edema."""
    array = np.zeros(SHAPE, np.uint8)
    array[1, 1, 1:5] = 2
    array[2, 1, 1:3] = 3
    array[2, 2, 2] = 1
    array[3, 1, 1] = 2
    return array


def doubt_array():
    """In doubt are three voxels of slice 4, two of slice 3 and one of slice 2."""
    array = np.zeros(SHAPE, np.float32)
    array[4, 0, 0:3] = array[3, 2, 4:6] = array[2, 1, 3] = 0.9
    return array


def published(doubt=True, name="T1ce", directions=DIRECTIONS["lps"]):
    """The segmentation node of a run, beside its volume."""
    volume = slicer.util.addVolumeFromArray(np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE), ijk_to_ras(directions), name)
    labels = volumeFromNode(volume).like(label_array())
    result = standin.Result(labels, scheme="glioma", uncertainty=labels.like(doubt_array()) if doubt else None)
    return publishSegmentation(result, volume, {"t1ce": volume})


def voxels(node, segment_id):
    """[k, j, i] of a segment's voxels."""
    return np.argwhere(segmentMask(node, segment_id, referenceGeometry(node))).tolist()


def paint(node, segment_id, array):
    """As an editor effect does it: the segment becomes these voxels, [k, j, i]."""
    image = imageFromMask(np.asarray(array, bool), referenceGeometry(node))
    assert slicer.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(image, node, segment_id)
