"""The self-test's phantom, made in memory, and what is checked on it. Runs inside Slicer and, on slicer-core, in pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import slicer

from BrainTumorSegGUI.install import ensureOnnxruntime
from BrainTumorSegGUI.resultSegments import imageFromMask, referenceGeometry, segmentIds, segmentMask, voxelMl

if TYPE_CHECKING:
    import unittest

    from BrainTumorSeg import BrainTumorSegLogic

SHAPE = (20, 192, 160)  # [z, y, x], slices of a common thick-slice protocol
SPACING_MM = (1.2, 1.2, 6.0)  # x, y, z
TUMOR_CENTER_MM = (32.0, -22.0, 12.0)  # from the middle of the head: left, front, above
TUMOR_RADIUS_MM = 17.0
RING_MM = 9.0
MINIMUM_DICE = 0.5
"""A crude phantom, not a patient: this asks whether the whole way works, not how good the model is."""


def segmentPhantom(test: unittest.TestCase, logic: BrainTumorSegLogic) -> None:
    """Find the phantom's sequence, segment it with the shipped model, compare the result with the tumor that was painted, and edit it."""
    ensureOnnxruntime()
    volumeNode, referenceNode = addPhantom()
    test.assertEqual(logic.guessInputs(), {"t1ce": volumeNode})
    segmentationNode = logic.segmentNodes({"t1ce": volumeNode})
    segmentation = segmentationNode.GetSegmentation()
    test.assertEqual(segmentation.GetNthSegment(0).GetName(), "Tumor")
    test.assertEqual(segmentationNode.GetAttribute("BrainTumorSeg.Inputs"), "t1ce=Phantom T1ce")
    test.assertEqual(len(segmentationNode.GetAttribute("BrainTumorSeg.ModelSha256")), 64)
    tableNode, notices = logic.evaluate(segmentationNode, referenceNode)
    test.assertEqual(notices, ())
    test.assertEqual(tableNode.GetCellText(0, 4), "ok")
    test.assertGreater(float(tableNode.GetCellText(0, 1)), MINIMUM_DICE)
    editPhantom(test, logic, segmentationNode)


def editPhantom(test: unittest.TestCase, logic: BrainTumorSegLogic, segmentationNode: slicer.vtkMRMLSegmentationNode) -> None:
    """Empty the segment of a copy: the result stays, and what was taken away is listed."""
    editedNode = logic.editableNode(segmentationNode)
    segmentId, geometry = segmentIds(editedNode)[0], referenceGeometry(segmentationNode)
    mask = segmentMask(segmentationNode, segmentId, geometry)
    empty = imageFromMask(np.zeros_like(mask), geometry)
    slicer.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(empty, editedNode, segmentId)
    milliliters = np.count_nonzero(mask) * voxelMl(geometry)
    tableNode = logic.changes(editedNode)
    test.assertEqual([tableNode.GetCellText(0, column) for column in range(4)], ["Tumor", "0.000", f"{milliliters:.2f}", "0.00"])
    test.assertEqual(logic.prepareSegmentEditor(editedNode).GetSegmentationNode(), editedNode)


def addPhantom() -> tuple[slicer.vtkMRMLScalarVolumeNode, slicer.vtkMRMLLabelMapVolumeNode]:
    """Add an oblique T1ce volume of a head with a ring-enhancing tumor, and the tumor as a label map."""
    image, tumor = phantomArrays()
    ijkToRas = _obliqueMatrix()
    volumeNode = slicer.util.addVolumeFromArray(image, ijkToRas, "Phantom T1ce")
    referenceNode = slicer.util.addVolumeFromArray(tumor.astype(np.uint8), ijkToRas, "Phantom tumor", "vtkMRMLLabelMapVolumeNode")
    return volumeNode, referenceNode


def phantomArrays() -> tuple[np.ndarray, np.ndarray]:
    """T1ce-like intensities (int16) and the tumor mask (bool), [z, y, x]: scalp, skull, folded brain, ventricles, enhancing ring around necrosis."""
    z, y, x = (_millimeters(axis) for axis in range(3))
    image = np.zeros(SHAPE)
    image[_radius(x, y, z, (78, 96, 92)) < 1] = 330  # scalp
    image[_radius(x, y, z, (72, 90, 86)) < 1] = 60  # skull
    _paintBrain(image, x, y, z)
    distance = _radius(x - TUMOR_CENTER_MM[0], y - TUMOR_CENTER_MM[1], z - TUMOR_CENTER_MM[2], (1, 1, 1))
    tumor = distance < TUMOR_RADIUS_MM
    image[(distance < TUMOR_RADIUS_MM + 6) & ~tumor & (image > 205)] = 205  # edema
    image[tumor] = 430
    image[distance < TUMOR_RADIUS_MM - RING_MM] = 150  # necrosis
    noise = np.random.default_rng(2).normal(0.0, 8.0, SHAPE)
    return np.abs(_blurInPlane(image) + noise).astype(np.int16), tumor


def _paintBrain(image: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> None:
    """Fluid around a folded ribbon of gray matter, white matter, the gap between the halves, and two ventricles."""
    radius = _radius(x, y, z, (67, 85, 81))
    angle = np.arctan2(y, x + 0 * z)
    folds = 0.035 * np.cos(13 * angle + 2 * np.cos(z / 15)) + 0.025 * np.cos(22 * angle + z / 9)
    image[radius < 1] = 70
    image[radius < 0.96 + folds] = 190
    image[radius < 0.87 + 1.6 * folds] = 240
    image[(np.abs(x + 0 * radius) < 1.3) & (radius > 0.45) & (radius < 1)] = 80
    for side in (-1, 1):
        image[_radius(x - side * 19, y + 8, z, (10, 17, 14)) < 1] = 200  # deep gray matter
        image[_radius(x - side * 9, y - 2, z - 10, (5, 26, 12)) < 1] = 70


def _millimeters(axis: int) -> np.ndarray:
    """Distances from the middle along an array axis, shaped to broadcast; y and z grow to the back and to the head's top."""
    spacing = SPACING_MM[2 - axis]
    values = (np.arange(SHAPE[axis]) - (SHAPE[axis] - 1) / 2) * spacing
    return values.reshape([-1 if other == axis else 1 for other in range(3)])


def _radius(x: np.ndarray, y: np.ndarray, z: np.ndarray, semiaxes_mm: tuple[float, float, float]) -> np.ndarray:
    """Distance from the middle in units of an ellipsoid's semiaxes: below 1 inside."""
    return np.sqrt((x / semiaxes_mm[0]) ** 2 + (y / semiaxes_mm[1]) ** 2 + (z / semiaxes_mm[2]) ** 2)


def _blurInPlane(image: np.ndarray) -> np.ndarray:
    for axis in (1, 2):
        image = (np.roll(image, 1, axis) + 2 * image + np.roll(image, -1, axis)) / 4
    return image


def _obliqueMatrix() -> np.ndarray:
    """IJK to RAS of slices tilted by 15 degrees about the left-right axis, x to the left and y to the back as scanners store them."""
    tilt = np.deg2rad(15.0)
    directions = np.array([[-1, 0, 0], [0, -np.cos(tilt), -np.sin(tilt)], [0, -np.sin(tilt), np.cos(tilt)]])
    matrix = np.eye(4)
    matrix[:3, :3] = directions * SPACING_MM
    matrix[:3, 3] = -matrix[:3, :3] @ ((np.array(SHAPE[::-1]) - 1) / 2)  # the head's middle at 0
    return matrix
