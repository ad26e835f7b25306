"""What is said of gray values that no model was trained on, on phantoms whose answer is known by hand, and what is not said of usual ones."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.inference.scope import NO_CONTRAST, gray_doubt, vessel_brightness
from Testing.Python.heads import head

NO_AGENT = "a.nii seems to be a T1 without contrast agent, in which healthy tissue may be marked; choose the T1 taken after contrast agent"


def cube(vessel: float, cells: int, shape: tuple[int, int, int] = (80, 80, 80)) -> np.ndarray:
    """Tissue of 100 filling a cube of 60 voxels in air; its middle 33 voxels are 27 cells of 11, of which the first `cells` hold one bright voxel."""
    image = np.zeros((80, 80, 80), np.float32)
    image[10:70, 10:70, 10:70] = 100
    for index in list(np.ndindex(3, 3, 3))[:cells]:
        image[tuple(23 + 11 * k + 5 for k in index)] = vessel  # the middle box is [23, 56)
    return image[tuple(slice(0, n) for n in shape)]


@pytest.mark.parametrize(("cells", "expected"), [(27, 1.5), (17, 1.5), (16, 1.3), (15, 1.0), (5, 1.0), (0, 1.0)])
def test_brightness_is_that_of_the_cell_at_two_fifths_of_the_ranking(cells: int, expected: float) -> None:
    """Rank 0.4 * 26 = 10.4: of 27 cells, 16 bright ones leave 11 dark ones, so it lies between rank 10 (dark, 1.0) and 11 (bright, 1.5): 1.2."""
    expected = 1.2 if cells == 16 else expected
    assert vessel_brightness(cube(150, cells)) == pytest.approx(expected)


def test_scale_and_offset_change_nothing() -> None:
    assert vessel_brightness(cube(150, 20) * 7 + 40) == pytest.approx(1.5)


@pytest.mark.parametrize("shape", [(9, 80, 80), (80, 63, 63), (1, 80, 80)])
def test_a_picture_a_slab_and_a_small_volume_say_nothing_of_contrast(shape: tuple[int, int, int]) -> None:
    assert vessel_brightness(cube(150, 27, shape)) is None


def test_a_t1_without_contrast_is_told_where_t1ce_was_wanted_alone() -> None:
    plain, enhanced = (big(head(role, (80, 110, 90))) for role in ("t1", "t1ce"))
    veined = veins(enhanced)
    assert gray_doubt(plain, "t1ce", "a.nii") == NO_AGENT
    assert gray_doubt(plain, "t1", "a.nii") is None
    assert gray_doubt(veined, "t1ce", "a.nii") is None
    assert vessel_brightness(plain) < NO_CONTRAST < vessel_brightness(veined)


def big(image: np.ndarray) -> np.ndarray:
    """Without the noise's tail: the phantom's gray values, whole numbers."""
    return np.clip(np.round(image, -1), 0, 700)


def veins(image: np.ndarray) -> np.ndarray:
    """A bright voxel every 6 voxels of tissue along each axis, as vessels lie everywhere."""
    image = image.copy()
    grid = image[3::6, 3::6, 3::6]
    grid[grid > 0] = 660
    return image


def test_another_sequence_is_named_and_contrast_is_not_mentioned_too() -> None:
    assert gray_doubt(head("t2", (80, 110, 90)), "t1ce", "a.nii") == "a.nii looks like T2, but was given as T1 with contrast; choose the right sequence"
    said = "a.nii looks like T1 or T1 with contrast, but was given as T2; choose the right sequence"
    assert gray_doubt(head("t1"), "t2", "a.nii") == said


def test_hounsfield_units_are_ct_whatever_the_role() -> None:
    """A ball of brain (30) in a shell of bone (1000) in air (-1000)."""
    z, y, x = np.indices((40, 50, 50))
    radius = np.sqrt((z - 20) ** 2 + (y - 25) ** 2 + (x - 25) ** 2)
    image = np.where(radius < 15, 30, np.where(radius < 18, 1000, -1000)).astype(np.int16)
    said = "a.nii looks like CT (its air is near -1000), but the models were trained on MRI alone; give an MRI sequence"
    assert [gray_doubt(image, role, "a.nii") for role in ("t1ce", "flair")] == [said, said]
    shifted = gray_doubt(image + 1000, "t1ce", "a.nii")  # no longer Hounsfield's scale
    assert shifted is None or "CT" not in shifted


@pytest.mark.parametrize(("values", "is_mask"), [([0, 1], True), ([0, 1, 2, 4], True), ([0, 255], True), ([0, 0.5, 1], False), ([0, 100, 300], False)])
def test_a_mask_is_told_by_few_small_whole_numbers(values: list[float], is_mask: bool) -> None:
    image = np.zeros((20, 30, 30), np.float32)
    for k, value in enumerate(values):
        image[4 + k : 16, 5:25, 5:25] = value
    said = "a.nii holds a few small whole numbers only, like a mask; give the image that the mask was drawn on"
    assert (gray_doubt(image, "t1", "a.nii") == said) == is_mask


def test_a_range_of_small_whole_numbers_is_an_image() -> None:
    image = np.zeros((20, 30, 30), np.uint8)
    image[5:15, 5:25, 5:25] = np.arange(20)
    said = gray_doubt(image, "t1", "a.nii")
    assert said is None or "mask" not in said


def test_a_negative_is_told_by_its_bright_corners() -> None:
    image = head("t1")
    said = "a.nii is bright around the head, like a negative; invert its gray values"
    assert gray_doubt(400 - image, "t1", "a.nii") == said
    assert gray_doubt(image, "t1", "a.nii") is None
    assert gray_doubt((400 - image)[20:21], "t1", "a.png") == said.replace("nii", "png")


def test_more_voxels_than_are_looked_at_change_nothing() -> None:
    image = np.kron(cube(150, 16), np.ones((2, 2, 2), np.float32))
    assert vessel_brightness(image[::2, ::2, ::2]) == pytest.approx(1.2)
    assert gray_doubt(image, "t1ce", "a.nii") == gray_doubt(image[::2, ::2, ::2], "t1ce", "a.nii")


def test_the_sequence_of_a_picture_or_a_thin_slab_is_left_open() -> None:
    image = head("t2", (80, 110, 90))
    assert gray_doubt(image[35:45], "t1", "a.nii") is not None
    assert gray_doubt(image[35:44], "t1", "a.nii") is None
    assert gray_doubt(head("t2", (32, 32, 32)), "t1", "a.nii") is not None
    assert gray_doubt(head("t2", (32, 31, 31)), "t1", "a.nii") is None
