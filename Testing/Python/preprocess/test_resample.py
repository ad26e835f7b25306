import numpy as np
import pytest

from BrainTumorSegLib.preprocess.resample import resample_image_to, resample_labels_to, shared_part
from BrainTumorSegLib.volume import Volume


def labels(shape=(3, 4, 5)):
    array = np.zeros(shape, np.uint8)
    array[0, 1, 2], array[2, 3, 4], array[1, 0, 0] = 1, 2, 3
    return array


def test_a_shifted_grid_moves_the_labels_and_fills_with_background():
    volume = Volume(labels(), spacing_mm=(1.0, 2.0, 3.0))
    grid = Volume(np.zeros((3, 4, 5)), spacing_mm=(1.0, 2.0, 3.0), origin=(1.0, 2.0, 0.0))  # one column and one row on
    expected = np.zeros((3, 4, 5), np.uint8)
    expected[:, :3, :4] = labels()[:, 1:, 1:]
    assert np.array_equal(resample_labels_to(volume, grid).array, expected)


def test_a_flipped_grid_flips_the_array_only():
    volume = Volume(labels(), spacing_mm=(2.0, 1.0, 1.0), origin=(10.0, 20.0, 30.0))
    # x runs backwards from the last of five columns, 8 mm further on
    grid = Volume(np.zeros((3, 4, 5)), (2.0, 1.0, 1.0), (18.0, 20.0, 30.0), (-1, 0, 0, 0, 1, 0, 0, 0, 1))
    assert np.array_equal(resample_labels_to(volume, grid).array, labels()[:, :, ::-1])


def test_permuted_axes_transpose_the_array():
    volume = Volume(labels(), spacing_mm=(1.0, 2.0, 3.0))
    # index x of the grid runs along z of the patient, y along x, z along y
    grid = Volume(np.zeros((4, 5, 3)), (3.0, 1.0, 2.0), (0.0, 0.0, 0.0), (0, 1, 0, 0, 0, 1, 1, 0, 0))
    assert np.array_equal(resample_labels_to(volume, grid).array, labels().transpose(1, 2, 0))


def test_an_oblique_grid_reads_along_its_own_axes():
    plane = np.arange(25, dtype=np.uint8).reshape(1, 5, 5)
    c = 0.5**0.5
    # turned by 45 degrees about z with steps of sqrt(2): column i, row j of the grid is at x = 2 + i - j, y = i + j
    grid = Volume(np.zeros((1, 3, 3)), (2**0.5, 2**0.5, 1.0), (2.0, 0.0, 0.0), (c, -c, 0, c, c, 0, 0, 0, 1))
    expected = [[[plane[0, i + j, 2 + i - j] for i in range(3)] for j in range(3)]]
    assert resample_labels_to(Volume(plane), grid).array.tolist() == expected


def test_a_finer_grid_repeats_the_nearest_label_and_invents_none():
    volume = Volume(np.array([[[1, 3]]], np.uint8), spacing_mm=(3.0, 1.0, 1.0))
    grid = Volume(np.zeros((1, 1, 6)), spacing_mm=(1.0, 1.0, 1.0), origin=(-1.0, 0.0, 0.0))  # centers at -1, 0, ..., 4
    assert resample_labels_to(volume, grid).array.tolist() == [[[1, 1, 1, 3, 3, 3]]]


@pytest.mark.parametrize("dtype", [bool, np.float16, np.int64, ">i2", np.float64])
def test_the_type_of_the_labels_is_kept(dtype):
    volume = Volume(np.array([[[0, 1, 1]]]).astype(dtype))
    moved = resample_labels_to(volume, Volume(np.zeros((1, 1, 2)), origin=(1.0, 0.0, 0.0)))
    assert moved.array.tolist() == [[[1, 1]]]
    assert moved.array.dtype == np.dtype(dtype).newbyteorder("=")


def test_the_result_has_the_grid_of_the_other_and_its_own_name():
    grid = Volume(np.zeros((2, 2, 2)), (1.0, 2.0, 3.0), (4.0, 5.0, 6.0), (0, 1, 0, 1, 0, 0, 0, 0, 1), name="reference")
    moved = resample_labels_to(Volume(labels(), name="prediction"), grid)
    assert moved.same_grid(grid) and moved.name == "prediction"


def test_an_image_is_interpolated_and_is_0_outside():
    ramp = Volume(np.array([[[0, 10, 20, 30]]], np.int16), name="ramp")
    grid = Volume(np.zeros((1, 1, 4)), origin=(0.5, 0.0, 0.0), name="grid")
    moved = resample_image_to(ramp, grid)
    assert (moved.array.tolist(), moved.array.dtype, moved.name) == ([[[5.0, 15.0, 25.0, 0.0]]], np.float32, "ramp")


def test_an_image_on_its_own_grid_stays_as_it_is_in_any_type():
    array = np.arange(24, dtype=">i2").reshape(2, 3, 4)
    assert np.array_equal(resample_image_to(Volume(array), Volume(np.zeros((2, 3, 4)))).array, array)


def test_fine_detail_is_averaged_where_the_grid_is_coarse_along_that_axis_alone():
    stripes = np.zeros((64, 1, 8), np.float32)
    stripes[::2] = 100  # slices of 1 mm, white and black in turn
    stripes[:, :, ::2] += 10
    # the grid's x runs along z of the patient, and has voxels of 4 mm
    grid = Volume(np.zeros((1, 8, 8)), (4.0, 1.0, 1.0), (0.0, 0.0, 18.0), (0, 1, 0, 0, 0, 1, 1, 0, 0))
    moved = resample_image_to(Volume(stripes), grid).array[0]
    np.testing.assert_allclose(moved[::2], 60.0, atol=1.0)  # the mean of the slices; the detail across them is kept
    np.testing.assert_allclose(moved[1::2], 50.0, atol=1.0)


@pytest.mark.parametrize(("origin", "shared"), [((0.0, 0.0, 0.0), 1.0), ((0.0, 0.0, 5.0), 6 / 11), ((30.0, 0.0, 0.0), 0.0)])
def test_the_shared_part_is_a_share_of_the_grid(origin, shared):
    grid = Volume(np.zeros((11, 11, 11)))
    assert shared_part(Volume(np.zeros((11, 11, 11)), origin=origin), grid) == pytest.approx(shared)


def test_the_shared_part_of_a_turned_volume():
    # x of the volume runs backwards along y of the patient from 10 on; it covers the half z >= 5
    volume = Volume(np.zeros((6, 11, 11)), origin=(0.0, 10.0, 5.0), direction=(0, 1, 0, -1, 0, 0, 0, 0, 1))
    assert shared_part(volume, Volume(np.zeros((11, 11, 11)))) == pytest.approx(6 / 11)
