"""Volumes cross between MRML and the backend without moving in the patient."""

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import slicer
import slicer.util
import vtk
from bending import bend
from BrainTumorSegGUI.resultVolume import addVolume
from BrainTumorSegGUI.volumes import copySteps, imageFromVolume, viewOfNode, volumeFromImage, volumeFromNode
from grids import DIRECTIONS, ORIGIN, SPACING, ijk_to_ras

from BrainTumorSegLib.api import InputError, Volume

BRIGHT = (4, 1, 2)  # i, j, k of the only bright voxel


def bright_voxel_node(directions=DIRECTIONS["lps"], name="T1ce"):
    array = np.zeros((4, 5, 6), np.int16)  # k, j, i
    array[BRIGHT[::-1]] = 500
    return slicer.util.addVolumeFromArray(array, ijk_to_ras(directions), name)


def lps_of_brightest(volume):
    index = np.array(np.unravel_index(volume.array.argmax(), volume.array.shape))[::-1]
    return np.array(volume.origin) + volume.matrix @ (index * np.array(volume.spacing_mm))


@pytest.mark.parametrize("name", DIRECTIONS)
def test_a_voxel_keeps_its_place_in_the_patient(name):
    volume = volumeFromNode(bright_voxel_node(DIRECTIONS[name]))
    r, a, s = np.array(ORIGIN) + np.array(DIRECTIONS[name]) @ (np.array(BRIGHT) * SPACING)
    assert lps_of_brightest(volume) == pytest.approx([-r, -a, s])  # LPS turns the first two axes of RAS
    assert volume.spacing_mm == pytest.approx(SPACING)


def test_the_plain_case_in_numbers():
    # Voxel (4, 1, 2) of an LPS volume: R = 11 - 4 * 0.5 = 9, A = -7 - 1 * 2 = -9, S = 5 + 2 * 3 = 11.
    volume = volumeFromNode(bright_voxel_node())
    assert volume.origin == (-11.0, 7.0, 5.0)
    assert volume.direction == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    assert lps_of_brightest(volume).tolist() == [-9.0, 9.0, 11.0]
    assert volume.name == "T1ce"


def test_the_voxels_are_a_copy_that_a_thread_may_keep():
    node = bright_voxel_node()
    volume = volumeFromNode(node)
    slicer.util.arrayFromVolume(node)[:] = 7
    assert volume.array.max() == 500


@pytest.mark.parametrize("name", DIRECTIONS)
@pytest.mark.parametrize("crop", [False, True])
def test_a_volume_goes_back_to_the_same_place(name, crop):
    volume = volumeFromNode(bright_voxel_node(DIRECTIONS[name]))
    image = imageFromVolume(volume, crop=crop)
    assert image.GetScalarComponentAsDouble(*BRIGHT, 0) == 500  # the index is the volume's own, cropped or not
    assert image.GetExtent() == ((4, 4, 1, 1, 2, 2) if crop else (0, 5, 0, 4, 0, 3))
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    assert slicer.util.arrayFromVTKMatrix(matrix) == pytest.approx(ijk_to_ras(DIRECTIONS[name]))


def test_a_cropped_image_is_read_where_it_lies():
    # A segment's image begins at the index of its first voxel, here (4, 1, 2) and not (0, 0, 0).
    volume = volumeFromNode(bright_voxel_node(DIRECTIONS["oblique"]))
    matrix = slicer.util.vtkMatrixFromArray(ijk_to_ras(DIRECTIONS["oblique"]))
    pair = volume.array.copy()
    pair[2, 1, 5] = 400  # the neighbor along i: one voxel alone would be no volume
    read = volumeFromImage(imageFromVolume(volume.like(pair), crop=True), matrix, "segment")
    assert read.array.tolist() == [[[500, 400]]]
    assert lps_of_brightest(read) == pytest.approx(lps_of_brightest(volume))


def test_a_transformed_volume_is_read_where_it_lies_and_left_as_it_is():
    node = bright_voxel_node()
    # World = a quarter turn about S, then 100 mm to the right: (R, A, S) -> (-A + 100, R, S). (9, -9, 11) -> (109, 9, 11).
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.array([[0.0, -1, 0, 100], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])))
    node.SetAndObserveTransformNodeID(transform.GetID())
    nodes_before = slicer.mrmlScene.GetNumberOfNodes()
    assert lps_of_brightest(volumeFromNode(node)) == pytest.approx([-109.0, -9.0, 11.0])
    assert node.GetParentTransformNode() is transform
    stored = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(stored)
    assert slicer.util.arrayFromVTKMatrix(stored) == pytest.approx(ijk_to_ras(DIRECTIONS["lps"]))
    assert slicer.mrmlScene.GetNumberOfNodes() == nodes_before


def test_a_warped_volume_is_read_where_it_lies_and_left_as_it_is():
    array = np.zeros((20, 20, 20), np.int16)
    array[8:12, 8:12, 8:12] = 500  # middle (9.5, 9.5, 9.5) in RAS, at 1 mm
    node = slicer.util.addVolumeFromArray(array, np.eye(4), "T1ce")
    bend(node, millimeters=3.0)
    volume = volumeFromNode(node)
    middle = np.argwhere(volume.array > 250).mean(axis=0)[::-1]
    lps = np.array(volume.origin) + volume.matrix @ (middle * np.array(volume.spacing_mm))
    assert lps == pytest.approx([-9.5, -9.5, 12.5], abs=0.1)
    assert np.array_equal(viewOfNode(node).array, array)  # not through the warp: it would take seconds
    assert np.array_equal(slicer.util.arrayFromVolume(node), array)


def test_a_sheared_volume_is_refused():
    node = bright_voxel_node()
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.array([[1.0, 0.4, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])))
    node.SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(InputError, match="T1ce has a direction matrix that is singular or not orthonormal"):
        volumeFromNode(node)


def test_a_node_without_an_image_is_refused():
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    with pytest.raises(InputError, match="Empty has no image"):
        volumeFromNode(node)


def test_a_color_volume_is_refused():
    node = slicer.util.addVolumeFromArray(np.zeros((3, 4, 5, 3), np.uint8), name="Photo", nodeClassName="vtkMRMLVectorVolumeNode")
    with pytest.raises(InputError, match="Photo has 4 dimensions"):
        volumeFromNode(node)


def test_a_spacing_of_zero_is_refused_in_words():
    node = bright_voxel_node()
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(np.diag([0.0, 1, 1, 1])))
    with pytest.raises(InputError, match="T1ce has the spacing"):
        volumeFromNode(node)


def test_volumes_are_copied_by_role():
    copies = {}
    parts = list(copySteps({"t1ce": bright_voxel_node(name="A"), "flair": bright_voxel_node(name="B")}, copies))
    assert {role: volume.name for role, volume in copies.items()} == {"t1ce": "A", "flair": "B"}
    assert all(isinstance(volume, Volume) for volume in copies.values())
    assert parts == [0.5, 1.0]


def test_no_input_is_refused():
    with pytest.raises(InputError, match="no input volume is chosen"):
        copySteps({}, {})


@pytest.mark.parametrize(("stored", "shown"), [(np.int16, "int16"), (np.int64, "float64"), (bool, "uint8"), (">i2", "int16")])
def test_a_volume_of_the_backend_is_shown_with_its_values_whatever_their_type(stored, shown):
    array = np.arange(24).reshape(2, 3, 4).astype(stored)
    node = addVolume(Volume(array, (0.5, 2.0, 3.0), (4.0, 5.0, 6.0)), "read")
    assert slicer.util.arrayFromVolume(node).dtype.name == shown
    assert np.array_equal(slicer.util.arrayFromVolume(node), array)
    assert volumeFromNode(node).same_grid(Volume(array, (0.5, 2.0, 3.0), (4.0, 5.0, 6.0)))


def test_two_volumes_of_one_name_are_told_apart():
    volume = Volume(np.zeros((2, 3, 4), np.int16))
    assert [addVolume(volume, "scan").GetName() for _ in range(2)] == ["scan", "scan_1"]
